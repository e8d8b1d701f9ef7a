import { number, whole, type Kinds } from '../../kinds.js';
import { signature } from '../../signature.js';
import { optimizerKind } from '../kinds.js';
import { Counter } from '../../counter.js';
import type { Optimizer } from '../optimizer.js';
import { bisectRight, divide, pow } from './cMath.js';
import { LRScheduler, lrSchedulerOptions, type LRSchedulerOptions } from './lrScheduler.js';
import { groupsOf, ratesOf, times, type Rate } from './rates.js';
import { listed } from './kinds.js';

export interface StepLROptions extends LRSchedulerOptions {
  /** The factor of each decay. Default: 0.1. */
  gamma?: number;
}

const stepLrOptions: Kinds<StepLROptions> = { gamma: number, ...lrSchedulerOptions };

const stepLrTakes = signature({ optimizer: optimizerKind, stepSize: whole }, stepLrOptions);

/**
 * Decays the rate every `stepSize` epochs: `lr ← lr · gamma`.
 *
 * Options: {@link StepLROptions}. As `torch.optim.lr_scheduler.StepLR`.
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * const optimizer = new optim.SGD(new nn.Linear(3, 1).parameters(), { lr: 1 });
 * const scheduler = new optim.lrScheduler.StepLR(optimizer, 2, { gamma: 0.5 });
 * for (let epoch = 0; epoch < 5; ++epoch) {
 *   optimizer.step();
 *   scheduler.step();
 * }
 * scheduler.getLastLr(); // [0.25]
 */
export class StepLR extends LRScheduler {
  readonly stepSize: number;
  readonly gamma: number;

  constructor(optimizer: Optimizer, stepSize: number, options: StepLROptions = {}) {
    stepLrTakes.check(new.target.name, arguments);
    const { gamma = 0.1, lastEpoch } = options;
    super(optimizer);
    this.stepSize = stepSize;
    this.gamma = gamma;
    this.begin(lastEpoch);
  }

  override getLr(): Rate[] {
    this.warnUnlessStepping(arguments);
    const { lastEpoch, stepSize } = this;
    if (lastEpoch === 0 || !Number.isInteger(divide(lastEpoch, stepSize))) return ratesOf(this.optimizer, 'lr');
    return groupsOf(this.optimizer).map(({ lr }) => times(lr, this.gamma));
  }

  protected override closedFormLr(): Rate[] {
    const factor = pow(this.gamma, Math.floor(divide(this.lastEpoch, this.stepSize)));
    return this.baseLrs.map((baseLr) => times(baseLr, factor));
  }
}

const multiStepLrTakes = signature({ optimizer: optimizerKind, milestones: listed }, stepLrOptions);

/**
 * Decays the rate at each of the `milestones`: `lr ← lr · gamma`, as often as the epoch is among them.
 *
 * Options: {@link StepLROptions}. As `torch.optim.lr_scheduler.MultiStepLR`.
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * const optimizer = new optim.SGD(new nn.Linear(3, 1).parameters(), { lr: 1 });
 * const scheduler = new optim.lrScheduler.MultiStepLR(optimizer, [2, 3], { gamma: 0.5 });
 * for (let epoch = 0; epoch < 5; ++epoch) {
 *   optimizer.step();
 *   scheduler.step();
 * }
 * scheduler.getLastLr(); // [0.25]
 */
export class MultiStepLR extends LRScheduler {
  /** How often each milestone was given. */
  readonly milestones: Counter;
  readonly gamma: number;

  constructor(optimizer: Optimizer, milestones: Iterable<number>, options: StepLROptions = {}) {
    multiStepLrTakes.check(new.target.name, arguments);
    const { gamma = 0.1, lastEpoch } = options;
    super(optimizer);
    this.milestones = Counter.of(milestones);
    this.gamma = gamma;
    this.begin(lastEpoch);
  }

  override getLr(): Rate[] {
    this.warnUnlessStepping(arguments);
    const count = this.milestones.get(this.lastEpoch);
    if (count === undefined) return ratesOf(this.optimizer, 'lr');
    const factor = pow(this.gamma, count);
    return groupsOf(this.optimizer).map(({ lr }) => times(lr, factor));
  }

  protected override closedFormLr(): Rate[] {
    const factor = pow(this.gamma, bisectRight(this.milestones.ascending(), this.lastEpoch));
    return this.baseLrs.map((baseLr) => times(baseLr, factor));
  }
}

const exponentialLrTakes = signature({ optimizer: optimizerKind, gamma: number }, lrSchedulerOptions);

/**
 * Decays the rate every epoch: `lr ← lr · gamma`.
 *
 * Options: {@link LRSchedulerOptions}. As `torch.optim.lr_scheduler.ExponentialLR`.
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * const optimizer = new optim.SGD(new nn.Linear(3, 1).parameters(), { lr: 1 });
 * const scheduler = new optim.lrScheduler.ExponentialLR(optimizer, 0.5);
 * optimizer.step();
 * scheduler.step();
 * scheduler.getLastLr(); // [0.5]
 */
export class ExponentialLR extends LRScheduler {
  readonly gamma: number;

  constructor(optimizer: Optimizer, gamma: number, options: LRSchedulerOptions = {}) {
    exponentialLrTakes.check(new.target.name, arguments);
    const { lastEpoch } = options;
    super(optimizer);
    this.gamma = gamma;
    this.begin(lastEpoch);
  }

  override getLr(): Rate[] {
    this.warnUnlessStepping(arguments);
    if (this.isInitial) return ratesOf(this.optimizer, 'lr');
    return groupsOf(this.optimizer).map(({ lr }) => times(lr, this.gamma));
  }

  protected override closedFormLr(): Rate[] {
    const factor = pow(this.gamma, this.lastEpoch);
    return this.baseLrs.map((baseLr) => times(baseLr, factor));
  }
}

export interface PolynomialLROptions extends LRSchedulerOptions {
  /** Epochs until the rate is 0. Default: 5. */
  totalIters?: number;
  /** The power of the polynomial. Default: 1, a straight line. */
  power?: number;
}

const polynomialLrOptions: Kinds<PolynomialLROptions> = { totalIters: whole, power: number, ...lrSchedulerOptions };

const polynomialLrTakes = signature({ optimizer: optimizerKind }, polynomialLrOptions);

/**
 * Decays the rate to 0 over `totalIters` epochs: `lr = initialLr · (1 − epoch / totalIters)^power`.
 *
 * Options: {@link PolynomialLROptions}. As `torch.optim.lr_scheduler.PolynomialLR`.
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * const optimizer = new optim.SGD(new nn.Linear(3, 1).parameters(), { lr: 1 });
 * const scheduler = new optim.lrScheduler.PolynomialLR(optimizer, { totalIters: 2, power: 2 });
 * optimizer.step();
 * scheduler.step();
 * scheduler.getLastLr(); // [0.25]
 */
export class PolynomialLR extends LRScheduler {
  readonly totalIters: number;
  readonly power: number;

  constructor(optimizer: Optimizer, options: PolynomialLROptions = {}) {
    polynomialLrTakes.check(new.target.name, arguments);
    const { totalIters = 5, power = 1, lastEpoch } = options;
    super(optimizer);
    this.totalIters = totalIters;
    this.power = power;
    this.begin(lastEpoch);
  }

  override getLr(): Rate[] {
    this.warnUnlessStepping(arguments);
    const { lastEpoch, totalIters } = this;
    if (this.isInitial || lastEpoch > totalIters) return ratesOf(this.optimizer, 'lr');
    const decay = divide(1 - divide(lastEpoch, totalIters), 1 - (lastEpoch - 1) / totalIters);
    const factor = pow(decay, this.power);
    return groupsOf(this.optimizer).map(({ lr }) => times(lr, factor));
  }

  protected override closedFormLr(): Rate[] {
    const { lastEpoch, totalIters } = this;
    const factor = pow(1 - divide(Math.min(totalIters, lastEpoch), totalIters), this.power);
    return this.baseLrs.map((baseLr) => times(baseLr, factor));
  }
}
