import { AiforgeError } from '../../errors.js';
import { either, kind, number, oneOf, optional, type Kinds } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { optimizerKind } from '../kinds.js';
import { noGrad } from '../../autograd/modes.js';
import { scope } from '../../tensor/memory/scope.js';
import { tensorKind } from '../../tensor/kinds.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Optimizer } from '../optimizer.js';
import { LRScheduler } from './lrScheduler.js';
import { checkLength, groupsOf, setRate, toNumber } from './rates.js';
import { perGroupKind } from './kinds.js';

export interface ReduceLROnPlateauOptions {
  /** Whether less of the metric is better, or more. Default: 'min'. */
  mode?: 'min' | 'max';
  /** What the rate is multiplied by, below 1. Default: 0.1. */
  factor?: number;
  /** Epochs without a better metric that are let pass. Default: 10. */
  patience?: number;
  /** By how much a metric must be better to count. Default: 1e-4. */
  threshold?: number;
  /** Whether `threshold` is a share of the best metric, or in its unit. Default: 'rel'. */
  thresholdMode?: 'rel' | 'abs';
  /** Epochs after a reduction in which none counts as bad. Default: 0. */
  cooldown?: number;
  /** The least rate, or one for each group. Default: 0. */
  minLr?: number | readonly number[];
  /** A reduction by no more than this is not made. Default: 1e-8. */
  eps?: number;
}

// NaN, too, is a metric that is no better.
const metricKind = either(
  kind<number>('a number', (value) => typeof value === 'number'),
  tensorKind,
);

const plateauStepTakes = signature({ metric: metricKind, epoch: optional(number) });

const plateauOptions: Kinds<ReduceLROnPlateauOptions> = {
  mode: oneOf('min', 'max'),
  factor: number,
  patience: number,
  threshold: number,
  thresholdMode: oneOf('rel', 'abs'),
  cooldown: number,
  minLr: perGroupKind,
  eps: number,
};

const plateauTakes = signature({ optimizer: optimizerKind }, plateauOptions);

/**
 * Reduces the rate when a metric has stopped getting better: `lr ← max(lr · factor, minLr)` after more than `patience` epochs
 * without a best one. Its `step(metric)` takes the metric, once an epoch.
 *
 * Options: {@link ReduceLROnPlateauOptions}. As `torch.optim.lr_scheduler.ReduceLROnPlateau`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a factor from 1, an unknown mode, or a list `minLr` of another length than the
 *   groups.
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * const optimizer = new optim.SGD(new nn.Linear(3, 1).parameters(), { lr: 1 });
 * const scheduler = new optim.lrScheduler.ReduceLROnPlateau(optimizer, { factor: 0.5, patience: 1 });
 * for (const loss of [0.5, 0.6, 0.7]) scheduler.step(loss);
 * scheduler.getLastLr(); // [0.5]
 */
export class ReduceLROnPlateau extends LRScheduler {
  readonly factor: number;
  readonly defaultMinLr: number | null;
  minLrs: number[];
  readonly patience: number;
  readonly cooldown: number;
  readonly eps: number;
  readonly modeWorse: number;
  readonly mode: 'min' | 'max';
  readonly threshold: number;
  readonly thresholdMode: 'rel' | 'abs';
  /** The best metric so far. */
  best: number;
  cooldownCounter = 0;
  /** Epochs since the best metric. */
  numBadEpochs = 0;

  constructor(optimizer: Optimizer, options: ReduceLROnPlateauOptions = {}) {
    plateauTakes.check(new.target.name, arguments);
    const { mode = 'min', factor = 0.1, patience = 10, threshold = 1e-4, thresholdMode = 'rel' } = options;
    const { cooldown = 0, minLr = 0, eps = 1e-8 } = options;
    super(optimizer);
    if (!(factor < 1)) throw new AiforgeError('INVALID_ARGUMENT', `factor: expected less than 1, got ${show(factor)}.`);
    this.factor = factor;
    const groups = optimizer.paramGroups.length;
    this.defaultMinLr = typeof minLr === 'number' ? minLr : null;
    this.minLrs = typeof minLr === 'number' ? Array<number>(groups).fill(minLr) : [...minLr];
    checkLength('minLr', this.minLrs.length, groups);
    this.patience = patience;
    this.cooldown = cooldown;
    this.eps = eps;
    this.mode = mode;
    this.thresholdMode = thresholdMode;
    this.threshold = threshold;
    this.modeWorse = mode === 'min' ? Infinity : -Infinity;
    this.best = this.modeWorse;
    this.lastEpoch = 0;
    this.noteLastLr();
  }

  /** Whether epochs still do not count as bad after a reduction. */
  get inCooldown(): boolean {
    return this.cooldownCounter > 0;
  }

  /** Takes the metric of the epoch that ended, a number or a tensor of one element. */
  override step(metric?: number | Tensor, epoch?: number): void {
    plateauStepTakes.check(`${this.constructor.name}.step`, arguments);
    const current = toNumber(metric!);
    if (epoch !== undefined) this.warnOfEpoch();
    this.lastEpoch = epoch ?? this.lastEpoch + 1;
    this.#judge(current);
    if (this.numBadEpochs > this.patience) {
      scope(() => noGrad(() => this.#reduce()));
      this.cooldownCounter = this.cooldown;
      this.numBadEpochs = 0;
    }
    this.noteLastLr();
  }

  #judge(metric: number): void {
    if (this.#isBetter(metric)) {
      this.best = metric;
      this.numBadEpochs = 0;
    } else {
      ++this.numBadEpochs;
    }
    if (!this.inCooldown) return;
    --this.cooldownCounter;
    this.numBadEpochs = 0;
  }

  #isBetter(metric: number): boolean {
    const { best, threshold } = this;
    if (this.mode === 'min') return metric < (this.thresholdMode === 'rel' ? best * (1 - threshold) : best - threshold);
    return metric > (this.thresholdMode === 'rel' ? best * (threshold + 1) : best + threshold);
  }

  #reduce(): void {
    const groups = groupsOf(this.optimizer);
    if (this.minLrs.length !== groups.length) {
      if (this.defaultMinLr === null) checkLength('minLrs', this.minLrs.length, groups.length);
      this.minLrs = Array<number>(groups.length).fill(this.defaultMinLr ?? 0);
    }
    groups.forEach((group, i) => {
      const present = toNumber(group.lr);
      const reduced = Math.max(present * this.factor, this.minLrs[i]!);
      if (present - reduced > this.eps) setRate(group, 'lr', reduced);
    });
  }
}
