import { SchedulerConfig, type ScheduleConfig } from '../../../config/schedulerConfig.js';
import type { TrainingConfig } from '../../../config/trainingConfig.js';
import { AiforgeError } from '../../../errors.js';
import { kind, oneOf, orNull, string } from '../../../kinds.js';
import { didYouMean } from '../../../nearest.js';
import { count } from '../../../kinds.js';
import { show } from '../../../show.js';
import { isOptions, signature } from '../../../signature.js';
import { lrScheduler, Optimizer } from '../../../optim/index.js';
import type { BaseModel } from '../../baseModel.js';
import { called } from '../../plugins/calls.js';
import { soleName, type Optimizers } from './optimizers.js';

/** How long a run is planned to be. */
export interface RunLength {
  epochs: number;
  /** Steps of the optimizer in an epoch. */
  stepsPerEpoch: number;
}

/** A scheduler, and when it is stepped. */
export interface ConfiguredScheduler {
  scheduler: lrScheduler.LRScheduler;
  /** After each epoch, or after each step of the optimizer. Default: 'epoch'. */
  interval?: 'epoch' | 'step';
  /** The metric that a ReduceLROnPlateau watches. Default: the experiment's `earlyStoppingMonitor`. */
  monitor?: string | null;
}

/** What is written of a scheduler into a checkpoint. */
export interface SavedScheduler {
  name: string;
  state: lrScheduler.SchedulerStateDict;
  /** The learning rates of the last step, as metrics. */
  rates: Record<string, number>;
}

type AnySchedule = ScheduleConfig | SchedulerConfig;
type SchedulerClass = new (optimizer: Optimizer, ...rest: unknown[]) => lrScheduler.LRScheduler;

// The options that the constructors take by their place.
const positions: Record<string, readonly string[]> = {
  StepLR: ['stepSize'],
  MultiStepLR: ['milestones'],
  ExponentialLR: ['gamma'],
  CosineAnnealingLR: ['tMax'],
  CosineAnnealingWarmRestarts: ['t0'],
  CyclicLR: ['baseLr', 'maxLr'],
  OneCycleLR: ['maxLr'],
};
// Those that are the length of the run where they are null.
const lengths = new Set(['tMax', 'totalIters', 'totalSteps']);

function construct(config: AnySchedule, optimizer: Optimizer, total: number): lrScheduler.LRScheduler {
  if (config.name === 'SequentialLR') {
    const schedulers = config.schedulers.map((inner) => construct(inner, optimizer, total));
    return new lrScheduler.SequentialLR(optimizer, schedulers, config.milestones);
  }
  if (config.name === 'ChainedScheduler') {
    return new lrScheduler.ChainedScheduler(config.schedulers.map((inner) => construct(inner, optimizer, total)));
  }
  const { name, ...given } = config;
  const options: Record<string, unknown> = Object.fromEntries(
    Object.entries(given as Record<string, unknown>)
      .filter(([key]) => key !== 'interval' && key !== 'monitor')
      .map(([key, value]) => [key, value ?? (lengths.has(key) ? total : undefined)]),
  );
  if (name === 'OneCycleLR') options.maxLr ??= optimizer.paramGroups.map(({ lr }) => lr);
  const positional = (positions[name] ?? []).map((key) => {
    const value = options[key];
    delete options[key];
    return value;
  });
  return new (lrScheduler[name] as unknown as SchedulerClass)(optimizer, ...positional, options);
}

const createTakes = signature<RunLength>(
  {
    config: kind('a SchedulerConfig', (value) => SchedulerConfig.safeParse(value).success),
    optimizer: kind('an Optimizer', (value) => value instanceof Optimizer),
  },
  { epochs: count, stepsPerEpoch: count },
  ['epochs', 'stepsPerEpoch'],
);

/** The scheduler that an experiment names, with the run's length where it leaves one out. */
export function createScheduler(config: SchedulerConfig, optimizer: Optimizer, length: RunLength): ConfiguredScheduler {
  createTakes.check('createScheduler', arguments);
  const { epochs, stepsPerEpoch } = length;
  const total = config.interval === 'step' ? epochs * stepsPerEpoch : epochs;
  const monitor = config.name === 'ReduceLROnPlateau' ? config.monitor : null;
  return { scheduler: construct(config, optimizer, total), interval: config.interval, monitor };
}

/** Steps an optimizer's scheduler, if it has one, when it is due, and saves and restores its state. */
export class Scheduling {
  readonly #scheduler: lrScheduler.LRScheduler | null;
  readonly #interval: 'epoch' | 'step';
  readonly #monitor: string;
  #rates: Record<string, number> = {};

  constructor(configured: ConfiguredScheduler | lrScheduler.LRScheduler | null, training: TrainingConfig) {
    const { scheduler, interval, monitor } = partsOf(configured);
    this.#scheduler = scheduler;
    this.#interval = interval ?? 'epoch';
    this.#monitor = monitor ?? training.earlyStoppingMonitor;
    if (scheduler instanceof lrScheduler.ReduceLROnPlateau && interval === 'step') {
      refuse("gave a ReduceLROnPlateau with interval 'step', but metrics are known after epochs only");
    }
  }

  static of(model: BaseModel, optimizer: Optimizer, training: TrainingConfig, length: RunLength): Scheduling {
    const configured = called('configureScheduler', () =>
      model.configureScheduler(optimizer, training.scheduler, length),
    );
    const scheduling = new Scheduling(configured, training);
    const scheduled = scheduling.#scheduler?.optimizer;
    if (scheduled !== undefined && scheduled !== optimizer)
      refuse('gave a schedule of another optimizer than the one that it was given');
    return scheduling;
  }

  /** Whether there is a scheduler. */
  get isScheduled(): boolean {
    return this.#scheduler !== null;
  }

  /** The learning rates of the last step, `learning_rate` and those of further groups, where a scheduler changes them. */
  get rates(): Record<string, number> {
    return this.#rates;
  }

  /** To be called after each step of the optimizer. */
  endStep(): void {
    if (this.#scheduler === null) return;
    this.#rates = ratesOf(this.#scheduler);
    if (this.#interval === 'step') this.#scheduler.step();
  }

  /**
   * To be called after each epoch, with its metrics. A plateau is looked for where the monitored one was measured. Throws
   * CONFIG_INVALID when there is none of the monitored name.
   */
  endEpoch(metrics: Record<string, number>, validated: boolean): void {
    if (this.#interval !== 'epoch') return;
    if (!(this.#scheduler instanceof lrScheduler.ReduceLROnPlateau)) this.#scheduler?.step();
    else if (validated || !this.#monitor.startsWith('val_')) this.#scheduler.step(this.#monitored(metrics));
  }

  #monitored(metrics: Record<string, number>): number {
    const value = metrics[this.#monitor];
    if (value !== undefined) return value;
    const names = Object.keys(metrics);
    throw new AiforgeError(
      'CONFIG_INVALID',
      `training.scheduler.monitor: there is no metric '${this.#monitor}'.${didYouMean(this.#monitor, names)} This run has ${names.join(', ')}.`,
    );
  }

  save(): SavedScheduler | null {
    const scheduler = this.#scheduler;
    return scheduler === null
      ? null
      : { name: scheduler.constructor.name, state: scheduler.stateDict(), rates: this.#rates };
  }

  /** Throws TRAINING_FAILED when another scheduler was saved. */
  restore(saved: SavedScheduler | null): void {
    const own = this.#scheduler?.constructor.name ?? null;
    if ((saved?.name ?? null) !== own) {
      const named = (name: string | null | undefined) => (name === null || name === undefined ? 'no scheduler' : name);
      throw new AiforgeError(
        'TRAINING_FAILED',
        `The checkpoint was written with ${named(saved?.name)} and cannot be resumed with ${named(own)}: resume with the same training.scheduler.`,
      );
    }
    if (saved === null) return;
    this.#scheduler?.loadStateDict(saved.state);
    this.#rates = saved.rates;
  }
}

/** The schedules of all optimizers of a run, by the optimizers' names. */
export class Schedules {
  readonly #all: Readonly<Record<string, Scheduling>>;
  readonly #isScheduled: boolean;

  constructor(model: BaseModel, optimizers: Optimizers, training: TrainingConfig, length: RunLength) {
    this.#all = Object.fromEntries(
      Object.entries(optimizers).map(([name, optimizer]) => [name, Scheduling.of(model, optimizer, training, length)]),
    );
    this.#isScheduled = Object.values(this.#all).some((scheduling) => scheduling.isScheduled);
  }

  /** The learning rates of the last steps, as metrics; those of several optimizers have their names. */
  get rates(): Record<string, number> {
    if (!this.#isScheduled) return {};
    return Object.fromEntries(
      Object.entries(this.#all).flatMap(([name, { rates }]) =>
        Object.entries(rates).map(([key, rate]) => [name === soleName ? key : `${name}_${key}`, rate]),
      ),
    );
  }

  /** To be called after each step of an optimizer. */
  endStep(name: string): void {
    this.#all[name]!.endStep();
  }

  /** To be called after each epoch. */
  endEpoch(metrics: Record<string, number>, validated: boolean): void {
    for (const scheduling of Object.values(this.#all)) scheduling.endEpoch(metrics, validated);
  }

  save(): Record<string, SavedScheduler | null> {
    return Object.fromEntries(Object.entries(this.#all).map(([name, scheduling]) => [name, scheduling.save()]));
  }

  restore(saved: Record<string, SavedScheduler | null>): void {
    for (const [name, scheduling] of Object.entries(this.#all)) scheduling.restore(saved[name] ?? null);
  }
}

const configuredTakes = signature<ConfiguredScheduler>(
  {},
  {
    scheduler: kind('an LRScheduler', (value) => value instanceof lrScheduler.LRScheduler),
    interval: oneOf('epoch', 'step'),
    monitor: orNull(string),
  },
  ['scheduler'],
);

/** What `configureScheduler` returned, checked. */
function partsOf(
  configured: unknown,
): Pick<ConfiguredScheduler, 'interval' | 'monitor'> & { scheduler: lrScheduler.LRScheduler | null } {
  if (configured === null || configured instanceof lrScheduler.LRScheduler) return { scheduler: configured };
  if (!isOptions(configured)) refuse(`must return an LRScheduler, { scheduler } or null, got ${show(configured)}`);
  // Its own error says INVALID_ARGUMENT, and the arguments are the plugin's.
  try {
    configuredTakes.checkOptions('what configureScheduler returned', configured);
  } catch (error) {
    throw new AiforgeError('PLUGIN_INVALID', (error as Error).message);
  }
  return configured as unknown as ConfiguredScheduler;
}

function ratesOf(scheduler: lrScheduler.LRScheduler): Record<string, number> {
  const rates = scheduler.getLastLr().map((rate) => (typeof rate === 'number' ? rate : rate.item()));
  return Object.fromEntries(rates.map((rate, i) => [i === 0 ? 'learning_rate' : `learning_rate_${i}`, rate]));
}

function refuse(problem: string): never {
  throw new AiforgeError('PLUGIN_INVALID', `configureScheduler ${problem}.`);
}
