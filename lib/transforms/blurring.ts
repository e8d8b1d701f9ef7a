import { boolean, either } from '../kinds.js';
import { signature } from '../signature.js';
import type { Tensor } from '../tensor/index.js';
import { uniform, type TransformContext } from './draws.js';
import { gaussianBlur, gaussianNoise, kernelSizeKind, noiseOptions, type PerDirection } from './functional/gaussian.js';
import { aboveZero, rangeOf, type Range } from './numbers.js';
import { Transform } from './transform.js';

export interface RandomGaussianBlurOptions {
  /** The range of the standard deviation in pixels, or the deviation itself. Default: [0.1, 2]. */
  sigma?: number | Range;
}

const deviationKind = either<number, Range>(aboveZero, rangeOf(aboveZero));
const blurTakes = signature<RandomGaussianBlurOptions>({ kernelSize: kernelSizeKind }, { sigma: deviationKind });

/**
 * Images blurred by a Gaussian of a random standard deviation; `kernelSize` is odd, of both directions or of each, x before y. As
 * `torchvision.transforms.v2.GaussianBlur`.
 *
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.GaussianBlur(3, { sigma: [0.5, 1] }).forward(ones([3, 4, 4])).shape; // [3, 4, 4]
 */
export class GaussianBlur extends Transform {
  readonly kernelSize: PerDirection;
  readonly sigma: Range;

  constructor(kernelSize: PerDirection, options: RandomGaussianBlurOptions = {}) {
    blurTakes.check(new.target.name, arguments);
    const { sigma = [0.1, 2] } = options;
    super();
    this.kernelSize = kernelSize;
    this.sigma = typeof sigma === 'number' ? [sigma, sigma] : sigma;
  }

  protected override transform(image: Tensor, context: TransformContext): Tensor {
    return gaussianBlur(image, this.kernelSize, { sigma: uniform(...this.sigma, context) });
  }
}

export interface NoiseOptions {
  /** The mean of what is added, where values are 0 … 1. Default: 0. */
  mean?: number;
  /** The standard deviation of what is added. Default: 0.1. */
  sigma?: number;
  /** Whether values are kept within the image's range. Default: true. */
  clip?: boolean;
}

const noiseTakes = signature<NoiseOptions>({}, { ...noiseOptions, clip: boolean });

/**
 * Images with noise from a normal distribution added. As `torchvision.transforms.v2.GaussianNoise`.
 *
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.GaussianNoise({ sigma: 0.05 }).forward(ones([3, 4, 4])).shape; // [3, 4, 4]
 */
export class GaussianNoise extends Transform {
  readonly mean: number;
  readonly sigma: number;
  readonly clip: boolean;

  constructor(options: NoiseOptions = {}) {
    noiseTakes.check(new.target.name, arguments);
    super();
    this.mean = options.mean ?? 0;
    this.sigma = options.sigma ?? 0.1;
    this.clip = options.clip ?? true;
  }

  protected override transform(image: Tensor, { generator }: TransformContext): Tensor {
    const { mean, sigma, clip } = this;
    return gaussianNoise(image, { mean, sigma, clip, generator });
  }
}
