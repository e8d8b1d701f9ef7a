import { AiforgeError } from '../errors.js';
import { count, either, isListOf, kind, listOf, oneOf, orNull, type Kind } from '../kinds.js';
import { show } from '../show.js';
import { finite } from './numbers.js';
import { iinfo, type DType, type Tensor } from '../tensor/index.js';

/** How values between pixels are found. */
export type Interpolation = 'nearest' | 'nearest-exact' | 'bilinear' | 'bicubic';
/** How values between pixels are found where each pixel comes from a place of its own. */
export type WarpInterpolation = 'nearest' | 'bilinear';
/** What lies outside an image: one value, or one for each channel. */
export type Fill = number | readonly number[];
/** What lies beyond a border: a fill, the border's pixels, or a mirror without or with them. */
export type PaddingMode = 'constant' | 'edge' | 'reflect' | 'symmetric';
/** Height and width; one number is both. */
export type CropSize = number | readonly [height: number, width: number] | readonly [size: number];
/** A border: of all sides, of `[left and right, top and bottom]`, or of `[left, top, right, bottom]`. */
export type Padding = number | readonly number[];

export const interpolationKind = oneOf('nearest', 'nearest-exact', 'bilinear', 'bicubic');
export const warpInterpolationKind = oneOf('nearest', 'bilinear');
export const paddingModeKind = oneOf('constant', 'edge', 'reflect', 'symmetric');
export const fillKind: Kind<Fill> = either<number, readonly number[]>(
  finite,
  kind('an array of a finite number for each channel', (value) => isListOf(value, finite) && value.length > 0),
);
export const optionalFillKind: Kind<Fill | null> = orNull(fillKind);
export const cropSizeKind: Kind<CropSize> = kind(
  'a whole number above 0, or an array [height, width] of them',
  (value) => count.accepts(value) || (listOf(count).accepts(value) && [1, 2].includes((value as number[]).length)),
);
const whole = kind<number>('a whole number', Number.isSafeInteger);
export const paddingKind: Kind<Padding> = either<number, readonly number[]>(
  whole,
  kind('an array of 1, 2 or 4 whole numbers', (value) => isListOf(value, whole) && [1, 2, 4].includes(value.length)),
);
export const refusal = (name: string, problem: string): AiforgeError =>
  new AiforgeError('INVALID_ARGUMENT', `${name}: ${problem}.`);

/** What an image is about. */
export interface ImageShape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** The channels and sizes of an image; throws INVALID_ARGUMENT for what is none. */
export function imageShape(name: string, image: Tensor): ImageShape {
  const { shape } = image;
  if (shape.length < 3 || image.isComplex()) {
    throw refusal(name, `image must be a tensor [..., channels, height, width] of real numbers, got ${show(image)}`);
  }
  const [channels, height, width] = shape.slice(-3) as [number, number, number];
  return { channels, height, width };
}

/** The same, of an image that has colours or is grey. */
export function colorShape(name: string, image: Tensor): ImageShape {
  const shape = imageShape(name, image);
  if (shape.channels === 1 || shape.channels === 3) return shape;
  throw refusal(name, `image must have 1 or 3 channels, got ${shape.channels}, in ${show(image)}`);
}

/** Height and width of a size. */
export function sizeOf(size: CropSize): [height: number, width: number] {
  return typeof size === 'number' ? [size, size] : [size[0], size[1] ?? size[0]];
}

/** Left, top, right and bottom of a border. */
export function sidesOf(padding: Padding): [left: number, top: number, right: number, bottom: number] {
  if (typeof padding === 'number') return [padding, padding, padding, padding];
  const [left = 0, top = left, right = left, bottom = top] = padding;
  return [left, top, right, bottom];
}

/** The greatest value of an image of a dtype: 1 of floats and booleans. */
export function greatest(dtype: DType): number {
  return dtype === 'bool' || /^(b?float|complex)/.test(dtype) ? 1 : Number(iinfo(dtype).max);
}

/** Half a number goes to the even one, as Python's `round`. */
export function roundToEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** An image with all of its leading dimensions as one, [images, channels, height, width]. */
export const asBatch = (image: Tensor): Tensor => {
  const [channels, height, width] = image.shape.slice(-3) as [number, number, number];
  // Not -1: that is ambiguous where an image is empty.
  const images = image.shape.slice(0, -3).reduce((product, size) => product * size, 1);
  return image.reshape([images, channels, height, width]);
};

/** A batch with the leading dimensions of an image again. */
export const likeLeading = (batch: Tensor, image: Tensor): Tensor =>
  batch.reshape([...image.shape.slice(0, -3), ...batch.shape.slice(1)]);
