import { boolean, number, oneOf, type Kinds } from '../../kinds.js';
import { signature, nothing } from '../../signature.js';
import { optimizerKind } from '../kinds.js';
import type { Optimizer } from '../optimizer.js';
import { divide, pow } from './cMath.js';
import { LRScheduler, lrSchedulerOptions, type LRSchedulerOptions, loadStateDictTakes } from './lrScheduler.js';
import { cycledMomenta, setMomentum, usesBeta1 } from './momentum.js';
import { checkLength, groupsOf, minus, perGroup, plus, setRate, times, type Rate } from './rates.js';
import {
  adoptScheduleState,
  adoptState,
  callSchedule,
  scheduleState,
  stateOf,
  type Schedule,
  type SchedulerStateDict,
} from './state.js';
import { ratesKind, perGroupKind, scheduleKind } from './kinds.js';

export interface CyclicLROptions extends LRSchedulerOptions {
  /** Steps from the lower rate to the upper. Default: 2000. */
  stepSizeUp?: number;
  /** Steps from the upper rate to the lower. Default: `stepSizeUp`. */
  stepSizeDown?: number;
  /**
   * How the height of the cycles changes: `triangular` keeps it, `triangular2` halves it after each, `exp_range` has it
   * `gamma^step` of the first. Without effect where `scaleFn` is given. Default: 'triangular'.
   */
  mode?: 'triangular' | 'triangular2' | 'exp_range';
  /** The base of `exp_range`. Default: 1. */
  gamma?: number;
  /** The height of a cycle, 1 for that between the rates, by its number from 1 or by the step from 0. Default: by `mode`. */
  scaleFn?: Schedule;
  /** What `scaleFn` is called with: the `cycle` or the `iterations`. Default: 'cycle'. */
  scaleMode?: 'cycle' | 'iterations';
  /** Moves the momentum, or the first beta, against the rate. Default: true. */
  cycleMomentum?: boolean;
  /** The momentum at the upper rate, or one for each group. Default: 0.8. */
  baseMomentum?: number | readonly number[];
  /** The momentum at the lower rate, or one for each group. Default: 0.9. */
  maxMomentum?: number | readonly number[];
}

const cyclicLrOptions: Kinds<CyclicLROptions> = {
  stepSizeUp: number,
  stepSizeDown: number,
  mode: oneOf('triangular', 'triangular2', 'exp_range'),
  gamma: number,
  scaleFn: scheduleKind,
  scaleMode: oneOf('cycle', 'iterations'),
  cycleMomentum: boolean,
  baseMomentum: perGroupKind,
  maxMomentum: perGroupKind,
  ...lrSchedulerOptions,
};

const scaleFnTakes = signature({ index: number });

const cyclicLrTakes = signature({ optimizer: optimizerKind, baseLr: ratesKind, maxLr: ratesKind }, cyclicLrOptions);

/**
 * Up and down between two rates on straight lines: `lr = baseLr + (maxLr − baseLr) · height · scale`, where `height` rises from
 * 0 to 1 in `stepSizeUp` steps and falls in `stepSizeDown`. Call `step()` after each batch.
 *
 * `baseLr` and `maxLr` are a rate or one for each group. Options: {@link CyclicLROptions}. As
 * `torch.optim.lr_scheduler.CyclicLR`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an unknown mode, lists of another length than the groups, or a `cycleMomentum` that
 *   the optimizer has no momentum for.
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * const optimizer = new optim.SGD(new nn.Linear(3, 1).parameters(), { lr: 1, momentum: 0.9 });
 * const scheduler = new optim.lrScheduler.CyclicLR(optimizer, 0.25, 0.75, { stepSizeUp: 2 });
 * optimizer.step();
 * scheduler.step();
 * scheduler.getLastLr(); // [0.5]
 */
export class CyclicLR extends LRScheduler {
  readonly maxLrs: readonly Rate[];
  readonly totalSize: number;
  readonly stepRatio: number;
  readonly mode: string;
  readonly gamma: number;
  readonly scaleMode: string;
  readonly cycleMomentum: boolean;
  declare protected readonly useBeta1: boolean;
  declare protected readonly baseMomentums: readonly number[];
  declare protected readonly maxMomentums: readonly number[];
  private readonly customScale: Schedule | null;

  constructor(
    optimizer: Optimizer,
    baseLr: Rate | readonly Rate[],
    maxLr: Rate | readonly Rate[],
    options: CyclicLROptions = {},
  ) {
    cyclicLrTakes.check(new.target.name, arguments);
    const { stepSizeUp = 2000, stepSizeDown = stepSizeUp, mode = 'triangular', gamma = 1, scaleFn } = options;
    const { scaleMode = 'cycle', cycleMomentum = true, baseMomentum = 0.8, maxMomentum = 0.9 } = options;
    const { lastEpoch = -1 } = options;
    super(optimizer);
    const baseLrs = perGroup('baseLr', optimizer, baseLr);
    if (lastEpoch === -1) groupsOf(optimizer).forEach((group, i) => setRate(group, 'lr', baseLrs[i]!));
    this.maxLrs = perGroup('maxLr', optimizer, maxLr);
    this.totalSize = stepSizeUp + stepSizeDown;
    this.stepRatio = divide(stepSizeUp, this.totalSize);
    this.mode = mode;
    this.gamma = gamma;
    this.customScale = scaleFn ?? null;
    this.scaleMode = scaleFn === undefined ? (mode === 'exp_range' ? 'iterations' : 'cycle') : scaleMode;
    this.cycleMomentum = cycleMomentum;
    if (cycleMomentum) {
      this.useBeta1 = usesBeta1(optimizer);
      const bounds = { base: baseMomentum, max: maxMomentum };
      Object.assign(this, cycledMomenta(optimizer, bounds, this.useBeta1, lastEpoch === -1));
    }
    this.begin(lastEpoch);
    this.baseLrs = baseLrs;
  }

  /** The height of a cycle, by its number or by the step. */
  scaleFn(index: number): number {
    scaleFnTakes.check('scaleFn', arguments);
    if (this.customScale !== null) return callSchedule(this.customScale, index);
    if (this.mode === 'triangular') return 1;
    return this.mode === 'triangular2' ? 1 / pow(2, index - 1) : pow(this.gamma, index);
  }

  override getLr(): Rate[] {
    this.warnUnlessStepping(arguments);
    const gone = this.lastEpoch / this.totalSize;
    const cycle = Math.floor(1 + gone);
    const x = 1 + gone - cycle;
    const height = x <= this.stepRatio ? divide(x, this.stepRatio) : divide(x - 1, this.stepRatio - 1);
    const index = this.scaleMode === 'cycle' ? cycle : this.lastEpoch;
    // For each value anew: a function may count its calls.
    const rates = this.baseLrs.map((baseLr, i) =>
      plus(baseLr, times(times(minus(this.maxLrs[i]!, baseLr), height), this.scaleFn(index))),
    );
    if (this.cycleMomentum) this.#moveMomenta(height, index);
    return rates;
  }

  #moveMomenta(height: number, index: number): void {
    const groups = groupsOf(this.optimizer);
    checkLength('momenta', this.maxMomentums.length, groups.length);
    groups.forEach((group, i) => {
      const [base, max] = [this.baseMomentums[i]!, this.maxMomentums[i]!];
      setMomentum(group, max - (max - base) * height * this.scaleFn(index), this.useBeta1);
    });
  }

  /** An object given as `scaleFn` is saved by its properties, a function not at all. */
  override stateDict(): SchedulerStateDict {
    nothing.check(`${this.constructor.name}.stateDict`, arguments);
    return { ...stateOf(this, ['optimizer', 'customScale']), _scale_fn_custom: scheduleState(this.customScale) };
  }

  override loadStateDict(stateDict: SchedulerStateDict): void {
    loadStateDictTakes.check(`${this.constructor.name}.loadStateDict`, arguments);
    adoptState(this, stateDict, ['_scale_fn_custom']);
    adoptScheduleState(this.customScale, stateDict._scale_fn_custom as object | null | undefined);
  }
}
