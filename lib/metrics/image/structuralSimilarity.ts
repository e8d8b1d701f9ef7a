import { AiforgeError } from '../../errors.js';
import { boolean, either, kind, listOf, notNegative, oneOf, positive } from '../../kinds.js';
import { functional } from '../../nn/index.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { arange, cat, full, type Tensor } from '../../tensor/index.js';
import { checkPair, refusal } from '../pairs.js';
import { ScoresMetric } from '../scores.js';
import { dataRangeKind, widthOf, within, type DataRange } from './dataRange.js';

export interface StructuralSimilarityOptions {
  /** Whether neighbours weigh as a Gaussian says; false gives all in the window one weight. Default: true. */
  gaussianKernel?: boolean;
  /** The Gaussian's standard deviation in pixels, of all dimensions or of each; it reaches 3.5 of them. Default: 1.5. */
  sigma?: number | readonly number[];
  /** The uniform window's size in pixels, odd, of all dimensions or of each. Default: 11. */
  kernelSize?: number | readonly number[];
  /** The images' mean, their sum, or all values, [images]. Default: 'elementwise_mean'. */
  reduction?: 'elementwise_mean' | 'sum' | 'none';
  /**
   * How far apart values can be, such as 1 or 255; or the least and the greatest value, to which values are brought. Default:
   * how far apart they are in each batch, so that the value depends on what is in a batch.
   */
  dataRange?: DataRange;
  /** Keeps the comparison of means from dividing by 0. Default: 0.01. */
  k1?: number;
  /** Keeps the comparison of variances from dividing by 0. Default: 0.03. */
  k2?: number;
}

const oddKind = kind<number>(
  'an odd number above 0',
  (value) => Number.isSafeInteger(value) && Number(value) % 2 === 1,
);
const takes = signature<StructuralSimilarityOptions>(
  {},
  {
    gaussianKernel: boolean,
    sigma: either(positive, listOf(positive)),
    kernelSize: either(oddKind, listOf(oddKind)),
    reduction: oneOf('elementwise_mean', 'sum', 'none'),
    dataRange: dataRangeKind,
    k1: notNegative,
    k2: notNegative,
  },
);

/**
 * The structural similarity index of images: how alike their means, contrasts and structures are around each pixel; 1 for the
 * same; float64 []. Images are float32 [batch, channels, height, width], or volumes [batch, channels, depth, height, width].
 * After Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity" (2004); as
 * `torchmetrics.image.StructuralSimilarityIndexMeasure`.
 *
 * @example
 * import { manualSeed, rand } from 'aiforge';
 * import { StructuralSimilarityIndexMeasure } from 'aiforge/metrics';
 * manualSeed(0);
 * const images = rand([2, 3, 16, 16]);
 * Number(new StructuralSimilarityIndexMeasure({ dataRange: 1 }).forward(images, images).item().toFixed(6)); // 1.000000
 *
 * @throws AiforgeError INVALID_ARGUMENT for a kernelSize of the Gaussian, and a sigma of the uniform window; from `update` for
 * other shapes, and for images that are smaller than half a window.
 */
export class StructuralSimilarityIndexMeasure extends ScoresMetric {
  override readonly higherIsBetter = true;
  readonly #options: StructuralSimilarityOptions;

  constructor(options: StructuralSimilarityOptions = {}) {
    takes.check(new.target.name, arguments);
    const { gaussianKernel = true, sigma, kernelSize, reduction = 'elementwise_mean' } = options;
    if (gaussianKernel && kernelSize !== undefined) {
      throw new AiforgeError('INVALID_ARGUMENT', `StructuralSimilarityIndexMeasure: kernelSize is of the uniform window, with gaussianKernel: false; that of the Gaussian follows from sigma; got ${show(kernelSize)}.`); // prettier-ignore
    }
    if (!gaussianKernel && sigma !== undefined) {
      throw new AiforgeError('INVALID_ARGUMENT', `StructuralSimilarityIndexMeasure: sigma is of the Gaussian; with gaussianKernel: false give kernelSize; got ${show(sigma)}.`); // prettier-ignore
    }
    super(reduction === 'elementwise_mean' ? 'mean' : reduction);
    this.#options = options;
  }

  protected override accumulate(predictions: Tensor, targets: Tensor): void {
    const windows = this.#windows(predictions, targets);
    if (predictions.size(0) === 0) return;
    const { dataRange, k1 = 0.01, k2 = 0.03 } = this.#options;
    const [x, y] = [within(predictions, dataRange), within(targets, dataRange)];
    const range = dataRange === undefined ? spread(x).maximum(spread(y)) : full([], widthOf(dataRange), { dtype: 'float64', device: x.device }); // prettier-ignore
    this.take(similarity(x, y, windows, [range.mul(k1).square(), range.mul(k2).square()]));
  }

  /** The weights of a window along each dimension, once the batch is known to be right. */
  #windows(predictions: Tensor, targets: Tensor): Tensor[] {
    const { gaussianKernel = true, sigma = 1.5, kernelSize = 11 } = this.#options;
    const name = this.constructor.name;
    checkPair(name, predictions, targets);
    const dims = predictions.ndim - 2;
    if (dims !== 2 && dims !== 3) {
      throw refusal(name, 'images must be of shape [batch, channels, height, width], or with a depth before the height', [predictions]); // prettier-ignore
    }
    const [option, given] = gaussianKernel ? (['sigma', sigma] as const) : (['kernelSize', kernelSize] as const);
    const sizes = typeof given === 'number' ? new Array<number>(dims).fill(given) : given;
    if (sizes.length !== dims) throw refusal(name, `${option} must be a number or ${dims} of them for these images`, [given]); // prettier-ignore
    const windows = sizes.map(gaussianKernel ? gaussian : uniform);
    const least = windows.map((window) => (window.size(0) - 1) / 2 + 1);
    if (predictions.shape.slice(2).every((size, i) => size >= least[i]!)) return windows.map((each) => each.to(predictions.device)); // prettier-ignore
    throw refusal(name, `images must be of ${least.join(' x ')} pixels or more, for windows of ${windows.map((each) => each.size(0)).join(' x ')}`, [predictions]); // prettier-ignore
  }
}

const uniform = (size: number): Tensor => full([size], 1 / size, { dtype: 'float64' });

function gaussian(sigma: number): Tensor {
  const reach = Math.floor(3.5 * sigma + 0.5);
  const weights = arange(-reach, reach + 1, { dtype: 'float64' })
    .div(sigma)
    .square()
    .div(-2)
    .exp();
  return weights.div(weights.sum());
}

/** How far apart the values are. */
const spread = (values: Tensor): Tensor => values.max().sub(values.min());

/** The index of each image, float64 [batch]. */
function similarity(x: Tensor, y: Tensor, windows: readonly Tensor[], [c1, c2]: readonly [Tensor, Tensor]): Tensor {
  const sums = blurred(cat([x, y, x.mul(x), y.mul(y), x.mul(y)]), windows);
  const [meanX, meanY, meanXX, meanYY, meanXY] = sums.chunk(5) as [Tensor, Tensor, Tensor, Tensor, Tensor];
  const [squareX, squareY, product] = [meanX.square(), meanY.square(), meanX.mul(meanY)];
  const variances = meanXX.sub(squareX).clamp(0).add(meanYY.sub(squareY).clamp(0));
  const covariance = meanXY.sub(product);
  const luminance = product.mul(2).add(c1).div(squareX.add(squareY).add(c1));
  const structure = covariance.mul(2).add(c2).div(variances.add(c2));
  return luminance.mul(structure).flatten(1).mean(1);
}

/** The mean around each pixel of each channel, weighted along one dimension after the other; edges are mirrored. */
function blurred(images: Tensor, windows: readonly Tensor[]): Tensor {
  const spatial = images.shape.slice(2);
  const reach = windows.map((window) => (window.size(0) - 1) / 2);
  // Each channel is an image of its own. Padding begins with the last dimension.
  const channels = images.reshape([-1, 1, ...spatial]);
  const padded = functional.pad(
    channels,
    [...reach].reverse().flatMap((size) => [size, size]),
    { mode: 'reflect' },
  );
  const convolve = windows.length === 2 ? functional.conv2d : functional.conv3d;
  const means = windows.reduce((from, window, i) => {
    const shape = windows.map((_, j) => (i === j ? window.size(0) : 1));
    return convolve(from, window.reshape([1, 1, ...shape]));
  }, padded);
  return means.reshape(images.shape);
}
