import { fraction, notNegative, number, optional, type Kind } from '../kinds.js';
import { signature } from '../signature.js';
import type { Tensor } from '../tensor/index.js';
import { shuffled, type TransformContext } from './draws.js';
import { adjustSharpness } from './functional/adjust.js';
import { equalize } from './functional/equalize.js';
import { permuteChannels } from './functional/erase.js';
import { channelsKind, grayscaleToRgb, rgbToGrayscale, type GrayscaleOptions } from './functional/grayscale.js';
import { autocontrast, bitsKind, invert, posterize, solarize } from './functional/levels.js';
import { colorShape, imageShape } from './image.js';
import { RandomTransform, Transform } from './transform.js';

const grayscaleTakes = signature<GrayscaleOptions>({}, { numOutputChannels: channelsKind });

/**
 * Images in shades of grey. As `torchvision.transforms.v2.Grayscale`.
 *
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
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
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
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
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
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
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
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
 * import { tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
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
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
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
 * import { full } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
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
 * import { tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
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
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
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
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.RandomChannelPermutation().forward(ones([3, 4, 4])).shape; // [3, 4, 4]
 */
export class RandomChannelPermutation extends Transform {
  protected override transform(image: Tensor, context: TransformContext): Tensor {
    const { channels } = imageShape(this.constructor.name, image);
    return permuteChannels(image, shuffled(channels, context));
  }
}
