import type { TrainingConfig } from '../../../config/trainingConfig.js';
import { AiforgeError } from '../../../errors.js';
import { didYouMean } from '../../../nearest.js';
import type { Optimizer } from '../../../optim/index.js';
import type { Tensor } from '../../../tensor/index.js';
import type { BaseModel } from '../../baseModel.js';
import type { Callbacks } from '../../callbacks/callbacks.js';
import type { RunState } from '../../checkpoints/checkpoint.js';
import type { ParallelStep } from '../../ranks.js';
import { countersOf } from '../counters.js';
import { soleName, type Optimizers } from './optimizers.js';
import type { Precision } from './precision.js';

/** An optimizer that a model steps itself. */
export interface ManualOptimizer {
  /** The optimizer itself. */
  readonly optimizer: Optimizer;
  /** Drops the gradients of its parameters. */
  zeroGrad(): void;
  /**
   * Averages the gradients of its parameters over ranks, unscales and clips them as the experiment says, and steps, and its schedule
   * with it. With a closure, as LBFGS takes it, the optimizer computes the loss anew by it, and the first one is returned; it is to
   * clear gradients and to call `manualBackward`, and not for float16. What else it makes is released.
   */
  step(): void;
  step(closure: () => Tensor): Tensor;
}

interface Parts {
  training: TrainingConfig;
  model: BaseModel;
  optimizers: Optimizers;
  parallel: ParallelStep;
  state: RunState;
  callbacks: Callbacks;
  precision: Precision;
}

const open = new WeakMap<object, ManualOptimization>();

/** The optimization under way of a model that steps its optimizers itself. Throws PLUGIN_INVALID where none is. */
export function manualOptimizationOf(model: object, what: string): ManualOptimization {
  const found = open.get(model);
  if (found !== undefined) return found;
  throw new AiforgeError(
    'PLUGIN_INVALID',
    `${what} was called outside trainingStep of a run, or of a model whose automaticOptimization is true: set that to false, and call it in trainingStep.`,
  );
}

/** What a model with `automaticOptimization = false` steps its optimizers by. */
export class ManualOptimization {
  readonly optimizers: Readonly<Record<string, ManualOptimizer>>;
  #steps = 0;
  #skipped = 0;
  #isStepping = false;

  constructor(
    private readonly parts: Parts,
    private readonly onStep: (name: string, isStep: boolean) => void,
  ) {
    for (const [name, optimizer] of Object.entries(parts.optimizers)) {
      optimizer.registerStepPreHook(() => {
        if (!this.#isStepping) throw ownStep(name);
      });
    }
    this.optimizers = named(
      Object.fromEntries(
        Object.entries(parts.optimizers).map(([name, optimizer]) => [name, this.#handle(name, optimizer)]),
      ),
    );
  }

  /** Runs a step of the model. */
  during<T>(step: () => T): T {
    open.set(this.parts.model, this);
    try {
      const result = step();
      this.parts.precision.endSteps();
      this.#agree(batchEnd);
      return result;
    } finally {
      open.delete(this.parts.model);
    }
  }

  backward(loss: Tensor): void {
    this.parts.precision.backward(loss);
  }

  /** How many steps the model's step has made, and skipped. */
  takeSteps(): { steps: number; skipped: number } {
    const taken = { steps: this.#steps, skipped: this.#skipped };
    this.#steps = this.#skipped = 0;
    return taken;
  }

  /** Ranks that do not all make the same step would take each other's numbers for their own. */
  #agree(step: number): void {
    const agreed = this.parts.parallel.agree(step);
    if (agreed) return;
    const names = Object.keys(this.parts.optimizers);
    const own = step === batchEnd ? 'has ended its batch' : `steps the optimizer '${names[step]}'`;
    throw new AiforgeError('DISTRIBUTED_FAILED', `This rank ${own}, and another one does not: every rank has to step the same optimizers in each batch, in the same order.`); // prettier-ignore
  }

  #handle(name: string, optimizer: Optimizer): ManualOptimizer {
    return {
      optimizer,
      zeroGrad: () => optimizer.zeroGrad(),
      step: ((closure?: () => Tensor) => this.#step(name, optimizer, closure)) as ManualOptimizer['step'],
    };
  }

  #step(name: string, optimizer: Optimizer, closure: (() => Tensor) | undefined): Tensor | undefined {
    const { callbacks, precision, training, parallel, state } = this.parts;
    const event = () => ({ ...countersOf(state, training), optimizer: name });
    const parameters = optimizer.paramGroups.flatMap(({ params }) => params);
    if (closure !== undefined && training.precision === 'float16') {
      throw new AiforgeError('PLUGIN_INVALID', "step was given a closure, whose gradients float16 would not unscale: compute them before, or set training.precision to 'bfloat16'."); // prettier-ignore
    }
    callbacks.tellNow('onOptimizerStepStart', event);
    let isStep = true;
    let first: Tensor | undefined;
    this.#agree(Object.keys(this.parts.optimizers).indexOf(name));
    this.#isStepping = true;
    if (closure === undefined) {
      parallel.averageGradients(parameters);
      isStep = precision.stepOne(optimizer, () => parameters, training);
    } else {
      first = optimizer.step(() => {
        const loss = closure();
        parallel.averageGradients(parameters);
        precision.clip(() => parameters, training);
        return loss;
      });
    }
    this.#isStepping = false;
    if (isStep) ++this.#steps;
    else ++this.#skipped;
    this.onStep(name, isStep);
    callbacks.tellNow('onOptimizerStepEnd', () => ({ ...event(), skipped: !isStep }));
    return first;
  }
}

const batchEnd = -1;

function ownStep(name: string): AiforgeError {
  const own = name === soleName ? 'this.optimizers.optimizer' : `this.optimizers.${name}`;
  return new AiforgeError('PLUGIN_INVALID', `The optimizer '${name}' was stepped by itself, past the framework, which would not clip, average or count: step ${own}.`); // prettier-ignore
}

/** A name that no optimizer has is told, where it would be undefined. */
function named<T>(record: Record<string, T>): Readonly<Record<string, T>> {
  return new Proxy(record, {
    set: (_, name) => {
      throw new AiforgeError('PLUGIN_INVALID', `this.optimizers.${String(name)} cannot be set: configureOptimizers gives the optimizers.`); // prettier-ignore
    },
    get: (target, name) => {
      if (typeof name !== 'string' || Object.hasOwn(target, name)) return target[name as string];
      const names = Object.keys(target);
      throw new AiforgeError('PLUGIN_INVALID', `There is no optimizer '${name}'.${didYouMean(name, names)} configureOptimizers returned ${names.join(', ')}.`); // prettier-ignore
    },
  });
}
