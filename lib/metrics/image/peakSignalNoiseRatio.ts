import { AiforgeError } from '../../errors.js';
import { either, kind, listOf, oneOf, whole } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/index.js';
import { checkPair, refusal } from '../pairs.js';
import { ScoresMetric } from '../scores.js';
import { dataRangeKind, widthOf, within, type DataRange } from './dataRange.js';

export interface PeakSignalNoiseRatioOptions {
  /** How far apart values can be, such as 1 or 255; or the least and the greatest value, to which values are brought. */
  dataRange: DataRange;
  /** The base of the logarithm. Default: 10, for decibels. */
  base?: number;
  /** With `dim` the ratios' mean, their sum, or all of them. Default: 'elementwise_mean'. */
  reduction?: 'elementwise_mean' | 'sum' | 'none';
  /** The dimensions over which a ratio is, such as [1, 2, 3] for one of each image. Default: one of all batches. */
  dim?: number | readonly number[];
}

const takes = signature<PeakSignalNoiseRatioOptions>(
  {},
  {
    dataRange: dataRangeKind,
    base: kind('a number above 1', (value) => typeof value === 'number' && value > 1),
    reduction: oneOf('elementwise_mean', 'sum', 'none'),
    dim: either(whole, listOf(whole)),
  },
  ['dataRange'],
);

/**
 * The peak signal-to-noise ratio of images: the largest difference that there can be, squared, for the mean squared
 * difference from the targets, in decibels; float64 [], Infinity without a difference. Images are float32 of any shape. As
 * `torchmetrics.image.PeakSignalNoiseRatio`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { PeakSignalNoiseRatio } from 'aiforge/metrics';
 * const psnr = new PeakSignalNoiseRatio({ dataRange: 1 });
 * Number(psnr.forward(tensor([0.5, 0.2]), tensor([0.4, 0.3])).item().toFixed(4)); // 20.0000
 *
 * @throws AiforgeError INVALID_ARGUMENT for a reduction without `dim`; from `update` for what are no two tensors of one shape,
 * and for dimensions that they do not have.
 */
export class PeakSignalNoiseRatio extends ScoresMetric {
  override readonly higherIsBetter = true;
  readonly #dataRange: DataRange;
  readonly #base: number;
  readonly #dims: readonly number[] | undefined;

  constructor(options: PeakSignalNoiseRatioOptions) {
    takes.check(new.target.name, arguments);
    const { dataRange, base = 10, reduction = 'elementwise_mean', dim } = options;
    if (dim === undefined && reduction !== 'elementwise_mean') {
      throw new AiforgeError('INVALID_ARGUMENT', `PeakSignalNoiseRatio: reduction ${show(reduction)} is of several ratios, which there are with dim.`); // prettier-ignore
    }
    super(reduction === 'elementwise_mean' ? 'mean' : reduction);
    this.#dataRange = dataRange;
    this.#base = base;
    this.#dims = typeof dim === 'number' ? [dim] : dim;
  }

  protected override accumulate(predictions: Tensor, targets: Tensor): void {
    const name = this.constructor.name;
    checkPair(name, predictions, targets);
    const { ndim } = predictions;
    const isThere = (dim: number) => dim >= -ndim && dim < ndim;
    if (this.#dims?.every(isThere) === false) {
      throw refusal(name, `predictions must have the dimensions ${show(this.#dims)}`, [predictions]);
    }
    const squares = within(predictions, this.#dataRange).sub(within(targets, this.#dataRange)).square();
    this.take(this.#dims === undefined ? squares : this.#ratio(squares.mean(this.#dims)));
  }

  protected override result(): Tensor {
    const value = super.result();
    return this.#dims === undefined ? this.#ratio(value) : value;
  }

  #ratio(meanSquare: Tensor): Tensor {
    const most = 2 * Math.log(widthOf(this.#dataRange));
    return meanSquare
      .log()
      .neg()
      .add(most)
      .mul(10 / Math.log(this.#base));
  }
}
