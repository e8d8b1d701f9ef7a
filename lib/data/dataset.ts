import { AiforgeError } from '../errors.js';
import { kind, listOf, notNegative, optional, size, whole } from '../kinds.js';
import { show } from '../show.js';
import { signature } from '../signature.js';
import { randperm, Tensor, type Generator } from '../tensor/index.js';
import { generatorKind } from '../tensor/kinds.js';

const refusal = (problem: string): AiforgeError => new AiforgeError('INVALID_ARGUMENT', `${problem}.`);

/** Samples by index, as `torch.utils.data.Dataset`. */
export interface Dataset<Item = unknown> {
  readonly length: number;
  get(index: number): Item;
}

/** Where samples come from: a dataset, or an array of them. */
export type Samples<Item = unknown> = Dataset<Item> | readonly Item[];

const getTakes = signature({ index: whole });

const isDataset = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as Dataset).get === 'function' &&
  typeof (value as Dataset).length === 'number';

export const samplesKind = kind<Samples>(
  'a dataset with length and get(index), or an array; of a Tensor make a TensorDataset',
  (value) => Array.isArray(value) || isDataset(value),
);

/** The sample at an index. Throws INVALID_ARGUMENT, in the name of who asks, for an index that there is no sample of. */
export function sampleAt<Item>(samples: Samples<Item>, index: number, who: string): Item {
  checkIndex(who, index, samples.length);
  return 'get' in samples ? samples.get(index) : samples[index]!;
}

function checkIndex(who: string, index: number, length: number): void {
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

/** The rows of tensors of equal length, as `torch.utils.data.TensorDataset`: `get(i)` gives row i of each. */
export class TensorDataset implements Dataset<Tensor[]> {
  readonly tensors: readonly Tensor[];
  readonly length: number;

  constructor(...tensors: Tensor[]) {
    for (const given of tensors) {
      if (!Tensor.isTensor(given)) throw refusal(`TensorDataset: expected tensors, one by one, got ${show(given)}`);
      if (given.dim() === 0) throw refusal(`TensorDataset: expected tensors with rows, got ${show(given)}`);
    }
    const lengths = tensors.map((tensor) => tensor.size(0));
    if (tensors.length === 0 || lengths.some((length) => length !== lengths[0])) {
      throw refusal(`TensorDataset: expected tensors of one length, got lengths [${lengths.join(', ')}]`);
    }
    this.tensors = tensors;
    this.length = lengths[0]!;
  }

  get(index: number): Tensor[] {
    if (arguments.length > 1) getTakes.check('get', arguments);
    return this.tensors.map((tensor) => tensor.select(0, index));
  }
}

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

  get(index: number): Item {
    if (arguments.length > 1) getTakes.check('get', arguments);
    checkIndex('Subset', index, this.length);
    return sampleAt(this.dataset, this.indices[index]!, 'Subset: its dataset');
  }
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
