import { z } from 'zod';

import { show } from '../../show.js';
import { fromTypedArray, fullLike, keep, searchsorted, tensor, unique, type Tensor } from '../../tensor/index.js';
import { refusal, type Column } from '../tables/frame.js';

/** The values of a column, in their order; null stands for NaN, a number that is missing, and is the last. */
export const categoriesSchema = z.union([
  z.strictObject({ kind: z.literal('string'), values: z.array(z.string()) }),
  z.strictObject({ kind: z.literal('number'), values: z.array(z.number().nullable()) }),
]);
export type Categories = z.infer<typeof categoriesSchema>;
export type Category = string | number | null;

/** By the numbers of their characters, as Python orders strings: UTF-16 has those above U+FFFF before some others. */
export function byCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; ++i) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x === y) continue;
    const [isHighX, isHighY] = [x >= 0xd800 && x < 0xe000, y >= 0xd800 && y < 0xe000];
    return isHighX === isHighY ? x - y : isHighX ? 1 : -1;
  }
  return a.length - b.length;
}

const inOrder = (a: Category, b: Category): number => {
  if (typeof a === 'string' && typeof b === 'string') return byCodePoints(a, b);
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return (a as number) - (b as number);
};

/** The values in their order: strings by code points, numbers by size, the missing one last. */
export function sortedCategories(values: Iterable<Category>): Category[] {
  return [...values].sort(inOrder);
}

/** What is wrong with categories that were read; undefined if nothing. */
export function categoriesProblem(all: readonly Categories[], names: readonly string[]): string | undefined {
  if (all.length !== names.length) return `learnt.categories has ${all.length} items for ${names.length} columns`;
  const wrong = all.findIndex(({ values }) => new Set<Category>(values).size < values.length || values.length === 0);
  return wrong < 0 ? undefined : `the categories of '${names[wrong]!}' must be some, each once`;
}

/** float64 numbers of a column. Throws for whole numbers that float64 does not tell apart. */
export function numbersIn(who: string, name: string, column: Tensor): Tensor {
  const wide = column.dtype === 'int64' || column.dtype === 'uint64';
  const numbers = column.to('float64');
  if (wide && numbers.abs().gt(Number.MAX_SAFE_INTEGER).any().item()) {
    throw refusal(
      who,
      `the column '${name}' has whole numbers beyond 2^53, which are no categories here: read it as strings`,
    );
  }
  return numbers;
}

/** The distinct values of a column and how often each is there. */
export function countsOf(who: string, name: string, column: Column): Map<Category, number> {
  const counts = new Map<Category, number>();
  if (Array.isArray(column)) {
    for (const value of column) counts.set(value, (counts.get(value) ?? 0) + 1);
    return counts;
  }
  const numbers = numbersIn(who, name, column);
  if (numbers.isinf().any().item()) {
    throw refusal(
      who,
      `the column '${name}' has infinite numbers, which are no categories: leave them out, or make them NaN`,
    );
  }
  const isMissing = numbers.isnan();
  const [values, occurrences] = unique(numbers.maskedSelect(isMissing.logicalNot()), { returnCounts: true });
  const times = occurrences.tolist<number[]>();
  values.tolist<number[]>().forEach((value, i) => counts.set(value, Number(times[i])));
  const missing = Number(isMissing.sum().item());
  if (missing > 0) counts.set(null, missing);
  return counts;
}

/** How often the values of a column are there, over all batches. Memory grows with the distinct values, not with the rows. */
export class CategoryCounts {
  kind: Categories['kind'] | null = null;
  readonly counts = new Map<Category, number>();

  add(who: string, name: string, column: Column): void {
    const kind = Array.isArray(column) ? 'string' : 'number';
    if (this.kind !== null && kind !== this.kind) {
      throw refusal(who, `the column '${name}' is of ${this.kind}s in one batch and of ${kind}s in another`);
    }
    this.kind = kind;
    this.merge(countsOf(who, name, column));
  }

  /** Takes what others have counted. */
  merge(counts: ReadonlyMap<Category, number>): void {
    for (const [value, count] of counts) this.counts.set(value, (this.counts.get(value) ?? 0) + count);
  }

  /** The values that were there, in their order. */
  categories(): Categories {
    return { kind: this.kind!, values: sortedCategories(this.counts.keys()) } as Categories;
  }
}

/** The places of a column's values among categories, int64 [rows]; -1 for values that are none of them. */
export function codesOf(who: string, name: string, column: Column, { kind, values }: Categories): Tensor {
  const isText = Array.isArray(column);
  if (isText !== (kind === 'string')) {
    throw refusal(who, `the column '${name}' is of ${isText ? 'strings' : 'numbers'}, and was of ${kind}s in fit`);
  }
  if (isText) return codesOfTexts(column, placesOfTexts(values as string[]));
  return codesOfNumbers(numbersIn(who, name, column), placesOfNumbers(values as (number | null)[]));
}

function codesOfTexts(column: readonly string[], places: ReadonlyMap<string, number>): Tensor {
  return fromTypedArray(Int32Array.from(column, (value) => places.get(value) ?? -1)).to('int64');
}

function codesOfNumbers(numbers: Tensor, { sorted, places, missing }: NumberPlaces): Tensor {
  const isMissing = numbers.isnan();
  const none = fullLike(numbers, -1, { dtype: 'int64' });
  const count = sorted.size(0);
  if (count === 0) return none.maskedFill(isMissing, missing);
  const found = searchsorted(sorted, numbers).clampMax(count - 1);
  const codes = places.indexSelect(0, found).where(sorted.indexSelect(0, found).eq(numbers), none);
  return codes.maskedFill(isMissing, missing);
}

/** What `make` makes of a list, made once: categories stay as they are, and each row may be transformed by itself. */
export function madeOnce<List extends readonly unknown[], Made>(make: (list: List) => Made): (list: List) => Made {
  const known = new WeakMap<List, Made>();
  return (list) => {
    let made = known.get(list);
    if (made === undefined) known.set(list, (made = make(list)));
    return made;
  };
}

const placesOfTexts = madeOnce((values: readonly string[]) => new Map(values.map((value, place) => [value, place])));

/** Numbers in their order, the place of each, and that of the missing one, or -1. */
interface NumberPlaces {
  readonly sorted: Tensor;
  readonly places: Tensor;
  readonly missing: number;
}

const placesOfNumbers = madeOnce((values: readonly (number | null)[]): NumberPlaces => {
  const present = values.flatMap((value, place) => (value === null ? [] : [{ value, place }]));
  present.sort((a, b) => a.value - b.value);
  const sorted = tensor(present.map(({ value }) => value), { dtype: 'float64' }); // prettier-ignore
  const places = tensor(present.map(({ place }) => place), { dtype: 'int64' }); // prettier-ignore
  return { sorted: keep(sorted), places: keep(places), missing: values.indexOf(null) };
});

/** The place of the number that is missing; -1 where there is none. */
export const missingPlaceOf = madeOnce((values: readonly Category[]): number => values.indexOf(null));

/** The categories at places, int64 [rows]; what `missing` says where a place is -1. */
export function valuesAt(codes: Tensor, { kind, values }: Categories): Column {
  if (kind === 'string') return codes.tolist<number[]>().map((code) => values[Number(code)] ?? '');
  const places = codes.where(codes.ge(0), tensor(values.length, { dtype: 'int64' }));
  return numbersWithNone(values).indexSelect(0, places);
}

/** Categories of numbers, and one more that is missing. */
const numbersWithNone = madeOnce((values: readonly (number | null)[]) =>
  keep(tensor([...values.map((value) => value ?? NaN), NaN], { dtype: 'float64' })),
);

/** Throws for the first value of a column that is no category, by the places of its values. */
export function refuseUnknown(who: string, name: string, column: Column, codes: Tensor, known: Categories): void {
  const isUnknown = codes.lt(0);
  if (!isUnknown.any().item()) return;
  const row = Number(isUnknown.to('int64').argmax().item());
  const value = Array.isArray(column) ? column[row] : column.select(0, row).item();
  const some = known.values.slice(0, 5).map((each) => show(each ?? NaN)).join(', '); // prettier-ignore
  const more = known.values.length > 5 ? ', …' : '';
  throw refusal(
    who,
    `row ${row} of the column '${name}' is ${show(value)}, which was not there in fit (${some}${more}): see the option handleUnknown`,
  );
}
