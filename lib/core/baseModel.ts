import { inspect } from 'node:util';

import type { SchedulerConfig } from '../config/schedulerConfig.js';
import { AiforgeError } from '../errors.js';
import { didYouMean } from '../nearest.js';
import * as nn from '../nn/index.js';
import { Module } from '../nn/index.js';
import * as optim from '../optim/index.js';
import { Optimizer } from '../optim/index.js';
import { Tensor } from '../tensor/index.js';
import { createScheduler, type ConfiguredScheduler, type RunLength } from './training/scheduling.js';

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

type Constructor<T> = new (...args: never[]) => T;

/** The class called `name` among a namespace's exports that extend `base`. */
function classNamed<T>(
  namespace: object,
  base: Constructor<T> | typeof Optimizer | typeof Module,
  name: string,
  field: string,
): Constructor<T> {
  const candidates = Object.entries(namespace).filter(
    ([, value]) => typeof value === 'function' && (value as { prototype?: unknown }).prototype instanceof base,
  ) as [string, Constructor<T>][];
  const found = candidates.find(([candidate]) => candidate === name);
  if (found !== undefined) return found[1];
  const names = candidates
    .map(([candidate]) => candidate)
    .filter((candidate) => field !== 'lossFnName' || candidate.endsWith('Loss'));
  throw new AiforgeError(
    'CONFIG_INVALID',
    `${field}: there is no '${name}'.${didYouMean(name, names)} Expected one of ${names.join(', ')}.`,
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
  /** Set by `configureLossFn` before training begins. */
  declare lossFn: LossModule;
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

  /** Default: the optimizer of that name over all parameters. Throws CONFIG_INVALID for an unknown name. */
  configureOptimizer(name: string, learningRate: number, options: Record<string, unknown> = {}): Optimizer {
    const OptimizerClass = classNamed<Optimizer>(optim, Optimizer, name, 'optimizerName') as unknown as new (
      parameters: Iterable<Tensor>,
      options: Record<string, unknown>,
    ) => Optimizer;
    return new OptimizerClass(this.parameters(), { lr: learningRate, ...options });
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
    return new LossClass();
  }
}
