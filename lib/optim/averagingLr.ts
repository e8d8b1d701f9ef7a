import { oneOf, size, type Kinds } from '../kinds.js';
import { signature } from '../signature.js';
import { cos } from './lrScheduler/cMath.js';
import { LRScheduler, lrSchedulerOptions, type LRSchedulerOptions } from './lrScheduler/lrScheduler.js';
import { groupsOf, groupValue, minus, over, perGroup, plus, times, type Rate } from './lrScheduler/rates.js';
import type { Optimizer } from './optimizer.js';
import { optimizerKind } from './kinds.js';
import { ratesKind } from './lrScheduler/kinds.js';

export interface SWALROptions extends LRSchedulerOptions {
  /** Epochs until the rate is `swaLr`, a whole number from 0. Default: 10. */
  annealEpochs?: number;
  /** The form of the way there: `cos` or `linear`. Default: 'cos'. */
  annealStrategy?: 'cos' | 'linear';
}

const swalrOptions: Kinds<SWALROptions> = {
  annealEpochs: size,
  annealStrategy: oneOf('cos', 'linear'),
  ...lrSchedulerOptions,
};

const swalrTakes = signature({ optimizer: optimizerKind, swaLr: ratesKind }, swalrOptions);

/**
 * From the present rate to a constant one, `swaLr`, at which the weights are then averaged:
 * `lr = swaLr · α + initialLr · (1 − α)`, where `α` rises from 0 to 1 in `annealEpochs`.
 *
 * `swaLr` is a rate or one for each parameter group. Options: {@link SWALROptions}. As `torch.optim.swa_utils.SWALR`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an unknown strategy, an `annealEpochs` that is no whole number from 0, or a list of
 *   another length than the groups.
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * const optimizer = new optim.SGD(new nn.Linear(3, 1).parameters(), { lr: 1 });
 * const scheduler = new optim.swaUtils.SWALR(optimizer, 0.5, { annealEpochs: 2, annealStrategy: 'linear' });
 * optimizer.step();
 * scheduler.step();
 * scheduler.getLastLr(); // [0.75]
 */
export class SWALR extends LRScheduler {
  readonly annealEpochs: number;
  private readonly annealStrategy: string;

  constructor(optimizer: Optimizer, swaLr: Rate | readonly Rate[], options: SWALROptions = {}) {
    swalrTakes.check(new.target.name, arguments);
    const { annealEpochs = 10, annealStrategy = 'cos', lastEpoch } = options;
    super(optimizer);
    const swaLrs = perGroup('swaLr', optimizer, swaLr);
    groupsOf(optimizer).forEach((group, i) => (group.swaLr = swaLrs[i]!));
    this.annealStrategy = annealStrategy;
    this.annealEpochs = annealEpochs;
    this.begin(lastEpoch);
  }

  override getLr(): Rate[] {
    this.warnUnlessStepping(arguments);
    const counted = this.stepCount - 1;
    const step = this.annealEpochs === 0 ? Math.max(1, counted) : counted;
    const before = this.#share(step - 1);
    const share = this.#share(step);
    return groupsOf(this.optimizer).map((group) => {
      const swaLr = groupValue(group, 'swaLr');
      const initial = before === 1 ? swaLr : over(minus(group.lr, times(before, swaLr)), 1 - before);
      return plus(times(swaLr, share), times(initial, 1 - share));
    });
  }

  /** How much of `swaLr` is in the rate after some steps. */
  #share(steps: number): number {
    const gone = Math.max(0, Math.min(1, steps / Math.max(1, this.annealEpochs)));
    return this.annealStrategy === 'linear' ? gone : (1 - cos(Math.PI * gone)) / 2;
  }
}
