import { brand } from '../../brand.js';
import { AiforgeError } from '../../errors.js';
import { noGrad } from '../../autograd/modes.js';
import { logger } from '../../log.js';
import { number, optional, whole, type Kinds, kind } from '../../kinds.js';
import { nothing, signature, isOptions } from '../../signature.js';
import { optimizerKind } from '../kinds.js';
import { scope } from '../../tensor/memory/scope.js';
import type { Optimizer } from '../optimizer.js';
import { checkLength, copyOf, groupsOf, ratesOf, setRate, type Rate } from './rates.js';
import { adoptState, stateOf, type SchedulerStateDict } from './state.js';

/** The option that every schedule has. */
export interface LRSchedulerOptions {
  /**
   * The epoch that was trained last, when a run is resumed; the optimizer's groups must then have an `initialLr`, as a loaded
   * state has. Default: -1, which begins the schedule.
   */
  lastEpoch?: number;
}

export const lrSchedulerOptions: Kinds<LRSchedulerOptions> = { lastEpoch: whole };

const stepFirst =
  'scheduler.step() came before optimizer.step(): the first learning rate of the schedule is skipped. Call optimizer.step() first.';
const useLastLr =
  'getLr() computes the next learning rates from the present ones; for the present ones call getLastLr().';
const epochIsDeprecated =
  'scheduler.step(epoch) is deprecated: it jumps by the closed form, where there is one, which rounds differently. Call step() without an epoch.';

// Steps count from the first schedule on.
const watched = new WeakSet<Optimizer>();

function watchSteps(optimizer: Optimizer): void {
  if (watched.has(optimizer)) return;
  watched.add(optimizer);
  optimizer.hasStepped = false;
}

const warned = new WeakMap<object, Set<string>>();

// Once for each scheduler: a loop of training would repeat it at every step.
function warn(scheduler: object, message: string): void {
  const before = warned.get(scheduler) ?? new Set();
  warned.set(scheduler, before);
  if (before.has(message)) return;
  before.add(message);
  logger.warn(message);
}

/** What the `step` of most schedules takes. */
export const stepTakes = signature({ epoch: optional(number) });

/** What the `loadStateDict` of schedules takes. */
export const loadStateDictTakes = signature({
  stateDict: kind('an object, as stateDict() gives', isOptions),
});

const notBegun = (scheduler: object): AiforgeError =>
  new AiforgeError(
    'INVALID_ARGUMENT',
    `${scheduler.constructor.name} was not begun: its constructor must end with this.begin(lastEpoch).`,
  );

const schedulerTakes = signature({ optimizer: optimizerKind });

/**
 * The base of the learning-rate schedulers: counts epochs and sets the `lr` of each parameter group to what {@link getLr}
 * gives. Call `step()` after the optimizer's, once an epoch or once a step, whichever the schedule counts.
 *
 * A schedule of your own extends it, gives `getLr()` and ends its constructor with `this.begin(lastEpoch)`. As
 * `torch.optim.lr_scheduler.LRScheduler`; its arithmetic rounds as Python's does.
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * class Halving extends optim.lrScheduler.LRScheduler {
 *   constructor(optimizer) {
 *     super(optimizer);
 *     this.begin();
 *   }
 *   getLr() {
 *     return this.optimizer.paramGroups.map(({ lr }) => (this.lastEpoch === 0 ? lr : lr / 2));
 *   }
 * }
 * const optimizer = new optim.SGD(new nn.Linear(3, 1).parameters(), { lr: 0.1 });
 * const scheduler = new Halving(optimizer);
 * optimizer.step();
 * scheduler.step();
 * scheduler.getLastLr(); // [0.05]
 */
export abstract class LRScheduler {
  readonly optimizer: Optimizer;
  /** The rates that the groups began with. */
  declare baseLrs: Rate[];
  /** The epoch, or step, that the present rates are for, from 0. */
  declare lastEpoch: number;
  /** How often `step` was called, the first time by the constructor. */
  declare protected stepCount: number;
  /** Whether `begin` is computing the first rates. */
  declare protected isInitial: boolean;
  declare private getLrCalledWithinStep: boolean;
  declare protected lastLr: Rate[];

  constructor(optimizer: Optimizer) {
    // What is given to this class alone: a schedule of a user's own may take more, and hands lastEpoch to begin().
    schedulerTakes.check('LRScheduler', arguments);
    this.optimizer = optimizer;
  }

  /** Notes the rates that the schedule starts from and sets the first: the end of a schedule's constructor. */
  protected begin(lastEpoch = -1): void {
    const groups = groupsOf(this.optimizer);
    if (lastEpoch === -1) for (const group of groups) group.initialLr ??= copyOf(group.lr);
    this.baseLrs = ratesOf(this.optimizer, 'initialLr');
    this.lastEpoch = lastEpoch;
    watchSteps(this.optimizer);
    this.initialStep();
  }

  /** @internal Sets the first rates, also again when a sequence begins with this schedule. */
  initialStep(): void {
    this.stepCount = 0;
    this.isInitial = true;
    try {
      this.step();
    } finally {
      this.isInitial = false;
    }
  }

  /** The rate of each group, as the last step set it. */
  getLastLr(): Rate[] {
    nothing.check(`${this.constructor.name}.getLastLr`, arguments);
    return [...this.lastLr];
  }

  /** Computes the rate of each group for `lastEpoch` from the present ones; `step` calls it. */
  getLr(): Rate[] {
    throw new AiforgeError('INVALID_ARGUMENT', `${this.constructor.name} has no getLr() of its own.`);
  }

  /** The rate of each group at `lastEpoch` without those before; where there is no such formula, what `getLr` gives. */
  protected closedFormLr(): Rate[] {
    return this.getLr();
  }

  /** Goes on to the next epoch; with an epoch, which is deprecated, to that one by the closed form. */
  step(epoch?: number): void {
    if (arguments.length > 0) stepTakes.check(`${this.constructor.name}.step`, arguments);
    if ((this.baseLrs as Rate[] | undefined) === undefined) throw notBegun(this);
    if (this.stepCount === 1 && !this.optimizer.hasStepped) warn(this, stepFirst);
    ++this.stepCount;
    if (epoch !== undefined) this.warnOfEpoch();
    this.updateLr(epoch);
  }

  protected warnOfEpoch(): void {
    warn(this, epochIsDeprecated);
  }

  /** To be called by `getLr`: says what it is not meant for, and refuses arguments. */
  protected warnUnlessStepping(given: ArrayLike<unknown> = []): void {
    nothing.check(`${this.constructor.name}.getLr`, given);
    if (!this.getLrCalledWithinStep) warn(this, useLastLr);
  }

  /** @internal Goes to the next epoch or to a given one, without counting the step. */
  updateLr(epoch?: number): void {
    this.lastEpoch = epoch ?? this.lastEpoch + 1;
    this.apply(() => (epoch === undefined ? this.getLr() : this.closedFormLr()));
  }

  /** Sets the rates that a function gives. */
  protected apply(rates: () => Rate[]): void {
    const set = (): void => {
      const groups = groupsOf(this.optimizer);
      const values = this.#stepping(rates);
      checkLength('learning rates', values.length, groups.length);
      groups.forEach((group, i) => setRate(group, 'lr', values[i]!));
      this.noteLastLr();
    };
    scope(() => noGrad(set));
  }

  protected noteLastLr(): void {
    this.lastLr = ratesOf(this.optimizer, 'lr');
  }

  #stepping(rates: () => Rate[]): Rate[] {
    this.getLrCalledWithinStep = true;
    try {
      return rates();
    } finally {
      this.getLrCalledWithinStep = false;
    }
  }

  /** The state under PyTorch's names: Python loads it, and what Python saved can be loaded. */
  stateDict(): SchedulerStateDict {
    nothing.check(`${this.constructor.name}.stateDict`, arguments);
    return stateOf(this, ['optimizer']);
  }

  /**
   * Takes over a state dict, from here or from Python. The learning rates themselves are in the optimizer's.
   *
   * @throws AiforgeError STATE_DICT_MISMATCH when it is none.
   */
  loadStateDict(stateDict: SchedulerStateDict): void {
    loadStateDictTakes.check(`${this.constructor.name}.loadStateDict`, arguments);
    adoptState(this, stateDict);
  }
}

brand(LRScheduler, 'LRScheduler');
