import { AiforgeError } from '../../errors.js';
import { number, whole, type Kinds } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { optimizerKind } from '../kinds.js';
import type { Optimizer } from '../optimizer.js';
import { divide } from './cMath.js';
import { LRScheduler, lrSchedulerOptions, type LRSchedulerOptions } from './lrScheduler.js';
import { groupsOf, ratesOf, times, type Rate } from './rates.js';

function checkFactor(name: string, factor: number, isAboveZero: boolean): void {
  if (factor <= 1 && (isAboveZero ? factor > 0 : factor >= 0)) return;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `${name}: expected a number ${isAboveZero ? 'above 0 and up to' : 'from 0 to'} 1, got ${show(factor)}.`,
  );
}

export interface ConstantLROptions extends LRSchedulerOptions {
  /** What the rate is multiplied by at first, from 0 to 1. Default: 1/3. */
  factor?: number;
  /** Epochs until the rate is the initial one. Default: 5. */
  totalIters?: number;
}

const constantLrOptions: Kinds<ConstantLROptions> = { factor: number, totalIters: whole, ...lrSchedulerOptions };

const constantLrTakes = signature({ optimizer: optimizerKind }, constantLrOptions);

/**
 * A fraction of the rate for the first `totalIters` epochs: `lr = initialLr · factor`, then `initialLr`.
 *
 * Options: {@link ConstantLROptions}. As `torch.optim.lr_scheduler.ConstantLR`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a factor that is not from 0 to 1.
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * const optimizer = new optim.SGD(new nn.Linear(3, 1).parameters(), { lr: 1 });
 * const scheduler = new optim.lrScheduler.ConstantLR(optimizer, { factor: 0.5, totalIters: 4 });
 * scheduler.getLastLr(); // [0.5]
 */
export class ConstantLR extends LRScheduler {
  readonly factor: number;
  readonly totalIters: number;

  constructor(optimizer: Optimizer, options: ConstantLROptions = {}) {
    constantLrTakes.check(new.target.name, arguments);
    const { factor = 1 / 3, totalIters = 5, lastEpoch } = options;
    super(optimizer);
    checkFactor('factor', factor, false);
    this.factor = factor;
    this.totalIters = totalIters;
    this.begin(lastEpoch);
  }

  override getLr(): Rate[] {
    this.warnUnlessStepping(arguments);
    const groups = groupsOf(this.optimizer);
    if (this.lastEpoch === 0) return groups.map(({ lr }) => times(lr, this.factor));
    if (this.lastEpoch !== this.totalIters) return ratesOf(this.optimizer, 'lr');
    return groups.map(({ lr }) => times(lr, divide(1, this.factor)));
  }

  protected override closedFormLr(): Rate[] {
    const factor = this.factor + (this.lastEpoch >= this.totalIters ? 1 - this.factor : 0);
    return this.baseLrs.map((baseLr) => times(baseLr, factor));
  }
}

export interface LinearLROptions extends LRSchedulerOptions {
  /** What the rate is multiplied by at first, above 0 and up to 1. Default: 1/3. */
  startFactor?: number;
  /** What the rate is multiplied by in the end, from 0 to 1. Default: 1. */
  endFactor?: number;
  /** Epochs from the one factor to the other. Default: 5. */
  totalIters?: number;
}

const linearLrOptions: Kinds<LinearLROptions> = {
  startFactor: number,
  endFactor: number,
  totalIters: whole,
  ...lrSchedulerOptions,
};

const linearLrTakes = signature({ optimizer: optimizerKind }, linearLrOptions);

/**
 * A factor that changes on a straight line:
 * `lr = initialLr · (startFactor + (endFactor − startFactor) · min(epoch, totalIters) / totalIters)`.
 *
 * Options: {@link LinearLROptions}. As `torch.optim.lr_scheduler.LinearLR`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for factors out of their ranges.
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * const optimizer = new optim.SGD(new nn.Linear(3, 1).parameters(), { lr: 1 });
 * const scheduler = new optim.lrScheduler.LinearLR(optimizer, { startFactor: 0.5, totalIters: 2 });
 * optimizer.step();
 * scheduler.step();
 * scheduler.getLastLr(); // [0.75]
 */
export class LinearLR extends LRScheduler {
  readonly startFactor: number;
  readonly endFactor: number;
  readonly totalIters: number;

  constructor(optimizer: Optimizer, options: LinearLROptions = {}) {
    linearLrTakes.check(new.target.name, arguments);
    const { startFactor = 1 / 3, endFactor = 1, totalIters = 5, lastEpoch } = options;
    super(optimizer);
    checkFactor('startFactor', startFactor, true);
    checkFactor('endFactor', endFactor, false);
    this.startFactor = startFactor;
    this.endFactor = endFactor;
    this.totalIters = totalIters;
    this.begin(lastEpoch);
  }

  override getLr(): Rate[] {
    this.warnUnlessStepping(arguments);
    const { lastEpoch, totalIters, startFactor, endFactor } = this;
    const groups = groupsOf(this.optimizer);
    if (lastEpoch === 0) return groups.map(({ lr }) => times(lr, startFactor));
    if (this.isInitial || lastEpoch > totalIters) return ratesOf(this.optimizer, 'lr');
    const change = endFactor - startFactor;
    const factor = 1 + divide(change, totalIters * startFactor + (lastEpoch - 1) * change);
    return groups.map(({ lr }) => times(lr, factor));
  }

  protected override closedFormLr(): Rate[] {
    const { lastEpoch, totalIters, startFactor, endFactor } = this;
    const gone = divide((endFactor - startFactor) * Math.min(totalIters, lastEpoch), totalIters);
    return this.baseLrs.map((baseLr) => times(baseLr, startFactor + gone));
  }
}
