import { AiforgeError } from '../../errors.js';
import { full, polar, xlogy } from '../../tensor/generated/functions.js';
import { scope } from '../../tensor/memory/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import * as ops from '../operators.js';

// Python computes with C's library. JavaScript's functions differ from it in the last bit, and so do LibTorch's vectorised
// `cos` and `log`; these operators call C's functions for each element.

const float64 = (value: number): Tensor => full([], value, { dtype: 'float64', device: 'cpu' });

/** C's `cos`. */
export const cos = (x: number): number =>
  scope(() => polar(float64(1), float64(x)).item<{ re: number; im: number }>().re);

/** C's `log`. */
export const log = (x: number): number => scope(() => xlogy(float64(1), float64(x)).item());

/** C's `pow`. */
export const pow = (base: number, exponent: number): number => scope(() => ops.pow(base, exponent));

/** A quotient; throws INVALID_ARGUMENT where Python's division would raise ZeroDivisionError. */
export function divide(dividend: number, divisor: number): number {
  if (divisor !== 0) return dividend / divisor;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    'The schedule divides by zero: one of the lengths or factors that it was made with is 0 or leaves a phase without a step.',
  );
}

/** How many values come before the place that keeps an ascending list in order, behind its equals: Python's `bisect_right`. */
export function bisectRight(ascending: readonly number[], value: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value < ascending[middle]!) high = middle;
    else low = middle + 1;
  }
  return low;
}
