import { AiforgeError } from '../../errors.js';
import { whole, listOf, type Kinds } from '../../kinds.js';
import { nothing, signature } from '../../signature.js';
import { optimizerKind } from '../kinds.js';
import { noGrad } from '../../autograd/modes.js';
import { scope } from '../../tensor/memory/scope.js';
import type { Optimizer } from '../optimizer.js';
import { bisectRight } from './cMath.js';
import { LRScheduler, lrSchedulerOptions, type LRSchedulerOptions, loadStateDictTakes } from './lrScheduler.js';
import { groupsOf, groupValue, setRate } from './rates.js';
import { ReduceLROnPlateau } from './reduceLROnPlateau.js';
import { adoptState, mismatch, stateOf, type SchedulerStateDict } from './state.js';
import { schedulersKind } from './kinds.js';

function refuse(message: string): never {
  throw new AiforgeError('INVALID_ARGUMENT', message);
}

function optimizerOf(schedulers: readonly LRScheduler[], name: string): Optimizer {
  const [first] = schedulers;
  return first === undefined ? refuse(`${name} needs at least one scheduler, got none.`) : first.optimizer;
}

/** What SequentialLR and ChainedScheduler share: a list of schedulers of one optimizer. */
abstract class CompositeScheduler extends LRScheduler {
  /** @internal */
  readonly schedulers: readonly LRScheduler[];

  constructor(schedulers: readonly LRScheduler[], optimizer: Optimizer) {
    super(optimizer);
    const name = this.constructor.name;
    if (schedulers.length === 0) refuse(`${name} needs at least one scheduler, got none.`);
    schedulers.forEach((scheduler, i) => {
      if (scheduler instanceof ReduceLROnPlateau) {
        refuse(`${name}: number ${i} is a ReduceLROnPlateau, whose step needs a metric; step it on its own.`);
      }
      if (scheduler.optimizer !== optimizer) {
        refuse(`${name}: number ${i}, a ${scheduler.constructor.name}, belongs to another optimizer than ${name}.`);
      }
    });
    this.schedulers = [...schedulers];
  }

  /** The state of each scheduler is part of it. */
  override stateDict(): SchedulerStateDict {
    nothing.check(`${this.constructor.name}.stateDict`, arguments);
    const own = stateOf(this, ['optimizer', 'schedulers']);
    return { ...own, _schedulers: this.schedulers.map((scheduler) => scheduler.stateDict()) };
  }

  override loadStateDict(stateDict: SchedulerStateDict): void {
    loadStateDictTakes.check(`${this.constructor.name}.loadStateDict`, arguments);
    const states: unknown = (stateDict as SchedulerStateDict | null)?._schedulers;
    if (!Array.isArray(states) || states.length !== this.schedulers.length) {
      const found = Array.isArray(states) ? states.length : 'no list';
      mismatch(this.constructor.name, `it has ${this.schedulers.length} schedulers, the state's _schedulers ${found}`);
    }
    adoptState(this, stateDict, ['_schedulers']);
    this.schedulers.forEach((scheduler, i) => scheduler.loadStateDict(states[i] as SchedulerStateDict));
  }
}

// The constructors of schedulers take a step each; here only the first of a sequence is to have taken it.
function takeBack(scheduler: LRScheduler): void {
  if (scheduler instanceof CompositeScheduler) scheduler.schedulers.forEach(takeBack);
  else --scheduler.lastEpoch;
}

const sequentialLrTakes = signature(
  { optimizer: optimizerKind, schedulers: schedulersKind, milestones: listOf(whole) },
  lrSchedulerOptions,
);

/**
 * One scheduler after the other: `schedulers[0]` until epoch `milestones[0]`, then `schedulers[1]` from its own epoch 0 on, and
 * so forth. There is one milestone less than schedulers.
 *
 * Options: {@link LRSchedulerOptions}. As `torch.optim.lr_scheduler.SequentialLR`; as there, a sequence or chain cannot follow
 * in a sequence, only come first.
 *
 * @throws AiforgeError INVALID_ARGUMENT for no schedulers, a ReduceLROnPlateau, schedulers of another optimizer, or another
 *   number of milestones.
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * const { LinearLR, CosineAnnealingLR, SequentialLR } = optim.lrScheduler;
 * const optimizer = new optim.SGD(new nn.Linear(3, 1).parameters(), { lr: 1 });
 * const warmup = new LinearLR(optimizer, { startFactor: 0.5, totalIters: 2 });
 * const scheduler = new SequentialLR(optimizer, [warmup, new CosineAnnealingLR(optimizer, 8)], [2]);
 * optimizer.step();
 * scheduler.step();
 * scheduler.getLastLr(); // [0.75]
 */
export class SequentialLR extends CompositeScheduler {
  /** The epochs at which the next scheduler takes over. */
  private readonly changes: readonly number[];

  constructor(
    optimizer: Optimizer,
    schedulers: readonly LRScheduler[],
    milestones: readonly number[],
    options: LRSchedulerOptions = {},
  ) {
    sequentialLrTakes.check(new.target.name, arguments);
    const { lastEpoch = -1 } = options;
    super(schedulers, optimizer);
    if (milestones.length !== schedulers.length - 1) {
      refuse(
        `SequentialLR needs one milestone less than schedulers, got ${milestones.length} milestones and ${schedulers.length} schedulers.`,
      );
    }
    this.changes = [...milestones];
    this.lastEpoch = lastEpoch + 1;
    scope(() =>
      noGrad(() => {
        for (const group of groupsOf(optimizer)) setRate(group, 'lr', groupValue(group, 'initialLr'));
      }),
    );
    this.schedulers.forEach(takeBack);
    const first = this.schedulers[bisectRight(this.changes, 0)]!;
    first.initialStep();
    this.lastLr = first.getLastLr();
  }

  override step(): void {
    if (arguments.length > 0) nothing.check(`${this.constructor.name}.step`, arguments);
    ++this.lastEpoch;
    const index = bisectRight(this.changes, this.lastEpoch);
    const scheduler = this.schedulers[index]!;
    if (index > 0 && this.changes[index - 1] === this.lastEpoch) scheduler.updateLr(0);
    else scheduler.step();
    this.lastLr = scheduler.getLastLr();
  }
}

export interface ChainedSchedulerOptions {
  /** Default: that of the schedulers. */
  optimizer?: Optimizer;
}

const chainedSchedulerOptions: Kinds<ChainedSchedulerOptions> = { optimizer: optimizerKind };

const chainedSchedulerTakes = signature({ schedulers: schedulersKind }, chainedSchedulerOptions);

/**
 * Several schedulers at once: each step steps all of them, and their factors come together.
 *
 * Options: {@link ChainedSchedulerOptions}. As `torch.optim.lr_scheduler.ChainedScheduler`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for no schedulers, a ReduceLROnPlateau, or schedulers of another optimizer.
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * const { ConstantLR, ExponentialLR, ChainedScheduler } = optim.lrScheduler;
 * const optimizer = new optim.SGD(new nn.Linear(3, 1).parameters(), { lr: 1 });
 * const half = new ConstantLR(optimizer, { factor: 0.5, totalIters: 4 });
 * const scheduler = new ChainedScheduler([half, new ExponentialLR(optimizer, 0.5)]);
 * optimizer.step();
 * scheduler.step();
 * scheduler.getLastLr(); // [0.25]
 */
export class ChainedScheduler extends CompositeScheduler {
  constructor(schedulers: readonly LRScheduler[], options: ChainedSchedulerOptions = {}) {
    chainedSchedulerTakes.check(new.target.name, arguments);
    const { optimizer } = options;
    super(schedulers, optimizer ?? optimizerOf(schedulers, 'ChainedScheduler'));
    this.noteLastLr();
  }

  override step(): void {
    if (arguments.length > 0) nothing.check(`${this.constructor.name}.step`, arguments);
    for (const scheduler of this.schedulers) scheduler.step();
    this.noteLastLr();
  }
}
