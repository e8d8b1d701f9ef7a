import { cat, onesLike, zerosLike, type Tensor } from '../../tensor/index.js';
import { ratio } from './averages.js';
import { curveTakes, CurveMetric, type Curve, type CurveOptions } from './curves.js';

/** A ROC curve, float64 [points] each, from the highest threshold to the lowest. */
export interface RocCurve {
  /** False positive rates. */
  fpr: Tensor;
  /** True positive rates. */
  tpr: Tensor;
  thresholds: Tensor;
}

/** Options of `ROC`. */
export type RocOptions = CurveOptions;

/**
 * The true positive rate over the false positive rate at each threshold: one curve of a binary task, or one for each class or
 * label. Exact curves begin with (0, 0) at threshold 1. Batches as for `AUROC`. As `torchmetrics.ROC`, which gives one tuple.
 *
 * @throws AiforgeError INVALID_ARGUMENT for wrong options, in `update` for wrong batches, and in `compute` without a prediction.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { ROC } from 'aiforge/metrics';
 * const roc = new ROC({ task: 'binary' });
 * const [curve] = roc.forward(tensor([0.25, 0.75, 0.5]), tensor([0, 1, 1], { dtype: 'int64' }));
 * curve!.tpr.tolist(); // [0, 0.5, 1, 1]
 */
export class ROC extends CurveMetric<RocCurve[]> {
  constructor(options: RocOptions) {
    curveTakes.check(new.target.name, arguments);
    super(options);
  }

  protected override result(): RocCurve[] {
    return this.curves().map((curve) => this.#rates(curve));
  }

  #rates({ thresholds, truePositives, falsePositives, positives, negatives }: Curve): RocCurve {
    const [fpr, tpr] = [ratio(falsePositives, negatives), ratio(truePositives, positives)];
    if (this.isBinned) return { fpr, tpr, thresholds };
    const before = zerosLike(positives).unsqueeze(0);
    return { fpr: cat([before, fpr]), tpr: cat([before, tpr]), thresholds: cat([onesLike(before), thresholds]) };
  }
}
