import { boolean, either, orNull, tuple } from '../../kinds.js';
import { signature } from '../../signature.js';
import { polar, scope, tensor, type Complex, type Tensor } from '../../tensor/index.js';
import { tensorKind } from '../../tensor/kinds.js';
import { imageShape, optionalFillKind, warpInterpolationKind, type Fill, type WarpInterpolation } from '../image.js';
import { aboveZero, finite } from '../numbers.js';
import { checkFill, pixels, placesDtype, sampled } from './warp.js';

/** A point of an image in pixels, x before y; 0, 0 is the top left corner. */
export type Point = readonly [x: number, y: number];

export const pointKind = tuple<readonly [number, number]>(finite, finite);

export interface AffineOptions {
  /** How values between pixels are found. Default: 'nearest'. */
  interpolation?: WarpInterpolation;
  /** What lies outside the image; null is 0, which is mixed in at the border. Default: null. */
  fill?: Fill | null;
  /** What stays in its place, x before y. Default: the middle. */
  center?: Point | null;
}

const affineOptions = { interpolation: warpInterpolationKind, fill: optionalFillKind, center: orNull(pointKind) };
const affineTakes = signature<AffineOptions>(
  {
    image: tensorKind,
    angle: finite,
    translate: pointKind,
    scale: aboveZero,
    shear: either<number, Point>(finite, pointKind),
  },
  affineOptions,
);

type Matrix = readonly [number, number, number, number, number, number];

const radians = (degrees: number): number => degrees * (Math.PI / 180);

// By C's functions, as Python has them: JavaScript's differ in the last bit of some angles.
function onCircle(angle: number): { cos: number; sin: number } {
  if (angle === 0) return { cos: 1, sin: 0 };
  const float64 = (value: number): Tensor => tensor(value, { dtype: 'float64' });
  const { re, im } = polar(float64(1), float64(angle)).item<Complex>();
  return { cos: re, sin: im };
}

/**
 * Where a pixel comes from, as `[x, y] = matrix · [x, y, 1]`: the inverse of a shear, a rotation and a scaling about a centre and
 * of a translation.
 */
function inverseAffine(center: Point, angle: number, translate: Point, scale: number, shear: Point): Matrix {
  const [rotation, shearX, shearY] = [radians(angle), radians(shear[0]), radians(shear[1])];
  const turned = onCircle(rotation);
  const skewed = onCircle(rotation - shearY);
  const a = skewed.cos / onCircle(shearY).cos;
  const c = skewed.sin / onCircle(shearY).cos;
  const b = -(a * Math.tan(shearX) + turned.sin);
  const d = turned.cos - c * Math.tan(shearX);
  const [m0, m1, m3, m4] = [d / scale, -b / scale, -c / scale, a / scale];
  const [x, y] = [-center[0] - translate[0], -center[1] - translate[1]];
  return [m0, m1, m0 * x + m1 * y + center[0], m3, m4, m3 * x + m4 * y + center[1]];
}

/** The centre of a matrix: from the image's middle, where `sampled` has 0. */
const fromMiddle = (center: Point | null, width: number, height: number): Point =>
  center === null ? [0, 0] : [center[0] - width * 0.5, center[1] - height * 0.5];

/** The places that the pixels of an image of `size` come from, -1 … 1. */
function affinePlaces(image: Tensor, matrix: Matrix, size: { height: number; width: number }): Tensor {
  const { height, width } = imageShape('affine', image);
  const as = { dtype: placesDtype(image), device: image.device };
  const theta = tensor([...matrix], as)
    .view([1, 2, 3])
    .transpose(1, 2);
  theta.div_(tensor([0.5 * width, 0.5 * height], as));
  const reach = (length: number): [number, number] => [-length * 0.5 + 0.5, length * 0.5 - 0.5];
  const grid = pixels(image, size, reach(size.width), reach(size.height));
  return grid
    .view([1, size.height * size.width, 3])
    .bmm(theta)
    .view([1, size.height, size.width, 2]);
}

/**
 * An image rotated by `angle` degrees clockwise, moved by `translate` pixels, scaled and sheared by degrees, x before y. As
 * `torchvision.transforms.v2.functional.affine`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for as many fills as there are no channels.
 * @example
 * import { tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * const image = tensor([[[1, 2, 3]]]);
 * transforms.functional.affine(image, 0, [1, 0], 1, 0).tolist(); // [[[0, 1, 2]]]
 */
export function affine(
  image: Tensor,
  angle: number,
  translate: Point,
  scale: number,
  shear: number | Point,
  options: AffineOptions = {},
): Tensor {
  affineTakes.check('affine', arguments);
  const { interpolation = 'nearest', fill = null, center = null } = options;
  const size = imageShape('affine', image);
  checkFill('affine', fill, size.channels);
  if (image.numel() === 0) return image;
  return scope(() => {
    const shears: Point = typeof shear === 'number' ? [shear, 0] : shear;
    const matrix = inverseAffine(fromMiddle(center, size.width, size.height), angle, translate, scale, shears);
    return sampled(image, affinePlaces(image, matrix, size), interpolation, fill);
  });
}

export interface RotateOptions extends AffineOptions {
  /** Whether the image becomes as large as its rotated corners need, about its middle. Default: false. */
  expand?: boolean;
}

const rotateOptions = { ...affineOptions, expand: boolean };
const rotateTakes = signature<RotateOptions>({ image: tensorKind, angle: finite }, rotateOptions);

/**
 * An image rotated by `angle` degrees counter-clockwise. As `torchvision.transforms.v2.functional.rotate`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for as many fills as there are no channels.
 * @example
 * import { tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.rotate(tensor([[[1, 2], [3, 4]]]), 90).tolist(); // [[[2, 4], [1, 3]]]
 */
export function rotate(image: Tensor, angle: number, options: RotateOptions = {}): Tensor {
  rotateTakes.check('rotate', arguments);
  const { interpolation = 'nearest', fill = null, center = null, expand = false } = options;
  const { channels, height, width } = imageShape('rotate', image);
  checkFill('rotate', fill, channels);
  const turn = angle % 360 < 0 ? (angle % 360) + 360 : angle % 360;
  if (turn === 0 || image.numel() === 0) return image.clone();
  if (center === null) {
    if (turn === 180) return image.flip([-2, -1]);
    if ((turn === 90 || turn === 270) && (expand || height === width))
      return image.rot90(turn === 90 ? 1 : -1, [-2, -1]);
  }
  return scope(() => {
    const about = fromMiddle(center, width, height);
    const matrix = inverseAffine(expand ? [0, 0] : about, -turn, [0, 0], 1, [0, 0]);
    const size = expand ? expandedSize(matrix, width, height) : { height, width };
    return sampled(image, affinePlaces(image, matrix, size), interpolation, fill);
  });
}

// In float32, and cut off after four places, as torchvision computes it: a size is a whole number that depends on rounding.
function expandedSize(matrix: Matrix, width: number, height: number): { height: number; width: number } {
  const [x, y] = [0.5 * width, 0.5 * height];
  const corners = tensor([-x, -y, 1, -x, y, 1, x, y, 1, x, -y, 1], { dtype: 'float32' }).view([4, 3]);
  const rotated = corners.mm(
    tensor([...matrix], { dtype: 'float32' })
      .view([2, 3])
      .t(),
  );
  const [least, most] = rotated.aminmax({ dim: 0 });
  const middle = tensor([x, y], { dtype: 'float32' });
  const cut = (values: Tensor): Tensor => values.add(middle).mul_(1e4).trunc_().mul_(1e-4);
  const [newWidth, newHeight] = cut(most).ceil_().sub_(cut(least).floor_()).tolist<[number, number]>();
  return { height: newHeight, width: newWidth };
}
