import type { Tensor } from '../../tensor/index.js';
import { ratio } from './averages.js';
import { countKinds, rateKinds, type CountOptions, type RateOptions } from './countOptions.js';
import { CountingMetric, type Counts } from './counts.js';
import { taskSignature } from './tasks.js';

const countsTake = taskSignature<CountOptions>(countKinds);
const ratesTake = taskSignature<RateOptions>(rateKinds);

/** A rate whose macro average, of the likeliest `topK` classes, is of the classes among the targets alone. */
abstract class Rate extends CountingMetric {
  protected override occurring(counts: Counts): Tensor {
    return this.topK === 1 ? super.occurring(counts) : counts.truePositives.add(counts.falseNegatives).ne(0);
  }
}

/**
 * The part of predictions that are right, float64 [], of predictions and integer targets. A class's own accuracy is the part
 * of its targets that are found. As `torchmetrics.Accuracy`.
 *
 * - `task: 'binary'`: both [batch, ...], predictions as probabilities, logits (when any is outside [0, 1]) or 0 and 1;
 * - `'multiclass'`: predictions [batch, numClasses, ...] as probabilities or logits, or classes of the targets' shape;
 * - `'multilabel'`: both [batch, numLabels, ...], predictions as for binary.
 *
 * `average: 'none'` gives float64 [numClasses] or [numLabels]; `multidimAverage: 'samplewise'` puts [batch] before.
 *
 * @throws AiforgeError INVALID_ARGUMENT for wrong options, and in `update` for shapes that do not fit, targets that are not
 * integers, and targets that are no class.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { Accuracy } from 'aiforge/metrics';
 * const accuracy = new Accuracy({ task: 'multiclass', numClasses: 3 });
 * accuracy.update(tensor([0, 2, 1, 1], { dtype: 'int64' }), tensor([0, 1, 1, 1], { dtype: 'int64' }));
 * accuracy.compute().item(); // 0.75
 */
export class Accuracy extends Rate {
  readonly #isOfClasses: boolean;

  constructor(options: CountOptions) {
    countsTake.check(new.target.name, arguments);
    super(options);
    this.#isOfClasses = options.task === 'multiclass';
  }

  protected override score({ truePositives, falsePositives, trueNegatives, falseNegatives }: Counts): Tensor {
    const found = truePositives.add(falseNegatives);
    if (this.#isOfClasses) return ratio(truePositives, found);
    return ratio(truePositives.add(trueNegatives), found.add(falsePositives).add(trueNegatives));
  }
}

/**
 * The part of what is predicted that is right, float64 []: TP / (TP + FP). Batches and shapes of the value as for `Accuracy`. As
 * `torchmetrics.Precision`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for wrong options, and in `update` for wrong batches.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { Precision } from 'aiforge/metrics';
 * const precision = new Precision({ task: 'binary' });
 * precision.forward(tensor([0.9, 0.8, 0.3]), tensor([1, 0, 1], { dtype: 'int64' })).item(); // 0.5
 */
export class Precision extends Rate {
  constructor(options: RateOptions) {
    ratesTake.check(new.target.name, arguments);
    super(options);
  }

  protected override score({ truePositives, falsePositives }: Counts): Tensor {
    return ratio(truePositives, truePositives.add(falsePositives), this.ofNothing);
  }
}

/**
 * The part of what is true that is found, float64 []: TP / (TP + FN), the sensitivity. Batches and shapes of the value as for
 * `Accuracy`. As `torchmetrics.Recall`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for wrong options, and in `update` for wrong batches.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { Recall } from 'aiforge/metrics';
 * const recall = new Recall({ task: 'binary' });
 * recall.forward(tensor([0.9, 0.8, 0.3]), tensor([1, 0, 1], { dtype: 'int64' })).item(); // 0.5
 */
export class Recall extends Rate {
  constructor(options: RateOptions) {
    ratesTake.check(new.target.name, arguments);
    super(options);
  }

  protected override score({ truePositives, falseNegatives }: Counts): Tensor {
    return ratio(truePositives, truePositives.add(falseNegatives), this.ofNothing);
  }
}

/**
 * The part of what is false that is denied, float64 []: TN / (TN + FP). Batches and shapes of the value as for `Accuracy`. As
 * `torchmetrics.Specificity`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for wrong options, and in `update` for wrong batches.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { Specificity } from 'aiforge/metrics';
 * const specificity = new Specificity({ task: 'binary' });
 * specificity.forward(tensor([0.9, 0.2, 0.3]), tensor([0, 0, 1], { dtype: 'int64' })).item(); // 0.5
 */
export class Specificity extends CountingMetric {
  constructor(options: CountOptions) {
    countsTake.check(new.target.name, arguments);
    super(options);
  }

  protected override score({ trueNegatives, falsePositives }: Counts): Tensor {
    return ratio(trueNegatives, trueNegatives.add(falsePositives));
  }
}
