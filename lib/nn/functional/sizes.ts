import { AiforgeError } from '../../errors.js';
import type { Tensor } from '../../tensor/tensor.js';

/** A number for every spatial dimension, or one for each. */
export type Sizes = number | readonly number[];

/** Sizes of an adaptive pooling; null keeps the input's. */
export type AdaptiveSizes = number | readonly (number | null)[];

export const perDimension = (sizes: Sizes, count: number): readonly number[] =>
  typeof sizes === 'number' ? Array.from({ length: count }, () => sizes) : sizes;

/** The sizes of an adaptive pooling, with the input's own in place of null. */
export function knownSizes(input: Tensor, outputSize: AdaptiveSizes): Sizes {
  if (typeof outputSize === 'number') return outputSize;
  const shape = input.shape;
  if (shape.length <= outputSize.length) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `outputSize: ${outputSize.length} sizes need an input of more dimensions, got [${shape.join(', ')}].`,
    );
  }
  const own = shape.slice(-outputSize.length);
  return outputSize.map((size, i) => size ?? own[i]!);
}
