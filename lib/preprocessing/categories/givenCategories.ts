import { isListOf, kind as kindOf, string } from '../../kinds.js';
import { show } from '../../show.js';
import { refusal } from '../tables/frame.js';
import type { Categories, CategoryCounts } from './categories.js';
import { codesOf, refuseUnknown } from './categories.js';
import { tensor } from '../../tensor/index.js';

/** The categories of each column, in their order; NaN is a number that is missing. */
export type GivenCategories = Readonly<Record<string, readonly (string | number)[]>>;

const anyNumber = kindOf<number>('a number', (value) => typeof value === 'number');

const isList = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.length > 0 &&
  (isListOf(value, string) || isListOf(value, anyNumber)) &&
  new Set<unknown>(value).size === value.length;

export const categoriesKind = kindOf<'auto' | GivenCategories>(
  "'auto' or an object with an array of strings or of numbers for each column, each of them once",
  (value) =>
    value === 'auto' ||
    (typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(isList)),
);

/** Categories that were given as plain data: NaN is null. */
export const plainCategories = (given: 'auto' | GivenCategories): 'auto' | [string, (string | number | null)[]][] =>
  given === 'auto'
    ? 'auto'
    : Object.entries(given).map(([name, values]) => [
        name,
        values.map((value) => (Number.isNaN(value) ? null : value)),
      ]);

/** The categories of columns: those that were seen, or those that were given, which must be of the columns that there are. */
export function categoriesFor(
  who: string,
  names: readonly string[],
  seen: readonly CategoryCounts[],
  given: 'auto' | GivenCategories,
  unknown: 'refused' | 'allowed',
): Categories[] {
  if (given === 'auto') return seen.map((counts) => counts.categories());
  const known = new Set(names);
  const extra = Object.keys(given).find((name) => !known.has(name));
  if (extra !== undefined) {
    throw refusal(who, `categories names the column '${extra}', and the columns are ${names.join(', ')}`);
  }
  return names.map((name, i) => {
    const counts = seen[i]!;
    if (!Object.hasOwn(given, name)) {
      throw refusal(who, `categories has no array for the column '${name}': give one for each column, or 'auto'`);
    }
    const values = given[name]!.map((value) => (typeof value === 'number' && Number.isNaN(value) ? null : value));
    const kind = typeof given[name]![0] === 'string' ? 'string' : 'number';
    if (kind !== counts.kind) {
      throw refusal(who, `the column '${name}' is of ${counts.kind!}s, and its categories are ${show(given[name])}`);
    }
    const categories = { kind, values } as Categories;
    if (unknown === 'refused') refuseOthers(who, name, counts, categories);
    return categories;
  });
}

function refuseOthers(who: string, name: string, counts: CategoryCounts, categories: Categories): void {
  const values = [...counts.counts.keys()];
  const column =
    categories.kind === 'string'
      ? (values as string[])
      : tensor(values.map((value) => (value as number | null) ?? NaN), { dtype: 'float64' }); // prettier-ignore
  refuseUnknown(who, name, column, codesOf(who, name, column, categories), categories);
}
