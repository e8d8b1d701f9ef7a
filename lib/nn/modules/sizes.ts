import { inspect } from 'node:util';

import { AiforgeError } from '../../errors.js';

/** One number for every spatial dimension, or one for each. */
export type Size1 = number | readonly [length: number];
export type Size2 = number | readonly [height: number, width: number];
export type Size3 = number | readonly [depth: number, height: number, width: number];
export type AnySize = number | readonly number[];

/** Throws unless `size` is a whole number or `count` of them. */
export function checkSizes<S extends AnySize>(layer: string, name: string, size: S, count: number): S {
  const sizes: readonly unknown[] = Array.isArray(size) ? size : [size];
  const fits = !Array.isArray(size) || size.length === count;
  if (fits && sizes.every((item) => Number.isSafeInteger(item))) return size;
  const several = count === 1 ? 'an array of one' : `an array of ${count}`;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `${layer}: ${name} must be a whole number or ${several}, got ${inspect(size)}.`,
  );
}

/** The same, with a number repeated `count` times. */
export function tupleOf(layer: string, name: string, size: AnySize, count: number): readonly number[] {
  const checked = checkSizes(layer, name, size, count);
  return typeof checked === 'number' ? Array.from({ length: count }, () => checked) : [...checked];
}

/** A size as Python prints what it was given: `3` or `(3, 2)`. */
export function pythonSize(
  size: number | readonly (number | null)[],
  text: (value: number) => string = String,
): string {
  if (typeof size === 'number') return text(size);
  const parts = size.map((item) => (item === null ? 'None' : text(item)));
  return parts.length === 1 ? `(${parts[0]!},)` : `(${parts.join(', ')})`;
}
