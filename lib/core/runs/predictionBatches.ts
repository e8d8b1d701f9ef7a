import { samplesAt } from '../../data/dataset.js';
import { arrived } from '../../data/found.js';
import type { AiforgeError } from '../../errors.js';
import { isError } from '../../realms.js';
import type { BasePreprocessor } from '../basePreprocessor.js';
import type { ExperimentData } from './experiment.js';
import { sampleOf } from './loadRun.js';

/** In the place of an item that could not be read. */
export class UnreadItem {
  constructor(readonly error: AiforgeError) {}
}

/** A sample, or why there is none. */
export type Loaded = { sample: unknown } | { error: Error };

/** Items that are asked for together. */
export interface ItemBatch {
  size: number;
  /** How an error calls them: `lines 5 to 8`. */
  name: string;
  /** How it calls one of them, by its place among them. */
  nameOf(i: number): string;
  /** Their samples, whose tensors are the caller's. */
  load(): Promise<Loaded[]>;
  /** That of one of them. */
  loadOne(i: number): Promise<Loaded>;
}

/** What a place of an input is called, by its number from 0. */
export interface PlaceNames {
  one(index: number): string;
  many(first: number, last: number): string;
}

export const itemNames: PlaceNames = {
  one: (index) => `item ${index}`,
  many: (first, last) => (first === last ? `item ${first}` : `items ${first} to ${last}`),
};

interface BatchOptions {
  batchSize: number;
  /** Whether an item without a sample is given as its error, and not thrown. */
  skipErrors: boolean;
  names: PlaceNames;
}

/** Items in batches, no more than one of which is held at a time. */
export async function* batchesOfItems(
  items: Iterable<unknown> | AsyncIterable<unknown>,
  preprocessor: BasePreprocessor | undefined,
  { batchSize, skipErrors, names }: BatchOptions,
): AsyncGenerator<ItemBatch> {
  let first = 0;
  let batch: unknown[] = [];
  const take = (): ItemBatch => {
    const [taken, start] = [batch, first];
    first += taken.length;
    batch = [];
    const nameOf = (i: number) => names.one(start + i);
    const loadOne = (i: number) => attempt(skipErrors, () => loadItem(taken[i], nameOf(i), preprocessor));
    const load = () => Promise.all(taken.map((_, i) => loadOne(i)));
    return { size: taken.length, name: names.many(start, start + taken.length - 1), nameOf, load, loadOne };
  };
  for await (const item of items) if (batch.push(item) === batchSize) yield take();
  if (batch.length > 0) yield take();
}

function loadItem(item: unknown, name: string, preprocessor: BasePreprocessor | undefined): unknown {
  if (item instanceof UnreadItem) throw item.error;
  return preprocessor === undefined ? item : sampleOf(item, name, preprocessor);
}

/** Samples of a data set in batches, as the preprocessor makes them. */
export function* batchesOfSamples(
  { samples }: ExperimentData,
  indices: readonly number[],
  { batchSize, skipErrors }: Omit<BatchOptions, 'names'>,
): Generator<ItemBatch> {
  for (let start = 0; start < indices.length; start += batchSize) {
    const own = indices.slice(start, start + batchSize);
    const loadOne = (i: number) => attempt(skipErrors, () => samples.get(own[i]!));
    const load = async (): Promise<Loaded[]> =>
      skipErrors
        ? Promise.all(own.map((_, i) => loadOne(i)))
        : (await arrived(samplesAt(samples, own, 'Dataset'))).map((sample) => ({ sample }));
    const nameOf = (i: number) => `item ${own[i]} of the data set`;
    yield { size: own.length, nameOf, loadOne, name: `the items ${own.slice(0, 8).join(', ')}${own.length > 8 ? ' …' : ''} of the data set`, load }; // prettier-ignore
  }
}

async function attempt(skipErrors: boolean, load: () => unknown): Promise<Loaded> {
  try {
    return { sample: await load() };
  } catch (error) {
    if (!skipErrors || !isError(error)) throw error;
    return { error };
  }
}
