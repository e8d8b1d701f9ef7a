import type { Tensor } from '../../tensor/index.js';
import type { Average } from './tasks.js';

/** A quotient in float64, with a value of its own for 0/0. */
export function ratio(part: Tensor, whole: Tensor, ofNothing = 0): Tensor {
  const divisor = whole.to('float64');
  return part.div(divisor).where(divisor.ne(0), ofNothing);
}

/** The mean of the last dimension by weights, 0 where there are none. */
export function weightedMean(values: Tensor, weights: Tensor): Tensor {
  return ratio(values.mul(weights).sum(-1), weights.sum(-1));
}

/** The values of classes as one, by how many are true of each; a class that has none, NaN, is left out. */
export function averageOf(values: Tensor, positives: Tensor, average: Average): Tensor {
  if (average === 'none') return values;
  if (average !== 'weighted') return values.nanmean(-1);
  return weightedMean(values.nanToNum(0), positives.mul(values.isnan().logicalNot()));
}
