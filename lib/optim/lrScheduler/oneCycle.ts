import { AiforgeError } from '../../errors.js';
import { boolean, number, count, fraction, oneOf, type Kinds } from '../../kinds.js';
import { signature } from '../../signature.js';
import { optimizerKind } from '../kinds.js';
import { camelCase } from '../../tensor/calls/schema.js';
import type { Optimizer } from '../optimizer.js';
import { cos, divide } from './cMath.js';
import { LRScheduler, lrSchedulerOptions, type LRSchedulerOptions } from './lrScheduler.js';
import { cycledMomenta, setMomentum, usesBeta1 } from './momentum.js';
import { groupsOf, groupValue, minus, over, perGroup, plus, times, type Rate, type ScheduledGroup } from './rates.js';
import { ratesKind, perGroupKind } from './kinds.js';

export interface OneCycleLROptions extends LRSchedulerOptions {
  /** The steps of the cycle, a whole number from 1. Default: `epochs · stepsPerEpoch`, which must both be given then. */
  totalSteps?: number;
  /** The epochs of the training. */
  epochs?: number;
  /** The steps of an epoch. */
  stepsPerEpoch?: number;
  /** The share of the steps in which the rate rises, from 0 to 1. Default: 0.3. */
  pctStart?: number;
  /** The form of the way up and down: `cos` or `linear`. Default: 'cos'. */
  annealStrategy?: 'cos' | 'linear';
  /** Moves the momentum, or the first beta, against the rate. Default: true. */
  cycleMomentum?: boolean;
  /** The momentum at the greatest rate, or one for each group. Default: 0.85. */
  baseMomentum?: number | readonly number[];
  /** The momentum at the start and at the end, or one for each group. Default: 0.95. */
  maxMomentum?: number | readonly number[];
  /** The greatest rate over the first. Default: 25. */
  divFactor?: number;
  /** The first rate over the last. Default: 10,000. */
  finalDivFactor?: number;
  /** Falls in as many steps as it rose to the first rate, and only then to the last. Default: false. */
  threePhase?: boolean;
}

const oneCycleLrOptions: Kinds<OneCycleLROptions> = {
  totalSteps: count,
  epochs: count,
  stepsPerEpoch: count,
  pctStart: fraction,
  annealStrategy: oneOf('cos', 'linear'),
  cycleMomentum: boolean,
  baseMomentum: perGroupKind,
  maxMomentum: perGroupKind,
  divFactor: number,
  finalDivFactor: number,
  threePhase: boolean,
  ...lrSchedulerOptions,
};

// As state dicts have it: the values name what a parameter group holds.
interface Phase {
  end_step: number;
  start_lr: 'initial_lr' | 'max_lr';
  end_lr: 'initial_lr' | 'max_lr' | 'min_lr';
  start_momentum: 'base_momentum' | 'max_momentum';
  end_momentum: 'base_momentum' | 'max_momentum';
}

const rise = {
  start_lr: 'initial_lr',
  end_lr: 'max_lr',
  start_momentum: 'max_momentum',
  end_momentum: 'base_momentum',
};
const fall = {
  start_lr: 'max_lr',
  end_lr: 'initial_lr',
  start_momentum: 'base_momentum',
  end_momentum: 'max_momentum',
};
const end = { start_lr: 'initial_lr', end_lr: 'min_lr', start_momentum: 'max_momentum', end_momentum: 'max_momentum' };

function phasesOf(steps: number, pctStart: number, threePhase: boolean): Phase[] {
  const top = pctStart * steps - 1;
  const phases = threePhase
    ? [
        { end_step: top, ...rise },
        { end_step: 2 * pctStart * steps - 2, ...fall },
        { end_step: steps - 1, ...end },
      ]
    : [
        { end_step: top, ...rise },
        { end_step: steps - 1, ...fall, end_lr: 'min_lr' },
      ];
  return phases as Phase[];
}

function refuse(message: string): never {
  throw new AiforgeError('INVALID_ARGUMENT', message);
}

function stepsOf({ totalSteps, epochs, stepsPerEpoch }: OneCycleLROptions): number {
  if (totalSteps !== undefined) return totalSteps;
  if (epochs !== undefined && stepsPerEpoch !== undefined) return epochs * stepsPerEpoch;
  return refuse('OneCycleLR needs totalSteps, or both epochs and stepsPerEpoch.');
}

const oneCycleLrTakes = signature({ optimizer: optimizerKind, maxLr: ratesKind }, oneCycleLrOptions);

/**
 * One cycle: from `maxLr / divFactor` up to `maxLr` in the first `pctStart` of the steps, and down to
 * `maxLr / (divFactor · finalDivFactor)`; the momentum goes the other way. Call `step()` after each batch.
 *
 * `maxLr` is a rate or one for each group. Options: {@link OneCycleLROptions}. As `torch.optim.lr_scheduler.OneCycleLR`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for options out of their ranges, lists of another length than the groups, a
 *   `cycleMomentum` that the optimizer has no momentum for, and a step beyond the last.
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * const optimizer = new optim.SGD(new nn.Linear(3, 1).parameters(), { lr: 1, momentum: 0.9 });
 * const scheduler = new optim.lrScheduler.OneCycleLR(optimizer, 1, { totalSteps: 10, pctStart: 0.5 });
 * for (let step = 0; step < 4; ++step) {
 *   optimizer.step();
 *   scheduler.step();
 * }
 * scheduler.getLastLr(); // [1]
 */
export class OneCycleLR extends LRScheduler {
  readonly totalSteps: number;
  private readonly schedulePhases: readonly Phase[];
  private readonly annealFuncType: string;
  readonly cycleMomentum: boolean;
  declare protected readonly useBeta1: boolean;

  constructor(optimizer: Optimizer, maxLr: Rate | readonly Rate[], options: OneCycleLROptions = {}) {
    oneCycleLrTakes.check(new.target.name, arguments);
    const { pctStart = 0.3, annealStrategy = 'cos', cycleMomentum = true, lastEpoch = -1 } = options;
    const { baseMomentum = 0.85, maxMomentum = 0.95, divFactor = 25, finalDivFactor = 1e4 } = options;
    super(optimizer);
    this.totalSteps = stepsOf(options);
    this.schedulePhases = phasesOf(this.totalSteps, pctStart, options.threePhase ?? false);
    this.annealFuncType = annealStrategy;
    const maxLrs = perGroup('maxLr', optimizer, maxLr);
    if (lastEpoch === -1) setBounds(optimizer, maxLrs, divFactor, finalDivFactor);
    this.cycleMomentum = cycleMomentum;
    if (cycleMomentum) {
      this.useBeta1 = usesBeta1(optimizer);
      cycledMomenta(optimizer, { base: baseMomentum, max: maxMomentum }, this.useBeta1, lastEpoch === -1);
    }
    this.begin(lastEpoch);
  }

  override getLr(): Rate[] {
    this.warnUnlessStepping(arguments);
    const { lastEpoch, totalSteps } = this;
    if (lastEpoch > totalSteps) refuse(`OneCycleLR was made for ${totalSteps} steps; this is step ${lastEpoch}.`);
    const phases = this.schedulePhases;
    const index = phases.findIndex(({ end_step }, i) => lastEpoch <= end_step || i === phases.length - 1);
    const phase = phases[index]!;
    const start = index === 0 ? 0 : phases[index - 1]!.end_step;
    const gone = divide(lastEpoch - start, phase.end_step - start);
    return groupsOf(this.optimizer).map((group) => {
      if (this.cycleMomentum) setMomentum(group, this.#momentum(group, phase, gone), this.useBeta1);
      return this.#anneal(bound(group, phase.start_lr), bound(group, phase.end_lr), gone);
    });
  }

  #momentum(group: ScheduledGroup, phase: Phase, gone: number): number {
    return this.#anneal(bound(group, phase.start_momentum), bound(group, phase.end_momentum), gone) as number;
  }

  #anneal(from: Rate, to: Rate, gone: number): Rate {
    if (this.annealFuncType === 'linear') return plus(times(minus(to, from), gone), from);
    return plus(to, times(over(minus(from, to), 2), cos(Math.PI * gone) + 1));
  }
}

const bound = (group: ScheduledGroup, name: Phase['end_lr'] | Phase['end_momentum']): Rate =>
  groupValue(group, camelCase(name) as 'initialLr' | 'maxLr' | 'minLr' | 'baseMomentum' | 'maxMomentum');

function setBounds(optimizer: Optimizer, maxLrs: readonly Rate[], divFactor: number, finalDivFactor: number): void {
  groupsOf(optimizer).forEach((group, i) => {
    group.initialLr = over(maxLrs[i]!, divFactor);
    group.maxLr = maxLrs[i]!;
    group.minLr = over(group.initialLr, finalDivFactor);
  });
}
