import { amp, arange, linspace, load, manualSeed, nn, optim, save, scope, tanh, type Tensor } from 'aiforge';

import { camelKeys } from '../nn/reference.mjs';
import { exact } from '../support/exact.mjs';

/** One training, as test/reference/grad_scaler.py takes it. */
export interface Case {
  optimizer: 'SGD' | 'Adam' | 'AdamW' | 'Adagrad';
  options: Record<string, unknown>;
  dtype: 'float16' | 'bfloat16';
  scaler: Record<string, number>;
  /** Batches of one step. */
  accumulate: number;
  /** The norm that gradients are clipped to between `unscale_` and `step`. */
  clip: number | null;
  /** Steps whose loss is infinite. */
  infinite: number[];
  steps: number;
  sparse?: boolean;
  /** An optimizer for each of two parts of the model. */
  several?: boolean;
}

/** What each step gave, and where the training led. */
export interface Taken {
  steps: [loss: unknown, gradient: unknown, scale: number][];
  parameters: unknown[];
  scaler: unknown;
}

interface Saved {
  model: Record<string, Tensor>;
  optimizers: optim.OptimizerStateDict[];
  scaler: amp.GradScalerStateDict;
}

class Model extends nn.Module {
  readonly embedding: nn.Embedding;
  readonly hidden: nn.Linear;
  readonly head: nn.Linear;

  // In the order in which Python draws.
  constructor(sparse: boolean) {
    super();
    this.embedding = new nn.Embedding(10, 6, { sparse });
    this.hidden = new nn.Linear(6, 8);
    this.head = new nn.Linear(8, 2);
  }

  forward(x: Tensor): Tensor {
    return this.head.forward(tanh(this.hidden.forward(this.embedding.forward(x))));
  }
}

type AnyOptimizer = new (params: Tensor[], options: object) => optim.Optimizer;

export class Training {
  readonly #case: Case;
  readonly #model: Model;
  readonly #optimizers: optim.Optimizer[];
  readonly #scaler: amp.GradScaler;

  constructor(given: Case) {
    this.#case = given;
    manualSeed(0);
    this.#model = new Model(given.sparse ?? false);
    const { embedding, hidden, head } = this.#model;
    const parts = [[...embedding.parameters(), ...hidden.parameters()], [...head.parameters()]];
    const Optimizer = optim[given.optimizer] as unknown as AnyOptimizer;
    const lists = given.several === true ? parts : [parts.flat()];
    this.#optimizers = lists.map((list) => new Optimizer(list, camelKeys(given.options)));
    this.#scaler = new amp.GradScaler({ device: 'cpu', ...camelKeys(given.scaler) });
  }

  #loss(step: number, i: number): Tensor {
    const x = arange(12).mul(step + 3).add(i).remainder(10); // prettier-ignore
    const target = linspace(-1, 1, 24).reshape(12, 2).mul((step % 3) + 1); // prettier-ignore
    const loss = amp.autocast({ deviceType: 'cpu', dtype: this.#case.dtype }, () =>
      nn.functional.mseLoss(this.#model.forward(x), target),
    );
    return this.#case.infinite.includes(step) ? loss.mul(Infinity) : loss;
  }

  #step(step: number): Taken['steps'][number] {
    const { accumulate, clip } = this.#case;
    for (const optimizer of this.#optimizers) optimizer.zeroGrad();
    const losses = Array.from({ length: accumulate }, (_, i) => this.#loss(step, i).div(accumulate));
    for (const loss of losses) this.#scaler.scale(loss).backward();
    if (clip !== null) {
      for (const optimizer of this.#optimizers) this.#scaler.unscale_(optimizer);
      nn.utils.clipGradNorm_(this.#model.parameters(), clip);
    }
    for (const optimizer of this.#optimizers) this.#scaler.step(optimizer);
    this.#scaler.update();
    const gradient = this.#model.head.weight.grad!;
    const isFinite = gradient.isfinite().all().item<boolean>();
    const plain = (tensor: Tensor): unknown => (isFinite ? exact(tensor) : 'not finite');
    return [plain(losses[0]!), plain(gradient), this.#scaler.getScale()];
  }

  take(first: number, last: number): Taken {
    const steps = Array.from({ length: last - first }, (_, i) => scope(() => this.#step(first + i)));
    return {
      steps,
      parameters: [...this.#model.parameters()].map(exact),
      scaler: this.#scaler.stateDict(),
    };
  }

  save(file: string): void {
    const optimizers = this.#optimizers.map((optimizer) => optimizer.stateDict());
    save({ model: this.#model.stateDict(), optimizers, scaler: this.#scaler.stateDict() }, file);
  }

  load(file: string): void {
    const { model, optimizers, scaler } = load<Saved>(file);
    this.#model.loadStateDict(model);
    this.#optimizers.forEach((optimizer, i) => optimizer.loadStateDict(optimizers[i]!));
    this.#scaler.loadStateDict(scaler);
  }
}
