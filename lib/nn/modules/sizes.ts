import { AiforgeError } from '../../errors.js';
import { count, either, isListOf, kind, listOf, number, orNull, size, whole, type Kind } from '../../kinds.js';
import { show } from '../../show.js';

/** One number for every spatial dimension, or one for each. */
export type Size1 = number | readonly [length: number];
export type Size2 = number | readonly [height: number, width: number];
export type Size3 = number | readonly [depth: number, height: number, width: number];
export type AnySize = number | readonly number[];

const oneOrMore = (of: Kind<number>, expected: string): Kind<AnySize> =>
  kind(expected, (value) => (Array.isArray(value) ? isListOf(value, of) : of.accepts(value)));

// How many sizes there must be is up to the layer.
export const wholes = oneOrMore(whole, 'a whole number or an array of whole numbers');
export const sizes = oneOrMore(size, 'a whole number, 0 or more, or an array of them');
export const steps = oneOrMore(count, 'a whole number above 0, or an array of them');
/** Sizes as multiples of others. */
export const ratios = oneOrMore(number, 'a number or an array of numbers');

/** The same for the layers of images. */
export const sizes2 = sizes as Kind<unknown> as Kind<Size2>;
export const steps2 = steps as Kind<unknown> as Kind<Size2>;

/** The same where some are left open. */
export const openSizes = either(orNull(size), listOf(orNull(size)));

/** Throws for an array of sizes that has not one for each of `count` dimensions. */
export function checkSizes<S extends AnySize>(layer: string, name: string, size: S, count: number): S {
  if (!Array.isArray(size) || size.length === count) return size;
  const several = count === 1 ? 'an array of one' : `an array of ${count}`;
  throw new AiforgeError('INVALID_ARGUMENT', `${layer}: ${name} must be a number or ${several}, got ${show(size)}.`);
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
