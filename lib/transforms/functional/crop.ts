import { boolean, count, whole } from '../../kinds.js';
import { signature } from '../../signature.js';
import { scope, type Tensor } from '../../tensor/index.js';
import { tensorKind } from '../../tensor/kinds.js';
import { cropSizeKind, imageShape, interpolationKind, refusal, roundToEven, sizeOf, type CropSize } from '../image.js';
import { padded } from './pad.js';
import { resized, type ResizeOptions } from './resize.js';

const rectangle = { image: tensorKind, top: whole, left: whole, height: count, width: count };
const cropTakes = signature(rectangle);
const sizeTakes = signature({ image: tensorKind, size: cropSizeKind });
const flipTakes = signature({ image: tensorKind });

/**
 * A rectangle of an image; what lies outside is 0. Without any of that it shares the image's memory. As
 * `torchvision.transforms.v2.functional.crop`.
 *
 * @example
 * import { arange } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.crop(arange(9).view(1, 3, 3), 1, 1, 2, 2).tolist(); // [[[4, 5], [7, 8]]]
 */
export function crop(image: Tensor, top: number, left: number, height: number, width: number): Tensor {
  cropTakes.check('crop', arguments);
  const { height: imageHeight, width: imageWidth } = imageShape('crop', image);
  const [bottom, right] = [top + height, left + width];
  return scope(() => {
    const within = (value: number, most: number): number => Math.min(Math.max(value, 0), most);
    const [y, x] = [within(top, imageHeight), within(left, imageWidth)];
    const [yEnd, xEnd] = [within(bottom, imageHeight), within(right, imageWidth)];
    const part = image.narrow(-2, y, yEnd - y).narrow(-1, x, xEnd - x);
    if (yEnd - y === height && xEnd - x === width) return part;
    const paddedLeft = Math.min(Math.max(-left, 0), width);
    const paddedTop = Math.min(Math.max(-top, 0), height);
    const sides = [paddedLeft, paddedTop, width - (xEnd - x) - paddedLeft, height - (yEnd - y) - paddedTop] as const;
    return padded('crop', part, sides, 0, 'constant');
  });
}

/**
 * The middle of an image; where the image is smaller, its border is 0. As `torchvision.transforms.v2.functional.center_crop`.
 *
 * @example
 * import { arange } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.centerCrop(arange(25).view(1, 5, 5), [1, 3]).tolist(); // [[[11, 12, 13]]]
 */
export function centerCrop(image: Tensor, size: CropSize): Tensor {
  sizeTakes.check('centerCrop', arguments);
  const [height, width] = sizeOf(size);
  return scope(() => {
    let whole = image;
    const shape = imageShape('centerCrop', image);
    if (height > shape.height || width > shape.width) {
      const half = (more: number): [number, number] => [Math.floor(more / 2), Math.floor((more + 1) / 2)];
      const [left, right] = half(Math.max(width - shape.width, 0));
      const [top, bottom] = half(Math.max(height - shape.height, 0));
      whole = padded('centerCrop', image, [left, top, right, bottom], 0, 'constant');
    }
    const now = imageShape('centerCrop', whole);
    const top = roundToEven((now.height - height) / 2);
    const left = roundToEven((now.width - width) / 2);
    return whole.narrow(-2, top, height).narrow(-1, left, width);
  });
}

const resizedCropOptions = { interpolation: interpolationKind, antialias: boolean };
export type ResizedCropOptions = Pick<ResizeOptions, 'interpolation' | 'antialias'>;
const resizedCropTakes = signature<ResizedCropOptions>({ ...rectangle, size: cropSizeKind }, resizedCropOptions);

/**
 * A rectangle of an image, at another size. As `torchvision.transforms.v2.functional.resized_crop`.
 *
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.resizedCrop(ones([3, 8, 8]), 2, 2, 4, 4, [6, 5]).shape; // [3, 6, 5]
 */
export function resizedCrop(
  image: Tensor,
  top: number,
  left: number,
  height: number,
  width: number,
  size: CropSize,
  options: ResizedCropOptions = {},
): Tensor {
  resizedCropTakes.check('resizedCrop', arguments);
  const { interpolation = 'bilinear', antialias = true } = options;
  return scope(() => resized(crop(image, top, left, height, width), sizeOf(size), interpolation, antialias));
}

/**
 * An image mirrored from left to right. As `torchvision.transforms.v2.functional.horizontal_flip`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.horizontalFlip(tensor([[[1, 2]]])).tolist(); // [[[2, 1]]]
 */
export function horizontalFlip(image: Tensor): Tensor {
  flipTakes.check('horizontalFlip', arguments);
  imageShape('horizontalFlip', image);
  return image.flip([-1]);
}

/**
 * An image mirrored from top to bottom. As `torchvision.transforms.v2.functional.vertical_flip`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.verticalFlip(tensor([[[1], [2]]])).tolist(); // [[[2], [1]]]
 */
export function verticalFlip(image: Tensor): Tensor {
  flipTakes.check('verticalFlip', arguments);
  imageShape('verticalFlip', image);
  return image.flip([-2]);
}

/** The four corners of an image and its middle. */
export type FiveCrops = [topLeft: Tensor, topRight: Tensor, bottomLeft: Tensor, bottomRight: Tensor, center: Tensor];

/**
 * The four corners of an image and its middle, in the order top left, top right, bottom left, bottom right, middle. As
 * `torchvision.transforms.v2.functional.five_crop`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a size larger than the image.
 * @example
 * import { arange } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.fiveCrop(arange(9).view(1, 3, 3), 1).map((part) => part.item()); // [0, 2, 6, 8, 4]
 */
export function fiveCrop(image: Tensor, size: CropSize): FiveCrops {
  sizeTakes.check('fiveCrop', arguments);
  return corners('fiveCrop', image, size);
}

function corners(name: string, image: Tensor, size: CropSize): FiveCrops {
  const { height, width } = imageShape(name, image);
  const [h, w] = sizeOf(size);
  if (h > height || w > width)
    throw refusal(name, `a part of [${h}, ${w}] is larger than the image, [${height}, ${width}]`);
  const [bottom, right] = [height - h, width - w];
  return [
    crop(image, 0, 0, h, w),
    crop(image, 0, right, h, w),
    crop(image, bottom, 0, h, w),
    crop(image, bottom, right, h, w),
    centerCrop(image, [h, w]),
  ];
}

export interface TenCropOptions {
  /** Whether the mirror image is upside down instead of from left to right. Default: false. */
  verticalFlip?: boolean;
}

export const tenCropOptions = { verticalFlip: boolean };
const tenCropTakes = signature<TenCropOptions>({ image: tensorKind, size: cropSizeKind }, tenCropOptions);

/**
 * The parts of `fiveCrop`, and those of the mirrored image. As `torchvision.transforms.v2.functional.ten_crop`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a size larger than the image.
 * @example
 * import { arange } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.tenCrop(arange(4).view(1, 2, 2), 1).length; // 10
 */
export function tenCrop(image: Tensor, size: CropSize, options: TenCropOptions = {}): Tensor[] {
  tenCropTakes.check('tenCrop', arguments);
  const first = corners('tenCrop', image, size);
  return [...first, ...corners('tenCrop', image.flip([options.verticalFlip === true ? -2 : -1]), size)];
}
