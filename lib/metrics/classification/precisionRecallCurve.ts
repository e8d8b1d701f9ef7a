import { cat, onesLike, zerosLike, type Tensor } from '../../tensor/index.js';
import { curveTakes, CurveMetric, type Curve, type CurveOptions } from './curves.js';

/** A precision-recall curve, float64, from the lowest threshold to the highest, and then precision 1 with recall 0. */
export interface PrecisionRecall {
  /** [points + 1]. */
  precision: Tensor;
  /** [points + 1]. */
  recall: Tensor;
  /** [points]. */
  thresholds: Tensor;
}

/** Options of `PrecisionRecallCurve`. */
export type PrecisionRecallCurveOptions = CurveOptions;

/**
 * Precision and recall at each threshold: one curve of a binary task, or one for each class or label. 0/0 is NaN; but an exact
 * curve of a binary or multilabel task without a true one has recall 1. Batches as for `AUROC`. As
 * `torchmetrics.PrecisionRecallCurve`, which gives one tuple.
 *
 * @throws AiforgeError INVALID_ARGUMENT for wrong options, in `update` for wrong batches, and in `compute` without a prediction.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { PrecisionRecallCurve } from 'aiforge/metrics';
 * const metric = new PrecisionRecallCurve({ task: 'binary' });
 * const [curve] = metric.forward(tensor([0.25, 0.75, 0.5]), tensor([0, 1, 1], { dtype: 'int64' }));
 * curve!.recall.tolist(); // [1, 1, 0.5, 0]
 */
export class PrecisionRecallCurve extends CurveMetric<PrecisionRecall[]> {
  readonly #isMulticlass: boolean;

  constructor(options: PrecisionRecallCurveOptions) {
    curveTakes.check(new.target.name, arguments);
    super(options);
    this.#isMulticlass = options.task === 'multiclass';
  }

  protected override result(): PrecisionRecall[] {
    return this.curves().map((curve) => this.#precisionRecall(curve));
  }

  #precisionRecall({ thresholds, truePositives, falsePositives, positives }: Curve): PrecisionRecall {
    const precision = truePositives.div(truePositives.add(falsePositives));
    const found = truePositives.div(positives);
    const recall = this.isBinned || this.#isMulticlass ? found : found.nanToNum(1);
    const last = zerosLike(positives).unsqueeze(0);
    return {
      precision: cat([precision.flip(0), onesLike(last)]),
      recall: cat([recall.flip(0), last]),
      thresholds: thresholds.flip(0),
    };
  }
}
