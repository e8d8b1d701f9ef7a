import { isPromise, unheard } from '../promised.js';

/** Samples, each of which may be on its way, or all of them together. */
export type Found<Item> = Item[] | Promise<Awaited<Item>[]>;

/** Calls `find` for each index. Where one throws, those that are on their way already fail without being heard. */
export function findEach<Item>(indices: readonly number[], find: (index: number, place: number) => Item): Item[] {
  const found: Item[] = [];
  for (let i = 0; i < indices.length; ++i) {
    const index = indices[i]!;
    try {
      const item = find(index, i);
      found.push(isPromise(item) ? (Promise.resolve(item).catch(failedAt(index)) as Item) : item);
    } catch (error) {
      for (const each of found) if (isPromise(each)) unheard(each);
      return failedAt(index)(error);
    }
  }
  return found;
}

const failed = new WeakMap<object, number>();

/** Rethrows an error and remembers which sample it is of; what is beneath has the first word. */
const failedAt =
  (index: number) =>
  (error: unknown): never => {
    if (typeof error === 'object' && error !== null && !failed.has(error)) failed.set(error, index);
    throw error;
  };

/** The index of the sample that an error is of, as the dataset knows it that gives the samples; undefined where it is of none. */
export const sampleOf = (error: unknown): number | undefined =>
  typeof error === 'object' && error !== null ? failed.get(error) : undefined;

export const isOnItsWay = (found: Found<unknown>): boolean => isPromise(found) || found.some(isPromise);

/** The samples themselves, once all have come. */
export async function arrived<Item>(found: Found<Item>): Promise<Awaited<Item>[]> {
  return Promise.all((await found) as readonly PromiseLike<Awaited<Item>>[]);
}

/** What a body makes of several lots of samples: now, or when the last one has come. */
export function ofAll<Item, Result>(
  lots: readonly Found<Item>[],
  body: (lots: readonly Item[][]) => Result[],
): Result[] | Promise<Awaited<Result>[]> {
  if (!lots.some(isOnItsWay)) return body(lots as Item[][]);
  return Promise.all(lots.map(arrived)).then((all) => body(all as Item[][]) as Awaited<Result>[]);
}
