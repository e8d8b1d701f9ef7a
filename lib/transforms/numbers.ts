import { isListOf, kind, type Kind } from '../kinds.js';

// Kinds of numbers that transforms take, beside those of lib/kinds.

const isWithin = (value: unknown, least: number, most: number): boolean =>
  typeof value === 'number' && value >= least && value <= most;

/** The least and the most that something may be. */
export type Range = readonly [least: number, most: number];

export const finite = kind<number>('a finite number', (value) => Number.isFinite(value));
export const aboveZero = kind<number>('a finite number above 0', (value) => Number.isFinite(value) && isWithin(value, Number.MIN_VALUE, Infinity)); // prettier-ignore
export const oneOrMore = kind<number>('a number, 1 or more', (value) => isWithin(value, 1, Infinity));
export const wholeAboveOne = kind<number>('a whole number above 1', (value) => Number.isSafeInteger(value) && isWithin(value, 2, Infinity)); // prettier-ignore
export const oddNumber = kind<number>('an odd number above 0', (value) => Number.isSafeInteger(value) && isWithin(value, 1, Infinity) && (value as number) % 2 === 1); // prettier-ignore

/** A number from `least` to `most`. */
export const between = (least: number, most: number): Kind<number> =>
  kind(`a number from ${least} to ${most}`, (value) => isWithin(value, least, most));

/** A whole number from `least` to `most`. */
export const wholeBetween = (least: number, most: number): Kind<number> =>
  kind(`a whole number from ${least} to ${most}`, (value) => Number.isInteger(value) && isWithin(value, least, most));

/** Two finite numbers, the least first, all of a kind. */
export const rangeOf = (of: Kind<number>): Kind<Range> =>
  kind(
    `an array of two, the least first, each ${of.expected}`,
    (value) => isListOf(value, finite) && isListOf(value, of) && value.length === 2 && value[0]! <= value[1]!,
  );
/** Two finite numbers, the least first. */
export const rangeKind: Kind<Range> = rangeOf(finite);

/** One of a kind for both directions, or an array of one or two. */
export const perDirection = (of: Kind<number>): Kind<number | readonly number[]> =>
  kind(
    `${of.expected}, or an array of 1 or 2 of them`,
    (value) => of.accepts(value) || (isListOf(value, of) && [1, 2].includes(value.length)),
  );
