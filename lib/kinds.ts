import { isRevoked } from './realms.js';

/** A kind of values that a parameter takes: what an error says it expects, and the test. */
export interface AnyKind {
  readonly expected: string;
  accepts(value: unknown): boolean;
}

/** A kind of values of the type `T`. */
export interface Kind<T> extends AnyKind {
  /** Never there: it makes a kind of other values another type. */
  readonly of?: (value: T) => T;
}

/** A parameter by position that may be left out. */
export interface Optional {
  readonly optional: AnyKind;
}

/** The kind of each parameter by position, in order. */
export type Positional = Readonly<Record<string, AnyKind | Optional>>;

/** The kind of each option of an interface: one that is missing, or of other values, does not compile. */
export type Kinds<Options> = { readonly [Name in keyof Options]-?: Kind<Exclude<Options[Name], undefined>> };

/** What a test says of a value; false of a proxy that was revoked. */
function isReadably(value: unknown, test: (value: unknown) => boolean): boolean {
  try {
    return test(value);
  } catch (error) {
    if (isRevoked(error)) return false;
    throw error;
  }
}

/** A kind that no proxy is of that was revoked. */
export const kind = <T>(expected: string, accepts: (value: unknown) => boolean): Kind<T> => ({
  expected,
  accepts: (value) => isReadably(value, accepts),
});

export const optional = (of: AnyKind): Optional => ({ optional: of });

/** For arguments that are looked at elsewhere: given or not is all that counts. */
export const anything = kind<unknown>('given', () => true);

const isNumber = (value: unknown): value is number => typeof value === 'number' && !Number.isNaN(value);

export const boolean = kind<boolean>('true or false', (value) => typeof value === 'boolean');
export const string = kind<string>('a string', (value) => typeof value === 'string');

/** Infinite numbers are numbers too, such as the order of a norm; NaN is none. */
export const number = kind<number>('a number', isNumber);
export const notNegative = kind<number>('a number, 0 or more', (value) => isNumber(value) && value >= 0);
export const positive = kind<number>('a number above 0', (value) => isNumber(value) && value > 0);
export const fraction = kind<number>('a number from 0 to 1', (value) => isNumber(value) && value >= 0 && value <= 1);
export const whole = kind<number>('a whole number', Number.isSafeInteger);
export const size = kind<number>(
  'a whole number, 0 or more',
  (value) => Number.isSafeInteger(value) && Number(value) >= 0,
);
export const count = kind<number>(
  'a whole number above 0',
  (value) => Number.isSafeInteger(value) && Number(value) > 0,
);
/** For what the engine keeps in 32 bits with a sign. */
export const int32From = (least: number): Kind<number> =>
  kind<number>(
    `a whole number in ${least} … 2^31-1`,
    (value) => Number.isInteger(value) && Number(value) >= least && Number(value) < 2 ** 31,
  );

export const func = <T>(): Kind<T> => kind<T>('a function', (value) => typeof value === 'function');

/** `'a'`, `'a' or 'b'`, `'a', 'b' or 'c'`. */
export function alternatives(texts: readonly string[]): string {
  return texts.length < 2 ? texts.join('') : `${texts.slice(0, -1).join(', ')} or ${texts.at(-1)!}`;
}

export const oneOf = <const T extends string>(...values: readonly T[]): Kind<T> =>
  kind<T>(alternatives(values.map((value) => `'${value}'`)), (value) => (values as readonly unknown[]).includes(value));

export const either = <A, B>(a: Kind<A>, b: Kind<B>): Kind<A | B> =>
  kind<A | B>(`${a.expected} or ${b.expected}`, (value) => a.accepts(value) || b.accepts(value));

export const orNull = <T>(of: Kind<T>): Kind<T | null> =>
  kind<T | null>(`${of.expected}, or null`, (value) => value === null || of.accepts(value));

/** Whether a value is an array of such items. A hole is an item too, which `every` would pass by, one after the other. */
export const isListOf = <T>(value: unknown, item: Kind<T>): value is T[] =>
  isReadably(value, Array.isArray) && (value as T[]).findIndex((each) => !item.accepts(each)) < 0;

export const listOf = <T>(item: Kind<T>): Kind<readonly T[]> =>
  kind<readonly T[]>(`an array, each item ${item.expected}`, (value) => isListOf(value, item));

/** An array with an item of each kind. */
export const tuple = <const T extends readonly unknown[]>(...items: { readonly [I in keyof T]: Kind<T[I]> }): Kind<T> =>
  kind<T>(
    `an array of ${items.length}: ${items.map((item: AnyKind) => item.expected).join('; ')}`,
    (value) =>
      Array.isArray(value) &&
      value.length === items.length &&
      items.every((item: AnyKind, i) => item.accepts(value[i])),
  );

export const iterable = <T>(what: string): Kind<T> =>
  kind<T>(what, (value) => typeof value === 'object' && value !== null && Symbol.iterator in value);

export const objectKind = kind<object>('an object', (value) => typeof value === 'object' && value !== null);
