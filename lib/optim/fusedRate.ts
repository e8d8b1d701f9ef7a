import { handleOf } from '../tensor/tensor.js';
import type { Bucket } from './bucket.js';
import type { Scalar } from './scalars.js';

/**
 * A learning rate as a fused operator takes it, and which of its variants: 0 for a number, 1 for a tensor, whose handle
 * is given over unread, since a graph is to find another number in it.
 */
export function rateForFused(lr: Scalar, { parameters }: Bucket): readonly [variant: 0 | 1, rate: number] {
  if (typeof lr === 'number') return [0, lr];
  return [1, handleOf(lr.device === 'cpu' ? lr : lr.to(parameters[0]!.device))];
}
