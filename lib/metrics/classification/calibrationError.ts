import { count, oneOf, type Kinds } from '../../kinds.js';
import { bucketize, linspace, zeros, type Tensor } from '../../tensor/index.js';
import { Metric } from '../metric.js';
import { ratio } from './averages.js';
import { checkScores, checkShapes, counted, probabilities } from './labels.js';
import { taskKinds, taskSignature, type BinaryOptions, type MulticlassOptions } from './tasks.js';

interface BinOptions {
  /** Into how many bins of one width the confidences from 0 to 1 go. Default: 15. */
  nBins?: number;
  /** The mean distance, the root of its mean square, or the largest. Default: 'l1'. */
  norm?: 'l1' | 'l2' | 'max';
}

/** Options of `CalibrationError`. */
export type CalibrationErrorOptions = (BinaryOptions | MulticlassOptions) & BinOptions;

const bins: Kinds<BinOptions> = { nBins: count, norm: oneOf('l1', 'l2', 'max') };
const takes = taskSignature<CalibrationErrorOptions>({
  binary: { ...taskKinds.binary, ...bins },
  multiclass: { ...taskKinds.multiclass, ...bins },
});

/**
 * How far confidences are from being right as often as they say, float64 []: over bins of confidence, the distance of the mean
 * confidence from the part that is right, by how many are in the bin. `norm` 'l1' is the expected calibration error of
 * Naeini et al. 2015, 'max' the maximum calibration error. Predictions are probabilities or logits, [batch, ...] of the positive
 * class or [batch, numClasses, ...]; a confidence of exactly 1 has a bin of its own. As `torchmetrics.CalibrationError`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for wrong options, and in `update` for wrong batches.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { CalibrationError } from 'aiforge/metrics';
 * const error = new CalibrationError({ task: 'binary', nBins: 2 });
 * error.forward(tensor([0.25, 0.75]), tensor([0, 1], { dtype: 'int64' })).item(); // 0.25
 */
export class CalibrationError extends Metric {
  override readonly higherIsBetter = false;
  readonly #options: CalibrationErrorOptions;
  readonly #bins: number;

  constructor(options: CalibrationErrorOptions) {
    takes.check(new.target.name, arguments);
    super();
    this.#options = options;
    this.#bins = options.nBins ?? 15;
    this.addState('counts', zeros([this.#bins + 1], { dtype: 'int64' }), 'sum');
    this.addState('right', zeros([this.#bins + 1], { dtype: 'int64' }), 'sum');
    this.addState('confidences', zeros([this.#bins + 1], { dtype: 'float64' }), 'sum');
  }

  /** @internal */
  override get stateKey(): string {
    const { task, ignoreIndex, validateArgs = true } = this.#options;
    const classes = this.#options.task === 'multiclass' ? this.#options.numClasses : 2;
    return JSON.stringify(['calibration', task, ignoreIndex, validateArgs, classes, this.#bins]);
  }

  protected override accumulate(predictions: Tensor, targets: Tensor): void {
    const [name, options] = [this.constructor.name, this.#options];
    checkShapes(name, predictions, targets, options);
    checkScores(name, predictions);
    const truth = targets.to('int64');
    const isCounted = counted(name, truth, options).flatten();
    const likely = probabilities(predictions, options);
    const isBinary = options.task === 'binary';
    const best = isBinary ? undefined : likely.max(1);
    const confidences = (best?.values ?? likely).flatten();
    const isRight = (best === undefined ? truth.eq(1) : truth.eq(best.indices)).flatten().logicalAnd(isCounted);
    const edges = linspace(0, 1, this.#bins + 1, { dtype: 'float64', device: targets.device });
    const bin = bucketize(confidences, edges.to(confidences.dtype as 'float32'), { right: true }).sub(1);
    const into = (values: Tensor) =>
      zeros([this.#bins + 1], { dtype: values.dtype as 'int64', device: targets.device }).scatterAdd(0, bin, values);
    this.add('counts', into(isCounted.to('int64')));
    this.add('right', into(isRight.to('int64')));
    this.add('confidences', into(confidences.to('float64').maskedFill(isCounted.logicalNot(), 0)));
  }

  protected override result(): Tensor {
    const counts = this.state('counts').to('float64');
    const gaps = ratio(this.state('right'), counts)
      .sub(ratio(this.state('confidences'), counts))
      .abs();
    if (this.#options.norm === 'max') return gaps.max();
    // Without a single prediction there is no error, which is NaN.
    const parts = counts.div(counts.sum());
    return this.#options.norm === 'l2' ? gaps.square().mul(parts).sum().sqrt() : gaps.mul(parts).sum();
  }
}
