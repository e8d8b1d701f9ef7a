import { zerosLike, type Tensor } from '../../tensor/index.js';
import { AreaMetric, areaKinds, type AreaOptions } from './areas.js';
import { ratio } from './averages.js';
import type { Points } from './curves.js';
import { taskSignature } from './tasks.js';

/** Options of `AveragePrecision`. */
export type AveragePrecisionOptions = AreaOptions;

const takes = taskSignature<AveragePrecisionOptions>(areaKinds);

/**
 * The mean of the precisions at all thresholds by how much recall each adds, float64 [], which sums up the precision-recall
 * curve. Batches and shapes of the value as for `AUROC`. Without a true one it is 0, but a class of a multiclass task that no
 * target is of has NaN, and averages leave it out. As `torchmetrics.AveragePrecision`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for wrong options, in `update` for wrong batches, and in `compute` without a prediction.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { AveragePrecision } from 'aiforge/metrics';
 * const precision = new AveragePrecision({ task: 'binary' });
 * precision.forward(tensor([0.1, 0.4, 0.35, 0.8]), tensor([0, 0, 1, 1], { dtype: 'int64' })).item(); // 0.8333333333333333
 */
export class AveragePrecision extends AreaMetric {
  readonly #ofNothing: number;

  constructor(options: AveragePrecisionOptions) {
    takes.check(new.target.name, arguments);
    super(options);
    this.#ofNothing = options.task === 'multiclass' ? NaN : 0;
  }

  protected override area({ truePositives, falsePositives, positives }: Points): Tensor {
    const found = ratio(truePositives, positives);
    const gained = found.diff(1, 0, zerosLike(found.narrow(0, 0, 1)));
    const area = gained.mul(ratio(truePositives, truePositives.add(falsePositives))).sum(0);
    return area.where(positives.ne(0), this.#ofNothing);
  }
}
