import { cat, manualSeed, nn, optim, randn, scope, tensor, type Device, type Tensor } from 'aiforge';

import { camelKeys } from '../nn/reference.mjs';

/** An optimizer and options under PyTorch's names; the rate as a tensor on the device where `rate` is given. */
export interface Case {
  optimizer: 'Adam' | 'AdamW' | 'NAdam' | 'RAdam' | 'Adamax' | 'RMSprop' | 'Adadelta' | 'ASGD' | 'Rprop';
  options: Record<string, unknown>;
  rate?: number;
}

const both = (optimizer: Case['optimizer'], options: Case['options']): Case[] =>
  [true, false].map((foreach) => ({ optimizer, options: { ...options, foreach } }));

export const cases: Case[] = [
  ...both('Adam', { amsgrad: true }),
  ...both('AdamW', {}),
  { optimizer: 'AdamW', options: { fused: true } },
  { optimizer: 'Adam', options: { fused: true }, rate: 0.01 },
  ...both('NAdam', { weight_decay: 0.01, decoupled_weight_decay: true }),
  ...both('RAdam', { betas: [0.5, 0.9] }),
  ...both('Adamax', { weight_decay: 0.01 }),
  ...both('RMSprop', { centered: true, momentum: 0.5 }),
  ...both('Adadelta', {}),
  ...both('ASGD', { t0: 5 }),
  ...both('Rprop', {}),
  // One by one PyTorch reads the rate of RMSprop and Adadelta, which no graph can.
  ...(['Adam', 'NAdam', 'RAdam', 'Adamax', 'ASGD'] as const).flatMap((optimizer) =>
    both(optimizer, {}).map((each) => ({ ...each, rate: 0.01 })),
  ),
  ...(['RMSprop', 'Adadelta'] as const).map((optimizer) => ({ optimizer, options: { foreach: true }, rate: 0.01 })),
];

export const nameOf = ({ optimizer, options, rate }: Case): string =>
  `${optimizer} ${JSON.stringify(options)}${rate === undefined ? '' : ', the rate a tensor'}`;

/** A small model whose steps are to be captured, as python/capturable.py builds it. */
export class Training {
  readonly model: nn.Module;
  readonly optimizer: optim.Optimizer;
  readonly lr: Tensor | undefined;
  readonly #loss: () => Tensor;

  constructor({ optimizer, options, rate }: Case, device: Device, others: object = { capturable: true }) {
    manualSeed(42);
    const model = new nn.Sequential(new nn.Linear(16, 32), new nn.Tanh(), new nn.Linear(32, 4));
    const [x, y] = [randn([64, 16]), randn([64, 4])].map((draw) => draw.to(device)) as [Tensor, Tensor];
    this.model = model.to(device);
    this.lr = rate === undefined ? undefined : tensor(rate, { device });
    type AnyOptimizer = new (params: Iterable<nn.Parameter>, options: object) => optim.Optimizer;
    this.optimizer = new (optim[optimizer] as AnyOptimizer)(model.parameters(), {
      ...camelKeys(options),
      ...(this.lr === undefined ? {} : { lr: this.lr }),
      ...others,
    });
    this.#loss = () => nn.functional.mseLoss(model.forward(x), y);
  }

  /** Forward, backward and step: what a graph captures. */
  readonly step = (): void =>
    scope(() => {
      this.optimizer.zeroGrad();
      this.#loss().backward();
      this.optimizer.step();
    });

  scaledStep(scaler: { scale(loss: Tensor): Tensor; step(optimizer: optim.Optimizer): void; update(): void }): void {
    scope(() => {
      this.optimizer.zeroGrad();
      scaler.scale(this.#loss()).backward();
      scaler.step(this.optimizer);
      scaler.update();
    });
  }

  /** Weights and state, one after the other. */
  left(): Tensor {
    const states = [...this.optimizer.state.values()].flatMap((state) => Object.values(state) as Tensor[]);
    const all = [...this.model.parameters(), ...states];
    return cat(all.map((each) => each.detach().to('float32').flatten()));
  }
}

export function repeat(count: number, step: () => void): void {
  for (let i = 0; i < count; ++i) step();
}
