import { boolean, count, either, kind, listOf, orNull, positive, tuple } from '../kinds.js';
import { signature } from '../signature.js';
import type { Tensor } from '../tensor/index.js';
import { fractions, wholeFrom, type TransformContext } from './draws.js';
import { checkMaxSize, resize, resizeOptions, resizeSizeKind, type ResizeOptions } from './functional/resize.js';
import { imageShape, interpolationKind, refusal, type CropSize, type Interpolation } from './image.js';
import { rangeOf } from './numbers.js';
import { Transform } from './transform.js';

const takes = signature<ResizeOptions>({ size: resizeSizeKind }, resizeOptions);

/**
 * Images at another size: `[height, width]`; one number is the shorter side's, and null has the longer side be `maxSize`. As
 * `torchvision.transforms.v2.Resize`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a `maxSize` that the size leaves no room for.
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.Resize(10).forward(ones([3, 20, 30])).shape; // [3, 10, 15]
 */
export class Resize extends Transform {
  readonly size: CropSize | null;
  readonly interpolation: Interpolation;
  readonly maxSize: number | null;
  readonly antialias: boolean;

  constructor(size: CropSize | null, options: ResizeOptions = {}) {
    takes.check(new.target.name, arguments);
    const { interpolation = 'bilinear', maxSize = null, antialias = true } = options;
    checkMaxSize(new.target.name, size, maxSize);
    super();
    this.size = size;
    this.interpolation = interpolation;
    this.maxSize = maxSize;
    this.antialias = antialias;
  }

  protected override transform(image: Tensor): Tensor {
    const { size, interpolation, maxSize, antialias } = this;
    return resize(image, size, { interpolation, maxSize, antialias });
  }
}

export interface RandomSizeOptions {
  /** How values between pixels are found. Default: 'bilinear'. */
  interpolation?: Interpolation;
  /** Whether shrinking weighs all pixels, for 'bilinear' and 'bicubic'. Default: true. */
  antialias?: boolean;
}

const sizeOptions = { interpolation: interpolationKind, antialias: boolean };

/** The base of transforms that give images a size that is drawn. */
abstract class RandomlySized extends Transform {
  readonly interpolation: Interpolation;
  readonly antialias: boolean;

  constructor({ interpolation = 'bilinear', antialias = true }: RandomSizeOptions) {
    super();
    this.interpolation = interpolation;
    this.antialias = antialias;
  }

  protected override transform(image: Tensor, context: TransformContext): Tensor {
    const { interpolation, antialias } = this;
    return resize(image, this.drawSize(image, context), { interpolation, antialias });
  }

  protected abstract drawSize(image: Tensor, context: TransformContext): CropSize;
}

const resizeTakes = signature<RandomSizeOptions>({ minSize: count, maxSize: count }, sizeOptions);

/**
 * Images whose shorter side has a random size from `minSize` up to, not including, `maxSize`. As
 * `torchvision.transforms.v2.RandomResize`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a `maxSize` that is not above `minSize`.
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.RandomResize(5, 6).forward(ones([3, 8, 8])).shape; // [3, 5, 5]
 */
export class RandomResize extends RandomlySized {
  readonly minSize: number;
  readonly maxSize: number;

  constructor(minSize: number, maxSize: number, options: RandomSizeOptions = {}) {
    resizeTakes.check(new.target.name, arguments);
    if (maxSize <= minSize) throw refusal(new.target.name, `maxSize must be above minSize, ${minSize}, got ${maxSize}`);
    super(options);
    this.minSize = minSize;
    this.maxSize = maxSize;
  }

  protected override drawSize(_image: Tensor, context: TransformContext): CropSize {
    return wholeFrom(this.minSize, this.maxSize, context);
  }
}

export interface RandomShortestSizeOptions extends RandomSizeOptions {
  /** The most that the longer side may have. Default: no limit. */
  maxSize?: number | null;
}

const sizesKind = either<number, readonly number[]>(
  count,
  kind('an array of whole numbers above 0', (value) => listOf(count).accepts(value) && (value as number[]).length > 0),
);
const shortestTakes = signature<RandomShortestSizeOptions>(
  { minSize: sizesKind },
  { maxSize: orNull(count), ...sizeOptions },
);

/**
 * Images whose shorter side has one of several sizes. As `torchvision.transforms.v2.RandomShortestSize`.
 *
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.RandomShortestSize([4], { maxSize: 6 }).forward(ones([3, 8, 16])).shape; // [3, 3, 6]
 */
export class RandomShortestSize extends RandomlySized {
  readonly minSize: readonly number[];
  readonly maxSize: number | null;

  constructor(minSize: number | readonly number[], options: RandomShortestSizeOptions = {}) {
    shortestTakes.check(new.target.name, arguments);
    const { maxSize = null, ...rest } = options;
    super(rest);
    this.minSize = typeof minSize === 'number' ? [minSize] : minSize;
    this.maxSize = maxSize;
  }

  protected override drawSize(image: Tensor, context: TransformContext): CropSize {
    const { height, width } = imageShape(this.constructor.name, image);
    const shorter = this.minSize[wholeFrom(0, this.minSize.length, context)]!;
    const ratio = Math.min(shorter / Math.min(height, width), (this.maxSize ?? Infinity) / Math.max(height, width));
    return [Math.max(Math.trunc(height * ratio), 1), Math.max(Math.trunc(width * ratio), 1)];
  }
}

export interface ScaleJitterOptions extends RandomSizeOptions {
  /** The least and the most of the target size. Default: [0.1, 2]. */
  scaleRange?: readonly [number, number];
}

const jitterTakes = signature<ScaleJitterOptions>(
  { targetSize: tuple<readonly [number, number]>(count, count) },
  { scaleRange: rangeOf(positive), ...sizeOptions },
);

/**
 * Images at a random scale: as large as fits `targetSize`, [width, height] as torchvision reads it, times a number of `scaleRange`. As
 * `torchvision.transforms.v2.ScaleJitter`.
 *
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.ScaleJitter([4, 4], { scaleRange: [1, 1] }).forward(ones([3, 8, 8])).shape; // [3, 4, 4]
 */
export class ScaleJitter extends RandomlySized {
  readonly targetSize: readonly [number, number];
  readonly scaleRange: readonly [number, number];

  constructor(targetSize: readonly [number, number], options: ScaleJitterOptions = {}) {
    jitterTakes.check(new.target.name, arguments);
    const { scaleRange = [0.1, 2], ...rest } = options;
    super(rest);
    this.targetSize = targetSize;
    this.scaleRange = scaleRange;
  }

  protected override drawSize(image: Tensor, context: TransformContext): CropSize {
    const { height, width } = imageShape(this.constructor.name, image);
    const [least, most] = this.scaleRange;
    const fitting = Math.min(this.targetSize[1] / height, this.targetSize[0] / width);
    // In float32, as torchvision computes it.
    const ratio = fractions([1], context).mul(most - least).add(least).mul(fitting); // prettier-ignore
    const scaled = (length: number): number => Math.max(Math.trunc(Number(ratio.mul(length).item())), 1);
    return [scaled(height), scaled(width)];
  }
}
