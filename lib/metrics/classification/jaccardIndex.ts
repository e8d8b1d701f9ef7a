import type { Tensor } from '../../tensor/index.js';
import { ratio } from './averages.js';
import { zeroDivisionKind, type AverageOptions, type ZeroDivisionOptions } from './countOptions.js';
import { CountingMetric, type Counts } from './counts.js';
import {
  averageKind,
  taskKinds,
  taskSignature,
  thresholdKind,
  type BinaryOptions,
  type MulticlassOptions,
  type MultilabelOptions,
  type ThresholdOptions,
} from './tasks.js';

/** Options of `JaccardIndex`. */
export type JaccardIndexOptions =
  | (BinaryOptions & ThresholdOptions & ZeroDivisionOptions)
  | (MulticlassOptions & AverageOptions & ZeroDivisionOptions)
  | (MultilabelOptions & ThresholdOptions & AverageOptions & ZeroDivisionOptions);

const takes = taskSignature<JaccardIndexOptions>({
  binary: { ...taskKinds.binary, ...thresholdKind, ...zeroDivisionKind },
  multiclass: { ...taskKinds.multiclass, average: averageKind, ...zeroDivisionKind },
  multilabel: { ...taskKinds.multilabel, ...thresholdKind, average: averageKind, ...zeroDivisionKind },
});

/**
 * What is both predicted and true over what is either, float64 []: TP / (TP + FP + FN), the intersection over union of a
 * segmentation. Batches and shapes of the value as for `Accuracy`, but `average` is 'macro' by default, and leaves a class that is
 * the `ignoreIndex` out. As `torchmetrics.JaccardIndex`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for wrong options, and in `update` for wrong batches.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { JaccardIndex } from 'aiforge/metrics';
 * const index = new JaccardIndex({ task: 'multiclass', numClasses: 2 });
 * const mask = (rows: number[][]) => tensor([rows], { dtype: 'int64' });
 * index.forward(mask([[0, 1], [0, 1]]), mask([[0, 1], [1, 1]])).item(); // 0.5833333333333333
 */
export class JaccardIndex extends CountingMetric {
  readonly #ignored: number | undefined;

  constructor(options: JaccardIndexOptions) {
    takes.check(new.target.name, arguments);
    super(options, 'macro');
    const { task, ignoreIndex = -1 } = options;
    if (task === 'multiclass' && ignoreIndex >= 0 && ignoreIndex < options.numClasses) this.#ignored = ignoreIndex;
  }

  protected override counts(): Tensor {
    const counts = super.counts();
    if (this.#ignored !== undefined) counts.select(-1, this.#ignored).zero_();
    return counts;
  }

  protected override score({ truePositives, falsePositives, falseNegatives }: Counts): Tensor {
    return ratio(truePositives, truePositives.add(falsePositives).add(falseNegatives), this.ofNothing);
  }
}
