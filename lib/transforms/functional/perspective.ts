import { AiforgeError } from '../../errors.js';
import { kind, tuple } from '../../kinds.js';
import { signature } from '../../signature.js';
import { linalg, scope, tensor, type Tensor } from '../../tensor/index.js';
import { tensorKind } from '../../tensor/kinds.js';
import {
  imageShape,
  optionalFillKind,
  refusal,
  warpInterpolationKind,
  type Fill,
  type WarpInterpolation,
} from '../image.js';
import { pointKind, type Point } from './affine.js';
import { checkFill, pixels, placesDtype, sampled } from './warp.js';

export interface WarpOptions {
  /** How values between pixels are found. Default: 'bilinear'. */
  interpolation?: WarpInterpolation;
  /** What lies outside the image; null is 0, which is mixed in at the border. Default: null. */
  fill?: Fill | null;
}

const warpOptions = { interpolation: warpInterpolationKind, fill: optionalFillKind };
/** Four points, as the corners top left, top right, bottom right and bottom left. */
export type Corners = readonly [Point, Point, Point, Point];
const cornersKind = tuple<Corners>(pointKind, pointKind, pointKind, pointKind);
const perspectiveTakes = signature<WarpOptions>(
  { image: tensorKind, startpoints: cornersKind, endpoints: cornersKind },
  warpOptions,
);

// The eight numbers of the projection that takes `endpoints` to `startpoints`, solved as torchvision solves them.
function projection(startpoints: Corners, endpoints: Corners): number[] {
  const rows = endpoints.flatMap(([x, y], i) => {
    const [u, v] = startpoints[i]!;
    return [x, y, 1, 0, 0, 0, -u * x, -u * y, 0, 0, 0, x, y, 1, -v * x, -v * y];
  });
  const a = tensor(rows, { dtype: 'float64' }).view([8, 8]);
  const b = tensor(startpoints.flat(), { dtype: 'float64' });
  try {
    return linalg.lstsq(a, b, { driver: 'gels' }).solution.to('float32').tolist<number[]>();
  } catch (error) {
    // Equations that contradict each other.
    if (error instanceof AiforgeError && error.code === 'OPERATOR_FAILED') return [NaN];
    throw error;
  }
}

/**
 * An image projected so that `startpoints` come to lie on `endpoints`. As
 * `torchvision.transforms.v2.functional.perspective`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for points that no projection joins, and for as many fills as there are no channels.
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * const corners = [[0, 0], [3, 0], [3, 3], [0, 3]] as const;
 * transforms.functional.perspective(ones([1, 4, 4]), corners, [[1, 1], [3, 0], [3, 3], [0, 3]]).shape; // [1, 4, 4]
 */
export function perspective(
  image: Tensor,
  startpoints: Corners,
  endpoints: Corners,
  options: WarpOptions = {},
): Tensor {
  perspectiveTakes.check('perspective', arguments);
  const { interpolation = 'bilinear', fill = null } = options;
  const { channels, height, width } = imageShape('perspective', image);
  checkFill('perspective', fill, channels);
  if (image.numel() === 0) return image;
  return scope(() => {
    const numbers = projection(startpoints, endpoints);
    if (!numbers.every(Number.isFinite)) {
      throw refusal('perspective', `no projection takes [${startpoints.join('], [')}] to [${endpoints.join('], [')}]`);
    }
    const [a, b, c, d, e, f, g, h] = numbers as [number, number, number, number, number, number, number, number];
    const as = { dtype: placesDtype(image), device: image.device };
    const grid = pixels(image, { height, width }, [0.5, width - 0.5], [0.5, height - 0.5]).view([1, height * width, 3]);
    const above = tensor([a, b, c, d, e, f], as).view([1, 2, 3]).transpose(1, 2);
    above.div_(tensor([0.5 * width, 0.5 * height], as));
    const below = tensor([g, h, 1, g, h, 1], as).view([1, 2, 3]).transpose(1, 2);
    const places = grid.bmm(above).div_(grid.bmm(below)).sub_(1).view([1, height, width, 2]);
    return sampled(image, places, interpolation, fill);
  });
}

const displacementKind = kind<Tensor>(
  'a tensor of floats [1, height, width, 2]',
  (value) => tensorKind.accepts(value) && (value as Tensor).isFloatingPoint() && (value as Tensor).ndim === 4,
);
const elasticTakes = signature<WarpOptions>({ image: tensorKind, displacement: displacementKind }, warpOptions);

/**
 * An image whose pixels come from elsewhere: `displacement`, [1, height, width, 2], says how far, x before y, where the image is
 * 2 wide and high. As `torchvision.transforms.v2.functional.elastic`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for displacements of another shape, and for as many fills as there are no channels.
 * @example
 * import { ones, zeros } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * transforms.functional.elastic(ones([1, 2, 2]), zeros([1, 2, 2, 2])).tolist(); // [[[1, 1], [1, 1]]]
 */
export function elastic(image: Tensor, displacement: Tensor, options: WarpOptions = {}): Tensor {
  elasticTakes.check('elastic', arguments);
  const { interpolation = 'bilinear', fill = null } = options;
  const { channels, height, width } = imageShape('elastic', image);
  checkFill('elastic', fill, channels);
  if (displacement.shape.join() !== [1, height, width, 2].join()) {
    throw refusal(
      'elastic',
      `displacement must be [1, ${height}, ${width}, 2], got [${displacement.shape.join(', ')}]`,
    );
  }
  if (image.numel() === 0) return image;
  return scope(() => {
    const reach = (length: number): [number, number] => [(-length + 1) / length, (length - 1) / length];
    const grid = pixels(image, { height, width }, reach(width), reach(height), false);
    return sampled(image, grid.add_(displacement.to(grid.dtype)), interpolation, fill);
  });
}
