import { AiforgeError } from '../errors.js';
import { randperm, type Generator, type Tensor } from '../tensor/index.js';

/** Samples by index, as `torch.utils.data.Dataset`. */
export interface Dataset<Item = unknown> {
  readonly length: number;
  get(index: number): Item;
}

/** The rows of tensors of equal length, as `torch.utils.data.TensorDataset`: `get(i)` gives row i of each. */
export class TensorDataset implements Dataset<Tensor[]> {
  readonly tensors: readonly Tensor[];

  constructor(...tensors: Tensor[]) {
    const lengths = tensors.map((tensor) => tensor.size(0));
    if (tensors.length === 0 || lengths.some((length) => length !== lengths[0])) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `TensorDataset: expected tensors of one length, got lengths [${lengths.join(', ')}].`,
      );
    }
    this.tensors = tensors;
  }

  get length(): number {
    return this.tensors[0]!.size(0);
  }

  get(index: number): Tensor[] {
    return this.tensors.map((tensor) => tensor.select(0, index));
  }
}

/** The samples of a dataset at some indices, as `torch.utils.data.Subset`. */
export class Subset<Item> implements Dataset<Item> {
  constructor(
    readonly dataset: Dataset<Item>,
    readonly indices: readonly number[],
  ) {}

  get length(): number {
    return this.indices.length;
  }

  get(index: number): Item {
    const original = this.indices[index];
    if (original === undefined) {
      throw new AiforgeError('INVALID_ARGUMENT', `Subset: index ${index} is outside 0 … ${this.length - 1}.`);
    }
    return this.dataset.get(original);
  }
}

/** The sizes of parts given as fractions that add up to 1: rounded down, the rest dealt out from the first. */
function partSizes(total: number, lengths: readonly number[]): number[] {
  const sum = lengths.reduce((a, b) => a + b, 0);
  if (Math.abs(sum - 1) > 1e-9 || lengths.every(Number.isInteger)) return [...lengths];
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
  dataset: Dataset<Item>,
  lengths: readonly number[],
  generator?: Generator,
): Subset<Item>[] {
  const sizes = partSizes(dataset.length, lengths);
  const total = sizes.reduce((a, b) => a + b, 0);
  if (total !== dataset.length) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `randomSplit: the lengths [${lengths.join(', ')}] add up to ${total}, expected the dataset's ${dataset.length} (or fractions that add up to 1).`,
    );
  }
  const order = randperm(total, { generator }).tolist() as number[];
  let start = 0;
  return sizes.map((size) => new Subset(dataset, order.slice(start, (start += size))));
}
