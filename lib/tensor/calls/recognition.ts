import type { Handles } from '../../native.js';
import { scratch } from '../memory/scratch.js';
import { handlesOf, Tensor } from '../tensor.js';

// What generated functions ask of their arguments before they call an operator directly. knip does not see those files.

/** @public */
export const isInteger = (value: unknown): value is number => Number.isInteger(value);

/** As `array.every(test)`, but by index: an array is any caller's, and its own methods and iterator are not trusted. */
export function everyItem(array: readonly unknown[], test: (item: unknown) => boolean): boolean {
  let i = 0;
  while (i < array.length && test(array[i])) ++i;
  return i >= array.length;
}

export function areIntegers(value: unknown): value is number[] {
  return Array.isArray(value) && everyItem(value, isInteger);
}

/** @public */
export function areTensors(value: unknown): value is Tensor[] {
  return Array.isArray(value) && everyItem(value, Tensor.isTensor);
}

/** Sizes given one by one or as one list; undefined for anything else, such as options after them. @public */
export function sizesOf(given: unknown[]): number[] | undefined {
  if (given.length === 1 && areIntegers(given[0])) return given[0];
  return given.length > 0 && areIntegers(given) ? given : undefined;
}

/**
 * The handles of a list for a call that follows at once and takes one such list: short ones cross in the shared memory, and
 * their length stands for them. @public
 */
export function handlesForCall(tensors: readonly Tensor[]): Handles | number {
  const { length } = tensors;
  if (length > scratch.length) return handlesOf(tensors);
  for (let i = 0; i < length; ++i) scratch[i] = Tensor.handleOf(tensors[i] as Tensor);
  return length;
}
