import { fraction, kind, type Kinds } from '../../kinds.js';
import type { Tensor } from '../../tensor/index.js';
import { AreaMetric, areaKinds, type BinaryAreaOptions, type MulticlassAreaOptions, type MultilabelAreaOptions } from './areas.js'; // prettier-ignore
import { ratio } from './averages.js';
import type { Points } from './curves.js';
import { taskSignature } from './tasks.js';

interface MaxFprOptions {
  /**
   * Up to which false positive rate the area is measured, above 0 and at most 1; scaled so that chance is 0.5 (McClish 1989).
   * Default: 1.
   */
  maxFpr?: number;
}

/** Options of `AUROC`. */
export type AurocOptions = (BinaryAreaOptions & MaxFprOptions) | MulticlassAreaOptions | MultilabelAreaOptions;

const maxFpr: Kinds<MaxFprOptions> = {
  maxFpr: kind<number>('a number above 0 and at most 1', (value) => fraction.accepts(value) && value !== 0),
};
const takes = taskSignature<AurocOptions>({ ...areaKinds, binary: { ...areaKinds.binary, ...maxFpr } });

/**
 * The area under the ROC curve, float64 []: how probably a true one has a higher score than a false one. Predictions are
 * probabilities, or logits when any is outside [0, 1], and targets integers: both [batch, ...], or predictions [batch,
 * numClasses, ...], or both [batch, numLabels, ...]. `average: 'none'` gives float64 [numClasses] or [numLabels]. Where all
 * targets are true, or none, it is 0. As `torchmetrics.AUROC`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for wrong options, in `update` for wrong batches, and in `compute` without a prediction.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { AUROC } from 'aiforge/metrics';
 * const auroc = new AUROC({ task: 'binary' });
 * auroc.forward(tensor([0.1, 0.4, 0.35, 0.8]), tensor([0, 0, 1, 1], { dtype: 'int64' })).item(); // 0.75
 */
export class AUROC extends AreaMetric {
  readonly #maxFpr: number;

  constructor(options: AurocOptions) {
    takes.check(new.target.name, arguments);
    super(options);
    this.#maxFpr = options.task === 'binary' ? (options.maxFpr ?? 1) : 1;
  }

  protected override area({ truePositives, falsePositives, positives, negatives }: Points): Tensor {
    const [tpr, fpr] = [ratio(truePositives, positives), ratio(falsePositives, negatives)];
    const most = this.#maxFpr;
    if (most === 1) return areaUpTo(fpr, tpr, most);
    const chance = most ** 2 / 2;
    const scaled = areaUpTo(fpr, tpr, most)
      .sub(chance)
      .div(most - chance)
      .add(1)
      .div(2);
    return scaled.where(positives.mul(negatives).ne(0), 0);
  }
}

/** The area under lines from point to point, along the first dimension, as far as `most`. */
function areaUpTo(x: Tensor, y: Tensor, most: number): Tensor {
  const [widths, rises] = [x.diff(1, 0), y.diff(1, 0)];
  const from = x.narrow(0, 0, widths.size(0));
  const within = from.add(widths).clamp(null, most).sub(from).clamp(0);
  const heights = y.narrow(0, 0, widths.size(0)).add(ratio(rises.mul(within), widths).div(2));
  return within.mul(heights).sum(0);
}
