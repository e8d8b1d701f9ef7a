import { full, stack, type Tensor } from '../../tensor/index.js';

/** What is known of pairs of numbers (a, b) in columns: each is float64 [columns]. */
export interface Moments {
  count: Tensor;
  meanA: Tensor;
  meanB: Tensor;
  /** Sums of the products of the deviations from the means. */
  aa: Tensor;
  bb: Tensor;
  ab: Tensor;
}

/** How many tensors the moments are. */
export const MOMENTS = 6;

const pack = ({ count, meanA, meanB, aa, bb, ab }: Moments): Tensor => stack([count, meanA, meanB, aa, bb, ab]);

export function unpack(packed: Tensor): Moments {
  const [count, meanA, meanB, aa, bb, ab] = packed.unbind(0) as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
  return { count, meanA, meanB, aa, bb, ab };
}

/** The moments of the pairs in the rows of two float64 [batch, columns], as one float64 [MOMENTS, columns]. */
export function momentsOf(a: Tensor, b: Tensor): Tensor {
  const [samples, columns] = [a.size(0), a.size(1)];
  const count = full([columns], samples, { dtype: 'float64', device: a.device });
  const [meanA, meanB] = [a, b].map((each) => each.sum(0).div(Math.max(samples, 1))) as [Tensor, Tensor];
  const [fromA, fromB] = [a.sub(meanA), b.sub(meanB)];
  const products = { aa: fromA.square().sum(0), bb: fromB.square().sum(0), ab: fromA.mul(fromB).sum(0) };
  return pack({ count, meanA, meanB, ...products });
}

/**
 * The moments of two sets of pairs together, after Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for
 * computing sample variances" (1979): no large sums are taken from each other, in whatever order sets are merged.
 */
export function mergedMoments(first: Tensor, second: Tensor): Tensor {
  const [x, y] = [unpack(first), unpack(second)];
  const count = x.count.add(y.count);
  const share = y.count.div(count.clamp(1));
  const [apartA, apartB] = [y.meanA.sub(x.meanA), y.meanB.sub(x.meanB)];
  const weight = x.count.mul(share);
  return pack({
    count,
    meanA: x.meanA.add(apartA.mul(share)),
    meanB: x.meanB.add(apartB.mul(share)),
    aa: x.aa.add(y.aa).add(apartA.square().mul(weight)),
    bb: x.bb.add(y.bb).add(apartB.square().mul(weight)),
    ab: x.ab.add(y.ab).add(apartA.mul(apartB).mul(weight)),
  });
}

// The mean of equal numbers differs from them by a few units in the last place.
const ROUNDING = 64 * Number.EPSILON;

/** Where there are numbers and all are the same, but for the rounding of their mean; bool [columns]. */
export function isConstant(squares: Tensor, mean: Tensor, count: Tensor): Tensor {
  return squares.le(mean.mul(ROUNDING).square().mul(count)).logicalAnd(count.gt(0));
}
