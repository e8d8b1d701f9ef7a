import { AiforgeError } from '../errors.js';
import { kind, listOf, notNegative, optional, size, whole } from '../kinds.js';
import { show } from '../show.js';
import { signature } from '../signature.js';
import { randperm, type Generator } from '../tensor/index.js';
import { generatorKind } from '../tensor/kinds.js';
import { isPromise, notAwaited, unheard } from '../promised.js';
import { findEach, type Found } from './found.js';
import { isSampleDraws } from './loading/sampleDraws.js';

const refusal = (problem: string): AiforgeError => new AiforgeError('INVALID_ARGUMENT', `${problem}.`);

/** What a DataLoader hands a dataset beside the index. */
export interface SampleContext {
  /**
   * Draws for this sample alone. They depend on the loader's seed, the pass and the index, and not on which worker makes the
   * sample nor on what was made before: use it for every random transform.
   */
  readonly generator: Generator;
}

/**
 * Samples by index, as `torch.utils.data.Dataset`.
 *
 * @example
 * import { data, type Tensor } from 'aiforge';
 * const squares: data.Dataset<number> = {
 *   length: 4,
 *   get: (index) => index ** 2,
 *   getBatch: (indices) => indices.map((index) => index ** 2), // say, by one query
 * };
 * const loader = new data.DataLoader<number, Tensor>(squares, { batchSize: 2 });
 * Array.from(loader, (batch) => batch.tolist()); // [[0, 1], [4, 9]]
 */
export interface Dataset<Item = unknown> {
  readonly length: number;
  get(index: number, context?: SampleContext): Item;
  /**
   * The samples at some indices, in their order, where that is quicker than one by one. A DataLoader then calls this instead of
   * `get`, also beneath a Subset, and hands what it returns to `collate`. As `__getitems__` in Python.
   */
  getBatch?(indices: readonly number[], contexts?: readonly SampleContext[]): Item[] | PromiseLike<Awaited<Item>[]>;
}

/** Where samples come from: a dataset, or an array of them. */
export type Samples<Item = unknown> = Dataset<Item> | readonly Item[];

/** The context that a DataLoader hands on; who calls `get` without one gives none. */
export const contextKind = kind<SampleContext>(
  'a context with a generator',
  // A DataLoader's own is not asked for its generator, which is made when it is: most samples draw nothing.
  (value) => isSampleDraws(value) || generatorKind.accepts((value as SampleContext | null)?.generator),
);

/** What `get` is called with. */
export const getTakes = signature({ index: whole, context: optional(contextKind) });
/** What `getBatch` is called with. */
export const getBatchTakes = signature({ indices: listOf(whole), contexts: optional(listOf(contextKind)) });

const isDataset = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as Dataset).get === 'function' &&
  ['function', 'undefined'].includes(typeof (value as Dataset).getBatch) &&
  typeof (value as Dataset).length === 'number';

export const samplesKind = kind<Samples>(
  'a dataset with length and get(index), or an array; of a Tensor make a TensorDataset',
  (value) => Array.isArray(value) || isDataset(value),
);

/** The sample at an index. Throws INVALID_ARGUMENT, in the name of who asks, for an index that there is no sample of. */
export function sampleAt<Item>(samples: Samples<Item>, index: number, who: string, context?: SampleContext): Item {
  checkIndex(who, index, samples.length);
  return 'get' in samples ? samples.get(index, context) : samples[index]!;
}

/**
 * The samples at some indices, all at once where the dataset gives them so. Throws INVALID_ARGUMENT for an index that there is
 * no sample of, and for other than a sample for each.
 */
export function samplesAt<Item>(
  samples: Samples<Item>,
  indices: readonly number[],
  who: string,
  contexts?: readonly SampleContext[],
): Found<Item> {
  if (!('get' in samples) || samples.getBatch === undefined) {
    return findEach(indices, (index, i) => sampleAt(samples, index, who, contexts?.[i]));
  }
  for (const index of indices) checkIndex(who, index, samples.length);
  const batch: unknown = samples.getBatch(indices, contexts);
  if (!isPromise(batch)) return checkedBatch(batch, indices.length, who) as Item[];
  return Promise.resolve(batch).then((given) => checkedBatch(given, indices.length, who) as Awaited<Item>[]);
}

/** The same where they are wanted at once. Throws INVALID_ARGUMENT for promises of them. */
export function samplesNow<Item>(
  samples: Samples<Item>,
  indices: readonly number[],
  who: string,
  contexts?: readonly SampleContext[],
): Item[] {
  const found = samplesAt(samples, indices, who, contexts);
  const remedy = "take the DataLoader's batches with `for await`, which awaits them.";
  if (isPromise(found)) {
    const problem = `${who}: getBatch returned a Promise, expected an array of ${indices.length} samples, one for each index; ${remedy}`;
    throw notAwaited('INVALID_ARGUMENT', problem, found);
  }
  const promises: unknown[] = found.filter(isPromise);
  for (const later of promises.slice(1)) unheard(later as PromiseLike<unknown>);
  if (promises.length === 0) return found;
  const index = indices[found.findIndex(isPromise)]!;
  throw notAwaited(
    'INVALID_ARGUMENT',
    `${who}: get(${index}) returned a Promise, expected the sample; ${remedy}`,
    promises[0] as PromiseLike<unknown>,
  );
}

function checkedBatch(batch: unknown, count: number, who: string): unknown[] {
  if (Array.isArray(batch) && batch.length === count) return batch as unknown[];
  const found = Array.isArray(batch) ? `an array of ${batch.length}` : show(batch);
  throw refusal(`${who}: getBatch returned ${found}, expected an array of ${count} samples, one for each index`);
}

/** Throws INVALID_ARGUMENT, in the name of who asks, for an index that there is no sample of. */
export function checkIndex(who: string, index: number, length: number): void {
  if (Number.isSafeInteger(index) && index >= 0 && index < length) return;
  const expected = length > 0 ? `a whole number, 0 … ${length - 1}` : 'none, since there are no samples';
  throw refusal(`${who}: index ${show(index)} is outside the samples, expected ${expected}`);
}

const subsetTakes = signature({ dataset: samplesKind, indices: listOf(size) });
const randomSplitTakes = signature({
  dataset: samplesKind,
  lengths: listOf(notNegative),
  generator: optional(generatorKind),
});

/** The samples of a dataset at some indices, as `torch.utils.data.Subset`. */
export class Subset<Item> implements Dataset<Item> {
  constructor(
    readonly dataset: Samples<Item>,
    readonly indices: readonly number[],
  ) {
    subsetTakes.check(new.target.name, arguments);
  }

  get length(): number {
    return this.indices.length;
  }

  get(index: number, context?: SampleContext): Item {
    if (arguments.length > 1) getTakes.check('get', arguments);
    checkIndex('Subset', index, this.length);
    return sampleAt(this.dataset, this.indices[index]!, 'Subset: its dataset', context);
  }
}

const getOfSubset: unknown = Reflect.get(Subset.prototype, 'get');

/** Where samples of a subset, or of a subset of one, come from, and their indices there. */
export function beneathSubsets<Item>(
  samples: Samples<Item>,
  indices: readonly number[],
  who: string,
): [Samples<Item>, readonly number[], string] {
  // A class that extends Subset may give other samples.
  if (!(samples instanceof Subset) || samples.get !== getOfSubset || 'getBatch' in samples)
    return [samples, indices, who];
  const own = indices.map((index) => {
    checkIndex(who, index, samples.length);
    return samples.indices[index]!;
  });
  return beneathSubsets(samples.dataset as Samples<Item>, own, 'Subset: its dataset');
}

/** The sizes of parts given as fractions that add up to 1: rounded down, the rest dealt out from the first. */
function partSizes(total: number, lengths: readonly number[]): number[] {
  const sum = lengths.reduce((a, b) => a + b, 0);
  if (Math.abs(sum - 1) > 1e-9) return [...lengths];
  const sizes = lengths.map((fraction) => Math.floor(total * fraction));
  const rest = total - sizes.reduce((a, b) => a + b, 0);
  for (let i = 0; i < rest; ++i) sizes[i % sizes.length]! += 1;
  return sizes;
}

/**
 * Splits a dataset at random into parts of the given lengths, or of fractions that add up to 1. As
 * `torch.utils.data.random_split`, with its draws.
 */
export function randomSplit<Item>(
  dataset: Samples<Item>,
  lengths: readonly number[],
  generator?: Generator,
): Subset<Item>[] {
  randomSplitTakes.check('randomSplit', arguments);
  const sizes = partSizes(dataset.length, lengths);
  const total = sizes.reduce((a, b) => a + b, 0);
  if (total !== dataset.length) {
    throw refusal(
      `randomSplit: the lengths [${lengths.join(', ')}] add up to ${total}, expected the dataset's ${dataset.length} (or fractions that add up to 1)`,
    );
  }
  const part = sizes.find((each) => !size.accepts(each));
  if (part !== undefined) {
    throw refusal(
      `randomSplit: a part of ${part} samples in [${lengths.join(', ')}], expected whole numbers (or fractions that add up to 1)`,
    );
  }
  const order = randperm(total, { generator }).tolist<number[]>();
  let start = 0;
  return sizes.map((length) => new Subset(dataset, order.slice(start, (start += length))));
}
