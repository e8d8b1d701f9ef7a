import { Tensor } from './tensor.js';

// What generated functions ask of their arguments before they call an operator directly. knip does not see those files.

/** @public */
export const isInteger = (value: unknown): value is number => Number.isInteger(value);

export function areIntegers(value: unknown): value is number[] {
  if (!Array.isArray(value)) return false;
  for (let i = 0, { length } = value; i < length; ++i) if (!Number.isInteger(value[i])) return false;
  return true;
}

/** @public */
export function areTensors(value: unknown): value is Tensor[] {
  if (!Array.isArray(value)) return false;
  for (let i = 0, { length } = value; i < length; ++i) if (!Tensor.isTensor(value[i])) return false;
  return true;
}

/** Sizes given one by one or as one list; undefined for anything else, such as options after them. @public */
export function sizesOf(given: unknown[]): number[] | undefined {
  if (given.length === 1 && areIntegers(given[0])) return given[0];
  return given.length > 0 && areIntegers(given) ? given : undefined;
}
