import { boolean, either, fraction, kind, listOf, notNegative, orNull, positive } from '../kinds.js';
import { signature } from '../signature.js';
import { cat, type Tensor } from '../tensor/index.js';
import { fractions, uniform, wholeFrom, type TransformContext } from './draws.js';
import { affine, pointKind, rotate, type Point } from './functional/affine.js';
import { blurred, bothOf, type PerDirection } from './functional/gaussian.js';
import { elastic, perspective } from './functional/perspective.js';
import { fillKind, imageShape, optionalFillKind, roundToEven, warpInterpolationKind, type Fill, type WarpInterpolation } from './image.js'; // prettier-ignore
import { aboveZero, perDirection, rangeKind, rangeOf, type Range } from './numbers.js';
import { RandomTransform, Transform } from './transform.js';

/** The least and the most; one number reaches as far below 0 as above. */
const symmetricKind = either<number, Range>(notNegative, rangeKind);
const symmetric = (value: number | Range): Range => (typeof value === 'number' ? [-value, value] : value);

export interface RandomRotationOptions {
  /** How values between pixels are found. Default: 'nearest'. */
  interpolation?: WarpInterpolation;
  /** Whether images become as large as their rotated corners need. Default: false. */
  expand?: boolean;
  /** What stays in its place, x before y. Default: the middle. */
  center?: Point | null;
  /** What lies outside the image. Default: 0. */
  fill?: Fill | null;
}

const rotationTakes = signature<RandomRotationOptions>(
  { degrees: symmetricKind },
  { interpolation: warpInterpolationKind, expand: boolean, center: orNull(pointKind), fill: optionalFillKind },
);

/**
 * Images rotated counter-clockwise by a random angle: of the range `degrees`, or as far to one side as to the other. As
 * `torchvision.transforms.v2.RandomRotation`.
 *
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.RandomRotation(30, { interpolation: 'bilinear' }).forward(ones([3, 8, 8])).shape; // [3, 8, 8]
 */
export class RandomRotation extends Transform {
  readonly degrees: Range;
  readonly interpolation: WarpInterpolation;
  readonly expand: boolean;
  readonly center: Point | null;
  readonly fill: Fill | null;

  constructor(degrees: number | Range, options: RandomRotationOptions = {}) {
    rotationTakes.check(new.target.name, arguments);
    super();
    this.degrees = symmetric(degrees);
    this.interpolation = options.interpolation ?? 'nearest';
    this.expand = options.expand ?? false;
    this.center = options.center ?? null;
    this.fill = options.fill === undefined ? 0 : options.fill;
  }

  protected override transform(image: Tensor, context: TransformContext): Tensor {
    const { interpolation, expand, center, fill } = this;
    return rotate(image, uniform(...this.degrees, context), { interpolation, expand, center, fill });
  }
}

export interface RandomAffineOptions {
  /** How far images move at most, as parts of their width and height. Default: they do not. */
  translate?: Range | null;
  /** The least and the greatest scale. Default: 1. */
  scale?: Range | null;
  /** The range of shears in degrees, of x; of x and y as four numbers; one number reaches both ways. Default: none. */
  shear?: number | readonly number[] | null;
  /** How values between pixels are found. Default: 'nearest'. */
  interpolation?: WarpInterpolation;
  /** What lies outside the image. Default: 0. */
  fill?: Fill | null;
  /** What stays in its place, x before y. Default: the middle. */
  center?: Point | null;
}

const partsKind = kind<Range>('an array of two numbers from 0 to 1', (value) => listOf(fraction).accepts(value) && (value as number[]).length === 2); // prettier-ignore
const isShears = (value: unknown): boolean =>
  Array.isArray(value) &&
  (value.length === 2 || value.length === 4) &&
  rangeKind.accepts(value.slice(0, 2)) &&
  (value.length === 2 || rangeKind.accepts(value.slice(2)));
const shearKind = either<number, readonly number[]>(
  notNegative,
  kind('an array of two or four numbers, the least before the most', isShears),
);
const affineTakes = signature<RandomAffineOptions>(
  { degrees: symmetricKind },
  {
    translate: orNull(partsKind),
    scale: orNull(rangeOf(positive)),
    shear: orNull(shearKind),
    interpolation: warpInterpolationKind,
    fill: optionalFillKind,
    center: orNull(pointKind),
  },
);

/**
 * Images rotated, moved, scaled and sheared at random, about their middle. As `torchvision.transforms.v2.RandomAffine`.
 *
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * const jitter = new transforms.RandomAffine(10, { translate: [0.1, 0.1], scale: [0.9, 1.1] });
 * jitter.forward(ones([3, 8, 8])).shape; // [3, 8, 8]
 */
export class RandomAffine extends Transform {
  readonly degrees: Range;
  readonly translate: Range | null;
  readonly scale: Range | null;
  readonly shear: readonly number[] | null;
  readonly interpolation: WarpInterpolation;
  readonly fill: Fill | null;
  readonly center: Point | null;

  constructor(degrees: number | Range, options: RandomAffineOptions = {}) {
    affineTakes.check(new.target.name, arguments);
    const { shear = null } = options;
    super();
    this.degrees = symmetric(degrees);
    this.translate = options.translate ?? null;
    this.scale = options.scale ?? null;
    this.shear = typeof shear === 'number' ? [-shear, shear] : shear;
    this.interpolation = options.interpolation ?? 'nearest';
    this.fill = options.fill === undefined ? 0 : options.fill;
    this.center = options.center ?? null;
  }

  protected override transform(image: Tensor, context: TransformContext): Tensor {
    const { height, width } = imageShape(this.constructor.name, image);
    const { interpolation, fill, center, shear } = this;
    const angle = uniform(...this.degrees, context);
    const move = (most: number): number => roundToEven(uniform(-most, most, context));
    const parts = this.translate;
    const translate: Point = parts === null ? [0, 0] : [move(parts[0] * width), move(parts[1] * height)];
    const scale = this.scale === null ? 1 : uniform(...this.scale, context);
    const shearX = shear === null ? 0 : uniform(shear[0]!, shear[1]!, context);
    const shearY = shear === null || shear.length < 4 ? 0 : uniform(shear[2]!, shear[3]!, context);
    return affine(image, angle, translate, scale, [shearX, shearY], { interpolation, fill, center });
  }
}

export interface RandomPerspectiveOptions {
  /** How far corners move at most, as a part of half the image, 0 … 1. Default: 0.5. */
  distortionScale?: number;
  /** How probable it is, 0 … 1. Default: 0.5. */
  p?: number;
  /** How values between pixels are found. Default: 'bilinear'. */
  interpolation?: WarpInterpolation;
  /** What lies outside the image. Default: 0. */
  fill?: Fill | null;
}

const perspectiveTakes = signature<RandomPerspectiveOptions>(
  {},
  { distortionScale: fraction, p: fraction, interpolation: warpInterpolationKind, fill: optionalFillKind },
);

/**
 * Images as seen from another place, with a probability: each corner moves inwards at random. As
 * `torchvision.transforms.v2.RandomPerspective`.
 *
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.RandomPerspective({ distortionScale: 0.3, p: 1 }).forward(ones([3, 8, 8])).shape; // [3, 8, 8]
 */
export class RandomPerspective extends RandomTransform {
  readonly distortionScale: number;
  readonly interpolation: WarpInterpolation;
  readonly fill: Fill | null;

  constructor(options: RandomPerspectiveOptions = {}) {
    perspectiveTakes.check(new.target.name, arguments);
    super(options.p);
    this.distortionScale = options.distortionScale ?? 0.5;
    this.interpolation = options.interpolation ?? 'bilinear';
    this.fill = options.fill === undefined ? 0 : options.fill;
  }

  protected override changed(image: Tensor, context: TransformContext): Tensor {
    const { height, width } = imageShape(this.constructor.name, image);
    const reach = (length: number): number => Math.trunc(this.distortionScale * Math.floor(length / 2)) + 1;
    const [x, y] = [reach(width), reach(height)];
    const [left, top] = [() => wholeFrom(0, x, context), () => wholeFrom(0, y, context)];
    const [right, bottom] = [() => wholeFrom(width - x, width, context), () => wholeFrom(height - y, height, context)];
    const corners = [
      [0, 0],
      [width - 1, 0],
      [width - 1, height - 1],
      [0, height - 1],
    ] as const;
    const moved = [
      [left(), top()],
      [right(), top()],
      [right(), bottom()],
      [left(), bottom()],
    ] as const;
    return perspective(image, corners, moved, { interpolation: this.interpolation, fill: this.fill });
  }
}

export interface ElasticTransformOptions {
  /** How far pixels move, of both directions or of each, x before y. Default: 50. */
  alpha?: PerDirection;
  /** How smooth the displacements are, in pixels, of both directions or of each. Default: 5. */
  sigma?: PerDirection;
  /** How values between pixels are found. Default: 'bilinear'. */
  interpolation?: WarpInterpolation;
  /** What lies outside the image. Default: 0. */
  fill?: Fill;
}

const elasticTakes = signature<ElasticTransformOptions>(
  {},
  {
    alpha: perDirection(notNegative),
    sigma: perDirection(aboveZero),
    interpolation: warpInterpolationKind,
    fill: fillKind,
  },
);

/**
 * Images whose pixels move by random displacements that are smoothed. As `torchvision.transforms.v2.ElasticTransform`.
 *
 * @throws AiforgeError INVALID_ARGUMENT from `forward` for an image that is smaller than 4 times `sigma`.
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.ElasticTransform({ alpha: 5, sigma: 1 }).forward(ones([3, 9, 9])).shape; // [3, 9, 9]
 */
export class ElasticTransform extends Transform {
  readonly alpha: readonly [x: number, y: number];
  readonly sigma: readonly [x: number, y: number];
  readonly interpolation: WarpInterpolation;
  readonly fill: Fill;

  constructor(options: ElasticTransformOptions = {}) {
    elasticTakes.check(new.target.name, arguments);
    super();
    this.alpha = bothOf(options.alpha ?? 50);
    this.sigma = bothOf(options.sigma ?? 5);
    this.interpolation = options.interpolation ?? 'bilinear';
    this.fill = options.fill ?? 0;
  }

  protected override transform(image: Tensor, context: TransformContext): Tensor {
    const { height, width } = imageShape(this.constructor.name, image);
    const direction = (i: 0 | 1, length: number): Tensor => {
      const kernel = Math.trunc(8 * this.sigma[i] + 1);
      const odd = kernel % 2 === 0 ? kernel + 1 : kernel;
      const drawn = fractions([1, 1, height, width], context).mul(2).sub(1); // prettier-ignore
      return blurred(this.constructor.name, drawn, [odd, odd], [...this.sigma])
        .mul(this.alpha[i])
        .div(length);
    };
    const displacement = cat([direction(0, width), direction(1, height)], 1).permute([0, 2, 3, 1]);
    const { interpolation, fill } = this;
    return elastic(image, displacement.to(image.device), { interpolation, fill });
  }
}
