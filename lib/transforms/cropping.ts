import { boolean, orNull } from '../kinds.js';
import { signature } from '../signature.js';
import { tensor, type Tensor } from '../tensor/index.js';
import { uniform, uniformTensor, wholeFrom, type TransformContext } from './draws.js';
import { centerCrop, fiveCrop, resizedCrop, tenCrop, tenCropOptions, type FiveCrops, type ResizedCropOptions, type TenCropOptions } from './functional/crop.js'; // prettier-ignore
import { padded, padOptions, type PadOptions } from './functional/pad.js';
import { cropSizeKind, imageShape, interpolationKind, paddingKind, refusal, roundToEven, sidesOf, sizeOf, type CropSize, type Interpolation, type Padding } from './image.js'; // prettier-ignore
import { rangeKind, type Range } from './numbers.js';
import { Transform } from './transform.js';

const sizeTakes = signature({ size: cropSizeKind });

/**
 * The middle of images; where one is smaller, its border is 0. As `torchvision.transforms.v2.CenterCrop`.
 *
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.CenterCrop(4).forward(ones([3, 8, 8])).shape; // [3, 4, 4]
 */
export class CenterCrop extends Transform {
  readonly size: CropSize;

  constructor(size: CropSize) {
    sizeTakes.check(new.target.name, arguments);
    super();
    this.size = size;
  }

  protected override transform(image: Tensor): Tensor {
    return centerCrop(image, this.size);
  }
}

/**
 * The corners and the middle of images, [top left, top right, bottom left, bottom right, middle]. As
 * `torchvision.transforms.v2.FiveCrop`.
 *
 * @example
 * import { ones, stack } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * stack(new transforms.FiveCrop(4).forward(ones([3, 8, 8]))).shape; // [5, 3, 4, 4]
 */
export class FiveCrop extends Transform<FiveCrops> {
  readonly size: CropSize;

  constructor(size: CropSize) {
    sizeTakes.check(new.target.name, arguments);
    super();
    this.size = size;
  }

  protected override transform(image: Tensor): FiveCrops {
    return fiveCrop(image, this.size);
  }
}

const tenTakes = signature<TenCropOptions>({ size: cropSizeKind }, tenCropOptions);

/**
 * The parts of `FiveCrop`, and those of the mirrored images. As `torchvision.transforms.v2.TenCrop`.
 *
 * @example
 * import { ones, stack } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * stack(new transforms.TenCrop(4).forward(ones([3, 8, 8]))).shape; // [10, 3, 4, 4]
 */
export class TenCrop extends Transform<Tensor[]> {
  readonly size: CropSize;
  readonly verticalFlip: boolean;

  constructor(size: CropSize, options: TenCropOptions = {}) {
    tenTakes.check(new.target.name, arguments);
    super();
    this.size = size;
    this.verticalFlip = options.verticalFlip ?? false;
  }

  protected override transform(image: Tensor): Tensor[] {
    return tenCrop(image, this.size, { verticalFlip: this.verticalFlip });
  }
}

export interface RandomCropOptions extends PadOptions {
  /** The border that images get before. Default: none. */
  padding?: Padding | null;
  /** Whether images that are smaller than the size get a border on both sides. Default: false. */
  padIfNeeded?: boolean;
}

const cropTakes = signature<RandomCropOptions>(
  { size: cropSizeKind },
  { padding: orNull(paddingKind), padIfNeeded: boolean, ...padOptions },
);

/**
 * A part of images at a random place. As `torchvision.transforms.v2.RandomCrop`.
 *
 * @throws AiforgeError INVALID_ARGUMENT from `forward` for an image that is smaller than the size, without `padIfNeeded`.
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.RandomCrop(8, { padding: 1 }).forward(ones([3, 8, 8])).shape; // [3, 8, 8]
 */
export class RandomCrop extends Transform {
  readonly size: CropSize;
  readonly padding: Padding | null;
  readonly padIfNeeded: boolean;
  readonly fill: NonNullable<PadOptions['fill']>;
  readonly paddingMode: NonNullable<PadOptions['paddingMode']>;

  constructor(size: CropSize, options: RandomCropOptions = {}) {
    cropTakes.check(new.target.name, arguments);
    super();
    this.size = size;
    this.padding = options.padding ?? null;
    this.padIfNeeded = options.padIfNeeded ?? false;
    this.fill = options.fill ?? 0;
    this.paddingMode = options.paddingMode ?? 'constant';
  }

  protected override transform(image: Tensor, context: TransformContext): Tensor {
    const name = this.constructor.name;
    const { height, width } = imageShape(name, image);
    const [h, w] = sizeOf(this.size);
    let [left, top, right, bottom] = sidesOf(this.padding ?? 0);
    if (this.padIfNeeded) {
      const [lacking, narrow] = [Math.max(h - (height + top + bottom), 0), Math.max(w - (width + left + right), 0)];
      [top, bottom, left, right] = [top + lacking, bottom + lacking, left + narrow, right + narrow];
    }
    const [fullHeight, fullWidth] = [height + top + bottom, width + left + right];
    if (fullHeight < h || fullWidth < w) {
      throw refusal(name, `a part of [${h}, ${w}] is larger than the image with its border, [${fullHeight}, ${fullWidth}]; padIfNeeded makes that larger`); // prettier-ignore
    }
    const y = fullHeight > h ? wholeFrom(0, fullHeight - h + 1, context) : 0;
    const x = fullWidth > w ? wholeFrom(0, fullWidth - w + 1, context) : 0;
    const hasBorder = [left, top, right, bottom].some((each) => each !== 0);
    const whole = hasBorder ? padded(name, image, [left, top, right, bottom], this.fill, this.paddingMode) : image;
    return whole.narrow(-2, y, h).narrow(-1, x, w);
  }
}

export interface RandomResizedCropOptions extends ResizedCropOptions {
  /** The least and the most of the image's area. Default: [0.08, 1]. */
  scale?: readonly [number, number];
  /** The least and the greatest width for the height. Default: [3/4, 4/3]. */
  ratio?: readonly [number, number];
}

const resizedCropTakes = signature<RandomResizedCropOptions>(
  { size: cropSizeKind },
  { scale: rangeKind, ratio: rangeKind, interpolation: interpolationKind, antialias: boolean },
);

/**
 * A part of images at a random place, of a random area and aspect, at one size. As
 * `torchvision.transforms.v2.RandomResizedCrop`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for areas or aspects that are not above 0.
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.RandomResizedCrop(4, { scale: [0.5, 1] }).forward(ones([3, 8, 8])).shape; // [3, 4, 4]
 */
export class RandomResizedCrop extends Transform {
  readonly size: CropSize;
  readonly scale: readonly [number, number];
  readonly ratio: readonly [number, number];
  readonly interpolation: Interpolation;
  readonly antialias: boolean;

  constructor(size: CropSize, options: RandomResizedCropOptions = {}) {
    resizedCropTakes.check(new.target.name, arguments);
    const { scale = [0.08, 1], ratio = [3 / 4, 4 / 3], interpolation = 'bilinear', antialias = true } = options;
    if (scale[0] < 0 || ratio[0] <= 0) {
      throw refusal(new.target.name, `scale must not be below 0 and ratio must be above it, got [${scale.join(', ')}] and [${ratio.join(', ')}]`); // prettier-ignore
    }
    super();
    this.size = size;
    this.scale = scale;
    this.ratio = ratio;
    this.interpolation = interpolation;
    this.antialias = antialias;
  }

  protected override transform(image: Tensor, context: TransformContext): Tensor {
    const { height, width } = imageShape(this.constructor.name, image);
    const { interpolation, antialias } = this;
    const [top, left, h, w] = place(height, width, this.scale, this.ratio, context);
    return resizedCrop(image, top, left, h, w, this.size, { interpolation, antialias });
  }
}

// Ten tries, and then the largest part in the middle whose aspect fits.
function place(
  height: number,
  width: number,
  scale: Range,
  ratio: Range,
  context: TransformContext,
): [top: number, left: number, height: number, width: number] {
  for (let i = 0; i < 10; ++i) {
    const area = height * width * uniform(scale[0], scale[1], context);
    const aspect = aspectOf(ratio, context);
    const [w, h] = [roundToEven(Math.sqrt(area * aspect)), roundToEven(Math.sqrt(area / aspect))];
    if (w > 0 && w <= width && h > 0 && h <= height) {
      return [wholeFrom(0, height - h + 1, context), wholeFrom(0, width - w + 1, context), h, w];
    }
  }
  const aspect = Math.min(Math.max(width / height, ratio[0]), ratio[1]);
  const w = width / height > ratio[1] ? Math.max(roundToEven(height * aspect), 1) : width;
  const h = width / height < ratio[0] ? Math.max(roundToEven(width / aspect), 1) : height;
  return [Math.floor((height - h) / 2), Math.floor((width - w) / 2), h, w];
}

/** A width for a height, whose logarithm is uniform; in float32, as torchvision computes it. */
export function aspectOf(ratio: Range, context: TransformContext): number {
  const [low, high] = tensor([...ratio], { dtype: 'float32' })
    .log()
    .tolist<[number, number]>();
  return Number(uniformTensor(low, high, context).exp().item());
}
