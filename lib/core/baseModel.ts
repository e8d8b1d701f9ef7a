import { inspect } from 'node:util';

import type { SchedulerConfig } from '../config/schedulerConfig.js';
import { settingProblem } from '../config/source.js';
import { AiforgeError } from '../errors.js';
import { didYouMean } from '../nearest.js';
import * as nn from '../nn/index.js';
import { Module } from '../nn/index.js';
import * as optim from '../optim/index.js';
import { Optimizer } from '../optim/index.js';
import { moveToDevice } from '../data/moveToDevice.js';
import { signature } from '../signature.js';
import { Tensor, type Device } from '../tensor/index.js';
import { tensorKind } from '../tensor/kinds.js';
import { manualOptimizationOf, type ManualOptimizer } from './training/optimization/manualOptimization.js';
import type { ParameterGroup } from './training/weights/parameterGroups.js';
import {
  log,
  logDict,
  logHistogram,
  logImage,
  logText,
  type Loggable,
  type LogOptions,
} from './training/measuring/logbook.js';
import { UnsetLoss } from './unsetLoss.js';
import { createScheduler, type ConfiguredScheduler, type RunLength } from './training/optimization/scheduling.js';

/** What a step gives the framework: the loss, and what metrics are computed from. */
export interface StepOutput {
  /** The mean over the batch, a single element. */
  loss: Tensor;
  /** For classification the logits, (batch, classes). */
  predictions?: Tensor;
  /** What was to be predicted. Default: the batch's `labels` or `targets`. */
  targets?: Tensor;
  /** How much the batch counts beside others, such as its tokens that are not masked. Default: its samples. */
  weight?: number | Tensor;
  /** Further values, each a mean over the batch: `{ mae }` is recorded as `train_mae`, `val_mae` and `test_mae`. */
  metrics?: Record<string, number | Tensor>;
}

/** A loss as a module: `forward(predictions, targets)`. */
export type LossModule = Module & { forward(predictions: Tensor, targets: Tensor): Tensor };

const backwardTakes = signature({ loss: tensorKind });

type Constructor<T> = new (...args: never[]) => T;

/** The class called `name` among a namespace's exports that extend `base`, for a setting of `training`. */
function classNamed<T>(
  namespace: object,
  base: typeof Optimizer | typeof Module,
  name: string,
  setting: 'optimizerName' | 'lossFnName',
): Constructor<T> {
  const isOffered = (candidate: string) =>
    setting === 'lossFnName' ? /Loss(2d)?$/.test(candidate) : !Object.hasOwn(unfit, candidate);
  const names = Object.entries(namespace).flatMap(([candidate, value]) =>
    typeof value === 'function' &&
    value !== base &&
    (value as { prototype?: unknown }).prototype instanceof base &&
    isOffered(candidate)
      ? [candidate]
      : [],
  );
  if (names.includes(name)) return (namespace as Record<string, Constructor<T>>)[name]!;
  const reason = Object.hasOwn(unfit, name)
    ? `${name} ${unfit[name]}.`
    : `there is no '${name}'.${didYouMean(name, names)}`;
  throw settingProblem(['training', setting], `${reason} Expected one of ${names.join(', ')}.`);
}

/** Optimizers that the loop of training cannot step by their names alone. */
const unfit: Readonly<Record<string, string>> = {
  SparseAdam: 'takes sparse gradients alone: override configureOptimizer in a model that has no others',
};

/** What a constructor refuses is the fault of a setting. */
function madeFor<T>(setting: 'optimizerArgs' | 'parameterGroups' | 'lossFnName', remedy: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof AiforgeError) || cause.code !== 'INVALID_ARGUMENT') throw cause;
    throw settingProblem(['training', setting], `${cause.message}${remedy}`, cause);
  }
}

/** An optimizer keeps whatever a group has; of a setting nothing may go unnoticed. */
function withKnownOptions(optimizer: Optimizer, groups: readonly ParameterGroup[]): Optimizer {
  const known = [...Object.keys(optimizer.defaults), 'name'];
  const unknown = groups.flatMap(Object.keys).find((key) => key !== 'params' && !known.includes(key));
  if (unknown === undefined) return optimizer;
  throw settingProblem(
    ['training', 'parameterGroups'],
    `${optimizer.constructor.name} has no option '${unknown}'.${didYouMean(unknown, known)} It takes ${known.join(', ')}.`,
  );
}

/** What a batch gives `forward` where the model does not say. */
function inputsOf(batch: unknown): Tensor[] {
  if (Tensor.isTensor(batch)) return [batch];
  const isMapping = typeof batch === 'object' && batch !== null && !Array.isArray(batch);
  const inputs = Object.entries(isMapping ? batch : {}).flatMap(([name, value]) =>
    Tensor.isTensor(value) && name !== 'labels' && name !== 'targets' ? [value] : [],
  );
  if (inputs.length > 0) return inputs;
  throw new AiforgeError(
    'PLUGIN_INVALID',
    `predictStep takes a tensor, or an object of tensors, and the batch is ${inspect(batch, { depth: 0 })}: override predictStep in the model.`,
  );
}

/**
 * What a plugin's `model.ts` extends, as `class Model`: a module that knows its steps. The optimizer and the loss come from
 * `optim` and `nn` by name, unless the model says otherwise.
 */
export abstract class BaseModel<Config = object, Batch = Record<string, Tensor>> extends Module {
  /** What `configureLossFn` gave, of the model that a run is of; one within it, or in a test, is given its own. */
  declare lossFn: LossModule;
  static {
    // Of the class, it is no module of a model: an assignment makes one, as it would without it.
    Object.defineProperty(this.prototype, 'lossFn', { value: new UnsetLoss(), writable: true, configurable: true });
  }

  /**
   * Whether the framework computes gradients and steps the optimizer. A model that does so itself in `trainingStep`, by
   * `optimizers` and `manualBackward`, sets it to false. Default: true.
   */
  automaticOptimization = true;
  // Not a `#private` field: those cannot be copied, as averaging models does.
  private readonly ownConfig: Config;

  constructor(config: Config) {
    super();
    this.ownConfig = config;
  }

  /** The model's part of the experiment, checked by the plugin's schema. */
  get config(): Config {
    return this.ownConfig;
  }

  /** The loss of one batch, with gradients. */
  abstract trainingStep(batch: Batch, batchIdx: number): StepOutput;

  /** The loss of one batch, without gradients. */
  abstract validationStep(batch: Batch, batchIdx: number): StepOutput;

  /**
   * The answer for a batch that need not have labels, as `loadRun` asks for it: in evaluation mode, without gradients. Default:
   * `forward` with the batch's tensors in their order, without `labels` and `targets`. Throws PLUGIN_INVALID for a batch of
   * another form: override it there, and where the answer is not what `forward` gives.
   */
  predictStep(batch: Batch, _batchIdx: number): unknown {
    return this.forward(...(inputsOf(batch) as never[]));
  }

  /**
   * Records a value of the step that calls it: a number or a tensor of one element, under the name with `train_`, `val_` or
   * `test_` before it; or a metric of `aiforge/metrics` that is a property of the model and was given the batch, by its value
   * over the epoch and all ranks. Any such name may be monitored. What an inner model logs is recorded with the step that calls
   * it. Where no run goes on, as in a test of the model, nothing is recorded.
   *
   * @throws AiforgeError PLUGIN_INVALID for a name that cannot be recorded, or one that the step has logged already, and outside
   * the steps of a run that goes on.
   * @example
   * import { BaseModel, nn, tensor, type Tensor } from 'aiforge';
   * class Model extends BaseModel<object, { x: Tensor; targets: Tensor }> {
   *   line = new nn.Linear(1, 1);
   *   forward(x: Tensor) {
   *     return this.line.forward(x);
   *   }
   *   trainingStep({ x, targets }: { x: Tensor; targets: Tensor }) {
   *     const predictions = this.forward(x);
   *     this.log('mae', nn.functional.l1Loss(predictions, targets), { progressBar: true });
   *     this.log('worst', predictions.sub(targets).abs().max(), { reduce: 'max' });
   *     return { loss: nn.functional.mseLoss(predictions, targets) };
   *   }
   *   validationStep(batch: { x: Tensor; targets: Tensor }) {
   *     return this.trainingStep(batch);
   *   }
   * }
   * new Model({}).trainingStep({ x: tensor([[1.5]]), targets: tensor([[2.5]]) });
   */
  log(name: string, value: Loggable, options?: LogOptions): void;
  log(...given: [string, Loggable, LogOptions?]): void {
    log(this, given);
  }

  /**
   * The optimizers of `configureOptimizers` by name, one alone as `optimizer`, for a `trainingStep` that steps them itself.
   *
   * @throws AiforgeError PLUGIN_INVALID outside a run's training, and where `automaticOptimization` is true.
   * @example
   * import { BaseModel, nn, optim, type Tensor } from 'aiforge';
   * class Gan extends BaseModel<object, { x: Tensor }> {
   *   automaticOptimization = false;
   *   generator = new nn.Linear(2, 2);
   *   critic = new nn.Linear(2, 1);
   *   forward(x: Tensor) {
   *     return this.generator.forward(x);
   *   }
   *   configureOptimizers(_name: string, lr: number) {
   *     return {
   *       generator: new optim.Adam(this.generator.parameters(), { lr }),
   *       critic: new optim.Adam(this.critic.parameters(), { lr }),
   *     };
   *   }
   *   trainingStep({ x }: { x: Tensor }) {
   *     const { generator, critic } = this.optimizers;
   *     const made = this.forward(x);
   *     const criticLoss = this.critic.forward(made.detach()).mean().sub(this.critic.forward(x).mean());
   *     critic.zeroGrad();
   *     this.manualBackward(criticLoss);
   *     critic.step();
   *     const loss = this.critic.forward(made).mean().neg();
   *     generator.zeroGrad();
   *     this.manualBackward(loss);
   *     generator.step();
   *     return { loss };
   *   }
   *   validationStep({ x }: { x: Tensor }) {
   *     return { loss: this.critic.forward(this.forward(x)).mean().neg() };
   *   }
   * }
   */
  get optimizers(): Readonly<Record<string, ManualOptimizer>> {
    return manualOptimizationOf(this, 'optimizers').optimizers;
  }

  /**
   * The backward pass of a loss in a `trainingStep` that steps its optimizers itself; in float16 the loss is scaled for it.
   *
   * @throws AiforgeError PLUGIN_INVALID outside a run's training, and where `automaticOptimization` is true.
   */
  manualBackward(loss: Tensor): void {
    backwardTakes.check('manualBackward', arguments);
    manualOptimizationOf(this, 'manualBackward').backward(loss);
  }

  /**
   * Records several values as `log` does each, with the same options.
   *
   * @throws AiforgeError PLUGIN_INVALID as `log` does; values before the one that is refused are recorded.
   * @example
   * import { BaseModel, nn, tensor, type Tensor } from 'aiforge';
   * class Model extends BaseModel<object, { image: Tensor }> {
   *   body = new nn.Linear(2, 1);
   *   trainingStep({ image }: { image: Tensor }) {
   *     this.logDict({ least: image.min(), most: image.max() }, { onStep: true });
   *     this.logText('note', `${image.size(0)} rows`);
   *     this.logImage('input', image);
   *     this.logHistogram('weight', this.body.weight);
   *     return { loss: this.body.forward(image).mean() };
   *   }
   *   validationStep(batch: { image: Tensor }) {
   *     return this.trainingStep(batch);
   *   }
   * }
   * new Model({}).trainingStep({ image: tensor([[0.5, 1]]) });
   */
  logDict(record: Record<string, Loggable>, options?: LogOptions): void;
  logDict(...given: [Record<string, Loggable>, LogOptions?]): void {
    logDict(this, given);
  }

  /**
   * Records a text, under the name with `train_`, `val_` or `test_` before it: in training with each step of the optimizer
   * (of its last batch), in validation and the test once (of the first batch that logs the name). On rank 0; where no run goes
   * on, nothing is recorded.
   *
   * @throws AiforgeError PLUGIN_INVALID for a name that cannot be recorded, or one that the step has logged already.
   */
  logText(name: string, text: string): void;
  logText(...given: [string, string]): void {
    logText(this, given);
  }

  /**
   * Records an image as it is now, when `logText` would a text: a tensor of (C, H, W) or (H, W) with 1, 3 or 4 channels (grey,
   * RGB, RGB and opacity), of uint8 or of floats from 0 to 1. It waits for a GPU that has it.
   *
   * @throws AiforgeError INVALID_ARGUMENT for a tensor of another form, PLUGIN_INVALID for numbers beside 0 to 1, and as `logText`.
   */
  logImage(name: string, tensor: Tensor): void;
  logImage(...given: [string, Tensor]): void {
    logImage(this, given);
  }

  /**
   * Records how the numbers of a tensor are distributed, as it is now and when `logText` would record a text: 64 intervals from
   * its least to its largest number; NaN and infinities are counted apart. It waits for a GPU that has it.
   *
   * @throws AiforgeError INVALID_ARGUMENT for a tensor that is empty or complex, PLUGIN_INVALID as `logText`.
   */
  logHistogram(name: string, tensor: Tensor): void;
  logHistogram(...given: [string, Tensor]): void {
    logHistogram(this, given);
  }

  /**
   * The batch on the device that the model trains on. Default: the tensors in arrays, plain objects and
   * maps, and whatever has a method `to`, without waiting for copies from pinned memory.
   */
  transferBatchToDevice(batch: Batch, device: Device): Batch {
    return moveToDevice(batch, device, { nonBlocking: true });
  }

  /**
   * Default: the optimizer of that name over all parameters, in the groups that `training.parameterGroups` makes of them. Throws
   * CONFIG_INVALID for an unknown name or option.
   */
  configureOptimizer(
    name: string,
    learningRate: number,
    options: Record<string, unknown> = {},
    groups: readonly ParameterGroup[] = [],
  ): Optimizer {
    const OptimizerClass = classNamed<Optimizer>(optim, Optimizer, name, 'optimizerName') as unknown as new (
      parameters: Iterable<Tensor> | readonly ParameterGroup[],
      options: Record<string, unknown>,
    ) => Optimizer;
    const parameters = groups.length === 0 ? this.parameters() : groups;
    const make = () => new OptimizerClass(parameters, { lr: learningRate, ...options });
    if (groups.length > 0) return withKnownOptions(madeFor('parameterGroups', '', make), groups);
    return Object.keys(options).length === 0 ? make() : madeFor('optimizerArgs', '', make);
  }

  /**
   * The optimizers of a model with `automaticOptimization = false`, which may be several, by name; it gets what `configureOptimizer`
   * gets. Default: that one alone, as `optimizer`.
   */
  configureOptimizers(
    name: string,
    learningRate: number,
    options: Record<string, unknown> = {},
    groups: readonly ParameterGroup[] = [],
  ): Optimizer | Readonly<Record<string, Optimizer>> {
    return this.configureOptimizer(name, learningRate, options, groups);
  }

  /**
   * Default: the scheduler that the experiment's `training.scheduler` names, none where that is null. A model may return one of
   * its own, with the interval at which it is stepped.
   */
  configureScheduler(
    optimizer: Optimizer,
    config: SchedulerConfig | null,
    length: RunLength,
  ): ConfiguredScheduler | optim.lrScheduler.LRScheduler | null {
    return config === null ? null : createScheduler(config, optimizer, length);
  }

  /** Default: the loss of that name with its defaults. Throws CONFIG_INVALID for an unknown name. */
  configureLossFn(name: string): LossModule {
    const LossClass = classNamed<LossModule>(nn, Module, name, 'lossFnName') as unknown as new () => LossModule;
    return madeFor('lossFnName', ' A model makes such a loss in configureLossFn.', () => new LossClass());
  }
}
