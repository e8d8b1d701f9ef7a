import { boolean, notNegative } from '../../kinds.js';
import { signature } from '../../signature.js';
import { conv2d, pad } from '../../nn/functional.js';
import { linspace, scope, type Tensor } from '../../tensor/index.js';
import { generatorKind, tensorKind } from '../../tensor/kinds.js';
import { normals, type TransformContext } from '../draws.js';
import { aboveZero, finite, oddNumber, perDirection } from '../numbers.js';
import { asBatch, greatest, imageShape, likeLeading, refusal } from '../image.js';

/** A number for both directions, or one for each, x before y. */
export type PerDirection = number | readonly number[];

export const kernelSizeKind = perDirection(oddNumber);
const sigmaKind = perDirection(aboveZero);

export interface GaussianBlurOptions {
  /** The standard deviations in pixels. Default: 0.15 of the kernel's size and 0.35. */
  sigma?: PerDirection;
}

const blurTakes = signature<GaussianBlurOptions>(
  { image: tensorKind, kernelSize: kernelSizeKind },
  { sigma: sigmaKind },
);

/** @internal Both numbers, x before y. */
export const bothOf = (value: PerDirection): [x: number, y: number] =>
  typeof value === 'number' ? [value, value] : [value[0]!, value[1] ?? value[0]!];

/**
 * An image blurred by a Gaussian; beyond its border it is mirrored. As
 * `torchvision.transforms.v2.functional.gaussian_blur`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a kernel that reaches further than the image.
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.gaussianBlur(ones([3, 8, 8]), 3).shape; // [3, 8, 8]
 */
export function gaussianBlur(image: Tensor, kernelSize: PerDirection, options: GaussianBlurOptions = {}): Tensor {
  blurTakes.check('gaussianBlur', arguments);
  imageShape('gaussianBlur', image);
  const size = bothOf(kernelSize);
  const sigma = options.sigma === undefined ? size.map((each) => each * 0.15 + 0.35) : bothOf(options.sigma);
  return blurred('gaussianBlur', image, size, sigma as [number, number]);
}

/** @internal An image blurred by a Gaussian. */
export function blurred(name: string, image: Tensor, size: [number, number], sigma: [number, number]): Tensor {
  const { channels, height, width } = imageShape(name, image);
  if (image.numel() === 0) return image;
  const [x, y] = size.map((each) => (each - 1) / 2) as [number, number];
  if (x >= width || y >= height) {
    throw refusal(name, `a kernel of [${size.join(', ')}], x before y, mirrors more than the ${height} x ${width} pixels of the image`); // prettier-ignore
  }
  return scope(() => {
    const as = { dtype: image.isFloatingPoint() ? image.dtype : ('float32' as const), device: image.device };
    const weights = (length: number, deviation: number): Tensor => {
      // exp(-x²) with places in units of √2 deviations.
      const reach = (length - 1) / (2 * Math.sqrt(2));
      return linspace(-reach, reach, length, as).div(deviation).pow(2).neg().softmax(0);
    };
    const [across, down] = [weights(size[0], sigma[0]), weights(size[1], sigma[1])];
    const kernel = down.unsqueeze(-1).mul(across).expand([channels, 1, size[1], size[0]]);
    const padded = pad(asBatch(image).to(as.dtype), [x, x, y, y], 'reflect');
    const made = likeLeading(conv2d(padded, kernel, { groups: channels }), image);
    return image.isFloatingPoint() ? made : made.round_().to(image.dtype);
  });
}

export interface GaussianNoiseOptions extends TransformContext {
  /** The mean of what is added, where values are 0 … 1. Default: 0. */
  mean?: number;
  /** The standard deviation of what is added. Default: 0.1. */
  sigma?: number;
  /** Whether values are kept within the image's range. Default: true. */
  clip?: boolean;
}

export const noiseOptions = { mean: finite, sigma: notNegative, clip: boolean };
const noiseTakes = signature<GaussianNoiseOptions>(
  { image: tensorKind },
  { ...noiseOptions, generator: generatorKind },
);

/**
 * An image with noise from a normal distribution added. As `torchvision.transforms.v2.functional.gaussian_noise`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an image that is neither of floats nor of uint8.
 * @example
 * import { Generator, zeros } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * const noise = { sigma: 0.5, generator: new Generator().manualSeed(0) };
 * transforms.functional.gaussianNoise(zeros([3, 4, 4]), noise).max().item() <= 1; // true
 */
export function gaussianNoise(image: Tensor, options: GaussianNoiseOptions = {}): Tensor {
  noiseTakes.check('gaussianNoise', arguments);
  const { mean = 0, sigma = 0.1, clip = true, generator } = options;
  imageShape('gaussianNoise', image);
  const isBytes = image.dtype === 'uint8';
  if (!isBytes && !image.isFloatingPoint()) {
    throw refusal('gaussianNoise', `image must be of floats or uint8, got ${image.dtype}`);
  }
  return scope(() => {
    const most = greatest(image.dtype);
    const drawn = normals(image.shape, isBytes ? 'float32' : image.dtype, image.device, { generator });
    const noise = drawn.mul_(isBytes ? sigma * most : sigma).add_(isBytes ? mean * most : mean);
    if (!isBytes) return clip ? image.add(noise).clamp_(0, 1) : image.add(noise);
    const made = image.add(noise.to('int16'));
    return (clip ? made.clamp_(0, most) : made).to('uint8');
  });
}
