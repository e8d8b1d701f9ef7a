import { arange, linspace, type Tensor } from '../../tensor/index.js';
import { affine, rotate } from '../functional/affine.js';
import { adjustBrightness, adjustContrast, adjustSaturation, adjustSharpness } from '../functional/adjust.js';
import { equalize } from '../functional/equalize.js';
import { autocontrast, invert, posterize, solarize } from '../functional/levels.js';
import { colorShape, greatest, optionalFillKind, warpInterpolationKind, type Fill, type WarpInterpolation } from '../image.js'; // prettier-ignore
import { Transform } from '../transform.js';

export interface AugmentOptions {
  /** How values between pixels are found. Default: 'nearest', of AugMix 'bilinear'. */
  interpolation?: WarpInterpolation;
  /** What lies outside the image; null is 0, which is mixed in at the border. Default: null. */
  fill?: Fill | null;
}

export const augmentOptions = { interpolation: warpInterpolationKind, fill: optionalFillKind };

/** What is done to an image, by the names of the papers. */
export type Operation =
  | 'Identity'
  | 'ShearX'
  | 'ShearY'
  | 'TranslateX'
  | 'TranslateY'
  | 'Rotate'
  | 'Brightness'
  | 'Color'
  | 'Contrast'
  | 'Sharpness'
  | 'Posterize'
  | 'Solarize'
  | 'AutoContrast'
  | 'Equalize'
  | 'Invert';

/** Height and width of an image. */
export interface ImageSize {
  readonly height: number;
  readonly width: number;
}

/** The strengths of an operation, by the number of bins and the image's size; null where it has none. */
export type Strengths = ((bins: number, size: ImageSize) => Tensor) | null;

/** The operations that a policy has, each with its strengths and whether it goes both ways. */
export type Space = readonly (readonly [operation: Operation, strengths: Strengths, isSigned: boolean])[];

const upTo =
  (most: number) =>
  (bins: number): Tensor =>
    linspace(0, most, bins, { dtype: 'float32' });

/** Bits that become fewer, from `most` by `fewer`. */
export const bits =
  (most: number, fewer: number) =>
  (bins: number): Tensor =>
    arange(bins, { dtype: 'float32' })
      .div((bins - 1) / fewer)
      .neg()
      .add(most)
      .round();

const threshold = (bins: number): Tensor => linspace(1, 0, bins, { dtype: 'float32' });

/** Strengths that depend on the image's size. */
type OfSize = (bins: number, size: ImageSize) => Tensor;

/** The operations with strengths, in the order in which policies draw from them. */
export function strengths(limits: {
  shear: number;
  translateX: OfSize;
  translateY: OfSize;
  rotate: number;
  color: number;
  bits: OfSize;
}): { warps: Space; colors: Space; levels: Space; whole: Space } {
  const color = upTo(limits.color);
  return {
    warps: [
      ['ShearX', upTo(limits.shear), true],
      ['ShearY', upTo(limits.shear), true],
      ['TranslateX', limits.translateX, true],
      ['TranslateY', limits.translateY, true],
      ['Rotate', upTo(limits.rotate), true],
    ],
    colors: [
      ['Brightness', color, true],
      ['Color', color, true],
      ['Contrast', color, true],
      ['Sharpness', color, true],
    ],
    levels: [
      ['Posterize', limits.bits, false],
      ['Solarize', threshold, false],
    ],
    whole: [
      ['AutoContrast', null, false],
      ['Equalize', null, false],
    ],
  };
}

/** How far images are moved at most: a part of their width or height. */
export const ofWidth =
  (part: number): OfSize =>
  (bins, { width }) =>
    linspace(0, part * width, bins, { dtype: 'float32' });
/** How far images are moved at most: a part of their width or height. */
export const ofHeight =
  (part: number): OfSize =>
  (bins, { height }) =>
    linspace(0, part * height, bins, { dtype: 'float32' });
export const ofPixels = upTo;

const degrees = (slope: number): number => Math.atan(slope) * (180 / Math.PI);

/** The base of policies of operations. */
export abstract class Augment extends Transform {
  readonly interpolation: WarpInterpolation;
  readonly fill: Fill | null;

  constructor({ interpolation = 'nearest', fill = null }: AugmentOptions) {
    super();
    this.interpolation = interpolation;
    this.fill = fill;
  }

  /** What is drawn for an image depends on its size. */
  protected sizeOf(image: Tensor): ImageSize {
    return colorShape(this.constructor.name, image);
  }

  /** The image after an operation of a strength. */
  protected operate(image: Tensor, operation: Operation, strength: number): Tensor {
    const { interpolation, fill } = this;
    // As shears of PIL do, these leave the top left corner where it is.
    const sheared = (x: number, y: number): Tensor =>
      affine(image, 0, [0, 0], 1, [x, y], { interpolation, fill, center: [0, 0] });
    const moved = (x: number, y: number): Tensor => affine(image, 0, [x, y], 1, 0, { interpolation, fill });
    switch (operation) {
      case 'Identity':
        return image;
      case 'ShearX':
        return sheared(degrees(strength), 0);
      case 'ShearY':
        return sheared(0, degrees(strength));
      case 'TranslateX':
        return moved(Math.trunc(strength), 0);
      case 'TranslateY':
        return moved(0, Math.trunc(strength));
      case 'Rotate':
        return rotate(image, strength, { interpolation, fill });
      case 'Brightness':
        return adjustBrightness(image, 1 + strength);
      case 'Color':
        return adjustSaturation(image, 1 + strength);
      case 'Contrast':
        return adjustContrast(image, 1 + strength);
      case 'Sharpness':
        return adjustSharpness(image, 1 + strength);
      case 'Posterize':
        return posterize(image, Math.trunc(strength));
      case 'Solarize':
        return solarize(image, strength * greatest(image.dtype));
      case 'AutoContrast':
        return autocontrast(image);
      case 'Equalize':
        return equalize(image);
      case 'Invert':
        return invert(image);
    }
  }
}
