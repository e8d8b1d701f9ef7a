import { gridSample } from '../../nn/functional.js';
import { cat, empty, linspace, ones, tensor, where, type DType, type Tensor } from '../../tensor/index.js';
import { asBatch, likeLeading, refusal, type Fill, type WarpInterpolation } from '../image.js';

// What warps share: the places that a grid of pixels comes from, and the image there.

/** The dtype that places are computed in. */
export const placesDtype = (image: Tensor): DType => (image.isFloatingPoint() ? image.dtype : 'float32');

/** `[1, height, width, 3]`: x, y and 1 of each pixel; or, where `isAffine` is false, `[1, height, width, 2]` of x and y. */
export function pixels(
  image: Tensor,
  { height, width }: { height: number; width: number },
  x: readonly [first: number, last: number],
  y: readonly [first: number, last: number],
  isAffine = true,
): Tensor {
  const as = { dtype: placesDtype(image), device: image.device };
  const grid = empty([1, height, width, isAffine ? 3 : 2], as);
  grid.select(3, 0).copy_(linspace(x[0], x[1], width, as));
  grid.select(3, 1).copy_(linspace(y[0], y[1], height, as).unsqueeze(-1));
  if (isAffine) grid.select(3, 2).fill_(1);
  return grid;
}

/** Throws for as many fills as there are no channels. */
export function checkFill(name: string, fill: Fill | null, channels: number): void {
  if (fill === null || typeof fill === 'number' || fill.length === 1 || fill.length === channels) return;
  throw refusal(name, `fill must be one number or ${channels}, one for each channel, got ${fill.length}`);
}

/** An image whose pixels are those at the places of a grid, -1 … 1; what lies outside is `fill`, or 0 mixed in where it is null. */
export function sampled(image: Tensor, grid: Tensor, interpolation: WarpInterpolation, fill: Fill | null): Tensor {
  const batch = asBatch(image);
  const floats = batch.isFloatingPoint() ? batch : batch.to('float32');
  const images = floats.shape[0]!;
  const places = images === 1 ? grid : grid.expand([images, -1, -1, -1]);
  const made = fill === null ? at(floats, places, interpolation) : filledAt(floats, places, interpolation, fill);
  return likeLeading(image.isFloatingPoint() ? made : made.round_().to(image.dtype), image);
}

const at = (floats: Tensor, places: Tensor, mode: WarpInterpolation): Tensor =>
  gridSample(floats, places, { mode, paddingMode: 'zeros', alignCorners: false });

// A channel of ones tells how much of a pixel is of the image.
function filledAt(floats: Tensor, places: Tensor, mode: WarpInterpolation, fill: Fill): Tensor {
  const [images, channels, height, width] = floats.shape as [number, number, number, number];
  const as = { dtype: floats.dtype, device: floats.device };
  const both = at(cat([floats, ones([images, 1, height, width], as)], 1), places, mode);
  const made = both.narrow(1, 0, channels);
  const share = both.narrow(1, channels, 1).expandAs(made);
  const values = tensor(typeof fill === 'number' ? [fill] : [...fill], as).view([1, -1, 1, 1]);
  if (mode === 'nearest') return where(share.lt(0.5), values.expandAs(made), made);
  // made * share + fill * (1 - share)
  return made.sub_(values).mul_(share).add_(values);
}
