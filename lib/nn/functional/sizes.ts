import { AiforgeError } from '../../errors.js';
import type { Tensor } from '../../tensor/tensor.js';
import { show } from '../../show.js';
import { checkInput } from '../checks.js';

/** A number for every spatial dimension, or one for each. */
export type Sizes = number | readonly number[];

/** Sizes of an adaptive pooling; null keeps the input's. */
export type AdaptiveSizes = number | readonly (number | null)[];

const isList = (value: unknown): boolean => Array.isArray(value);

/** More than tensors have; an array may have billions of holes. */
const MOST_DIMENSIONS = 64;

const areNumbers = (value: unknown): boolean =>
  Array.isArray(value) && value.length <= MOST_DIMENSIONS && value.every((size) => typeof size === 'number');

export function perDimension(sizes: Sizes, count: number): readonly number[] {
  if (typeof sizes === 'number') return Array.from({ length: count }, () => sizes);
  if (areNumbers(sizes)) return sizes;
  throw new AiforgeError('INVALID_ARGUMENT', `Sizes are a number or an array of numbers, got ${show(sizes)}.`);
}

/** The sizes of an adaptive pooling, with the input's own in place of null. */
export function knownSizes(input: Tensor, outputSize: AdaptiveSizes): Sizes {
  if (typeof outputSize === 'number') return outputSize;
  checkInput('adaptive pooling', input);
  if (!isList(outputSize)) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `outputSize must be a number or an array of numbers and nulls, got ${show(outputSize)}.`,
    );
  }
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
