import { boolean, either, fraction, notNegative, number, optional, type Kind } from '../kinds.js';
import { signature } from '../signature.js';
import type { Tensor } from '../tensor/index.js';
import { shuffled, uniform, type TransformContext } from './draws.js';
import { adjustSharpness } from './functional/adjust.js';
import { equalize } from './functional/equalize.js';
import { permuteChannels } from './functional/erase.js';
import { gaussianBlur, gaussianNoise, kernelSizeKind, noiseOptions, type PerDirection } from './functional/gaussian.js';
import { channelsKind, grayscaleToRgb, rgbToGrayscale, type GrayscaleOptions } from './functional/grayscale.js';
import { autocontrast, bitsKind, invert, posterize, solarize } from './functional/levels.js';
import { colorShape, imageShape } from './image.js';
import { aboveZero, rangeOf, type Range } from './numbers.js';
import { RandomTransform, Transform } from './transform.js';

const grayscaleTakes = signature<GrayscaleOptions>({}, { numOutputChannels: channelsKind });

/**
 * Images in shades of grey. As `torchvision.transforms.v2.Grayscale`.
 *
 * @example
 * import { ones, transforms } from 'aiforge';
 * new transforms.Grayscale().forward(ones([3, 4, 4])).shape; // [1, 4, 4]
 */
export class Grayscale extends Transform {
  readonly numOutputChannels: number;

  constructor(options: GrayscaleOptions = {}) {
    grayscaleTakes.check(new.target.name, arguments);
    super();
    this.numOutputChannels = options.numOutputChannels ?? 1;
  }

  protected override transform(image: Tensor): Tensor {
    return rgbToGrayscale(image, { numOutputChannels: this.numOutputChannels });
  }
}

/**
 * Grey images with three channels. As `torchvision.transforms.v2.RGB`.
 *
 * @example
 * import { ones, transforms } from 'aiforge';
 * new transforms.RGB().forward(ones([1, 4, 4])).shape; // [3, 4, 4]
 */
export class RGB extends Transform {
  protected override transform(image: Tensor): Tensor {
    return grayscaleToRgb(image);
  }
}

const probabilityTakes = signature({ p: optional(fraction) });

/**
 * Images in shades of grey with a probability, with as many channels as they have. As
 * `torchvision.transforms.v2.RandomGrayscale`.
 *
 * @example
 * import { ones, transforms } from 'aiforge';
 * new transforms.RandomGrayscale(0.2).forward(ones([3, 4, 4])).shape; // [3, 4, 4]
 */
export class RandomGrayscale extends RandomTransform {
  /** @param p How probable it is, 0 … 1. Default: 0.1. */
  constructor(p = 0.1) {
    probabilityTakes.check(new.target.name, arguments);
    super(p);
  }

  protected override changed(image: Tensor): Tensor {
    return rgbToGrayscale(image, { numOutputChannels: colorShape(this.constructor.name, image).channels });
  }
}

/**
 * Negatives of images with a probability. As `torchvision.transforms.v2.RandomInvert`.
 *
 * @example
 * import { ones, transforms } from 'aiforge';
 * new transforms.RandomInvert(1).forward(ones([1, 1, 1])).item(); // 0
 */
export class RandomInvert extends RandomTransform {
  protected override changed(image: Tensor): Tensor {
    return invert(image);
  }
}

/**
 * Images of which each channel's values are stretched to the whole range, with a probability. As
 * `torchvision.transforms.v2.RandomAutocontrast`.
 *
 * @example
 * import { tensor, transforms } from 'aiforge';
 * new transforms.RandomAutocontrast(1).forward(tensor([[[0.25, 0.5]]])).tolist(); // [[[0, 1]]]
 */
export class RandomAutocontrast extends RandomTransform {
  protected override changed(image: Tensor): Tensor {
    return autocontrast(image);
  }
}

/**
 * Images of which each channel's values are about as frequent, with a probability. As
 * `torchvision.transforms.v2.RandomEqualize`.
 *
 * @example
 * import { ones, transforms } from 'aiforge';
 * new transforms.RandomEqualize(1).forward(ones([3, 4, 4])).shape; // [3, 4, 4]
 */
export class RandomEqualize extends RandomTransform {
  protected override changed(image: Tensor): Tensor {
    return equalize(image);
  }
}

export interface ProbabilityOptions {
  /** How probable it is, 0 … 1. Default: 0.5. */
  p?: number;
}

const probability = { p: fraction };
const takesAnd = (name: string, of: Kind<number>) => signature<ProbabilityOptions>({ [name]: of }, probability);
const posterizeTakes = takesAnd('bits', bitsKind);
const solarizeTakes = takesAnd('threshold', number);
const sharpnessTakes = takesAnd('sharpnessFactor', notNegative);

/**
 * Images of which each value keeps its highest bits alone, with a probability. As
 * `torchvision.transforms.v2.RandomPosterize`.
 *
 * @example
 * import { full, transforms } from 'aiforge';
 * new transforms.RandomPosterize(1, { p: 1 }).forward(full([1, 1, 1], 200, { dtype: 'uint8' })).item(); // 128
 */
export class RandomPosterize extends RandomTransform {
  readonly bits: number;

  constructor(bits: number, options: ProbabilityOptions = {}) {
    posterizeTakes.check(new.target.name, arguments);
    super(options.p);
    this.bits = bits;
  }

  protected override changed(image: Tensor): Tensor {
    return posterize(image, this.bits);
  }
}

/**
 * Images of which the values from a threshold on are inverted, with a probability. As
 * `torchvision.transforms.v2.RandomSolarize`.
 *
 * @example
 * import { tensor, transforms } from 'aiforge';
 * new transforms.RandomSolarize(0.5, { p: 1 }).forward(tensor([[[0.25, 1]]])).tolist(); // [[[0.25, 0]]]
 */
export class RandomSolarize extends RandomTransform {
  readonly threshold: number;

  constructor(threshold: number, options: ProbabilityOptions = {}) {
    solarizeTakes.check(new.target.name, arguments);
    super(options.p);
    this.threshold = threshold;
  }

  protected override changed(image: Tensor): Tensor {
    return solarize(image, this.threshold);
  }
}

/**
 * Images with another sharpness, with a probability: 0 is smoothed, 1 the same. As
 * `torchvision.transforms.v2.RandomAdjustSharpness`.
 *
 * @example
 * import { ones, transforms } from 'aiforge';
 * new transforms.RandomAdjustSharpness(2).forward(ones([3, 4, 4])).shape; // [3, 4, 4]
 */
export class RandomAdjustSharpness extends RandomTransform {
  readonly sharpnessFactor: number;

  constructor(sharpnessFactor: number, options: ProbabilityOptions = {}) {
    sharpnessTakes.check(new.target.name, arguments);
    super(options.p);
    this.sharpnessFactor = sharpnessFactor;
  }

  protected override changed(image: Tensor): Tensor {
    return adjustSharpness(image, this.sharpnessFactor);
  }
}

/**
 * Images with their channels in a random order. As `torchvision.transforms.v2.RandomChannelPermutation`.
 *
 * @example
 * import { ones, transforms } from 'aiforge';
 * new transforms.RandomChannelPermutation().forward(ones([3, 4, 4])).shape; // [3, 4, 4]
 */
export class RandomChannelPermutation extends Transform {
  protected override transform(image: Tensor, context: TransformContext): Tensor {
    const { channels } = imageShape(this.constructor.name, image);
    return permuteChannels(image, shuffled(channels, context));
  }
}

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
 * import { ones, transforms } from 'aiforge';
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
 * import { ones, transforms } from 'aiforge';
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
