import { AiforgeError } from '../../errors.js';
import { count, number, type Kinds } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { optimizerKind } from '../kinds.js';
import type { Optimizer } from '../optimizer.js';
import { cos, divide, log, pow } from './cMath.js';
import { LRScheduler, lrSchedulerOptions, stepTakes, type LRSchedulerOptions } from './lrScheduler.js';
import { checkLength, groupsOf, minus, over, plus, ratesOf, times, type Rate } from './rates.js';

export interface CosineAnnealingLROptions extends LRSchedulerOptions {
  /** The least rate. Default: 0. */
  etaMin?: number;
}

const cosineAnnealingLrOptions: Kinds<CosineAnnealingLROptions> = { etaMin: number, ...lrSchedulerOptions };

/** The rate between the initial one and the least, where a cosine stands: `etaMin + (initialLr − etaMin)(1 + cosine) / 2`. */
const between = (etaMin: number, baseLr: Rate, cosine: number): Rate =>
  plus(etaMin, over(times(minus(baseLr, etaMin), 1 + cosine), 2));

const cosineAnnealingLrTakes = signature({ optimizer: optimizerKind, tMax: number }, cosineAnnealingLrOptions);

/**
 * From the initial rate to `etaMin` within `tMax` epochs on half a wave of the cosine, and back if it goes on:
 * `lr = etaMin + (initialLr − etaMin) · (1 + cos(π · epoch / tMax)) / 2`, computed from the rate before it, so that other
 * schedules may act on the same groups.
 *
 * Options: {@link CosineAnnealingLROptions}. As `torch.optim.lr_scheduler.CosineAnnealingLR`.
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * const optimizer = new optim.SGD(new nn.Linear(3, 1).parameters(), { lr: 1 });
 * const scheduler = new optim.lrScheduler.CosineAnnealingLR(optimizer, 10, { etaMin: 0.1 });
 * for (let epoch = 0; epoch < 10; ++epoch) {
 *   optimizer.step();
 *   scheduler.step();
 * }
 * scheduler.getLastLr(); // [0.1]
 */
export class CosineAnnealingLR extends LRScheduler {
  readonly tMax: number;
  readonly etaMin: number;

  constructor(optimizer: Optimizer, tMax: number, options: CosineAnnealingLROptions = {}) {
    cosineAnnealingLrTakes.check(new.target.name, arguments);
    const { etaMin = 0, lastEpoch } = options;
    super(optimizer);
    this.tMax = tMax;
    this.etaMin = etaMin;
    this.begin(lastEpoch);
  }

  override getLr(): Rate[] {
    this.warnUnlessStepping(arguments);
    if (this.isInitial) return ratesOf(this.optimizer, 'lr');
    const { lastEpoch, tMax, etaMin } = this;
    if (this.stepCount === 1 && lastEpoch > 0) {
      const cosine = cos(divide(lastEpoch * Math.PI, tMax));
      return this.baseLrs.map((baseLr) => between(etaMin, baseLr, cosine));
    }
    if ((lastEpoch - 1 - tMax) % (2 * tMax) === 0) return this.#afterTheLeast();
    const present = 1 + cos(divide(Math.PI * lastEpoch, tMax));
    const before = 1 + cos((Math.PI * (lastEpoch - 1)) / tMax);
    const factor = divide(present, before);
    return groupsOf(this.optimizer).map(({ lr }) => plus(times(factor, minus(lr, etaMin)), etaMin));
  }

  // The rate before was etaMin, from which no factor leads away.
  #afterTheLeast(): Rate[] {
    const groups = groupsOf(this.optimizer);
    checkLength('learning rates', this.baseLrs.length, groups.length);
    const rise = 1 - cos(Math.PI / this.tMax);
    return groups.map(({ lr }, i) => plus(lr, over(times(minus(this.baseLrs[i]!, this.etaMin), rise), 2)));
  }

  protected override closedFormLr(): Rate[] {
    const cosine = cos(divide(Math.PI * this.lastEpoch, this.tMax));
    return this.baseLrs.map((baseLr) => between(this.etaMin, baseLr, cosine));
  }
}

export interface CosineAnnealingWarmRestartsOptions extends CosineAnnealingLROptions {
  /** What the number of epochs between restarts is multiplied by at each, 1 or more. Default: 1. */
  tMult?: number;
}

const warmRestartsOptions: Kinds<CosineAnnealingWarmRestartsOptions> = {
  tMult: count,
  etaMin: number,
  ...lrSchedulerOptions,
};

const warmRestartsTakes = signature({ optimizer: optimizerKind, t0: count }, warmRestartsOptions);

/**
 * From the initial rate to `etaMin` on half a wave of the cosine, again and again: `t0` epochs the first time, then each time
 * `tMult` times as many: `lr = etaMin + (initialLr − etaMin) · (1 + cos(π · tCur / tI)) / 2`.
 *
 * `step(epoch)` takes fractions of epochs as well, to be called after each batch. Options:
 * {@link CosineAnnealingWarmRestartsOptions}. As `torch.optim.lr_scheduler.CosineAnnealingWarmRestarts`.
 *
 * @throws AiforgeError INVALID_ARGUMENT when `t0` or `tMult` is no whole number from 1, `etaMin` is no number, or an epoch is
 *   negative.
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * const optimizer = new optim.SGD(new nn.Linear(3, 1).parameters(), { lr: 1 });
 * const scheduler = new optim.lrScheduler.CosineAnnealingWarmRestarts(optimizer, 4, { tMult: 2 });
 * for (let epoch = 0; epoch < 4; ++epoch) {
 *   optimizer.step();
 *   scheduler.step();
 * }
 * scheduler.getLastLr(); // [1]
 */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  readonly t0: number;
  readonly tMult: number;
  readonly etaMin: number;
  /** Epochs from the last restart to the next, and those of them that are gone. */
  tI: number;
  tCur: number;

  constructor(optimizer: Optimizer, t0: number, options: CosineAnnealingWarmRestartsOptions = {}) {
    warmRestartsTakes.check(new.target.name, arguments);
    const { tMult = 1, etaMin = 0, lastEpoch = -1 } = options;
    super(optimizer);
    this.t0 = t0;
    this.tI = t0;
    this.tMult = tMult;
    this.etaMin = etaMin;
    this.tCur = lastEpoch;
    this.begin(lastEpoch);
  }

  override getLr(): Rate[] {
    this.warnUnlessStepping(arguments);
    const cosine = cos((Math.PI * this.tCur) / this.tI);
    return this.baseLrs.map((baseLr) => between(this.etaMin, baseLr, cosine));
  }

  /** Goes on to the next epoch, or to a given one, which may be a fraction: `epoch + batch / batches`. */
  override step(epoch?: number): void {
    if (arguments.length > 0) stepTakes.check(`${this.constructor.name}.step`, arguments);
    const given = epoch ?? (this.lastEpoch < 0 ? 0 : undefined);
    if (given === undefined) this.#goOn();
    else this.#goTo(given);
    this.lastEpoch = given === undefined ? this.lastEpoch + 1 : Math.floor(given);
    this.apply(() => this.getLr());
  }

  #goOn(): void {
    ++this.tCur;
    if (this.tCur < this.tI) return;
    this.tCur %= this.tI;
    this.tI *= this.tMult;
  }

  #goTo(epoch: number): void {
    if (epoch < 0) throw new AiforgeError('INVALID_ARGUMENT', `epoch: expected 0 or more, got ${show(epoch)}.`);
    const { t0, tMult } = this;
    if (epoch < t0) {
      this.tI = t0;
      this.tCur = epoch;
    } else if (tMult === 1) {
      this.tCur = epoch % t0;
    } else {
      const restarts = Math.trunc(log((epoch / t0) * (tMult - 1) + 1) / log(tMult));
      const growth = pow(tMult, restarts);
      this.tCur = epoch - (t0 * (growth - 1)) / (tMult - 1);
      this.tI = t0 * growth;
    }
  }
}
