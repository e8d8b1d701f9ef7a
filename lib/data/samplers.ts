import { AiforgeError } from '../errors.js';
import { boolean, count, either, kind, listOf, number, optional, size, whole } from '../kinds.js';
import { signature } from '../signature.js';
import { empty, Generator, randint, randperm, scope, Tensor, tensor } from '../tensor/index.js';
import { generatorKind, tensorKind } from '../tensor/kinds.js';

/** An order of indices for one pass over a dataset. */
export interface Sampler extends Iterable<number> {
  readonly length: number;
}

export const samplerKind = kind<Sampler>(
  'a sampler: an iterable of indices with a length',
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    Symbol.iterator in value &&
    typeof (value as { length?: unknown }).length === 'number',
);

const setEpochTakes = signature({ epoch: size });
const continueTakes = signature({ taken: size });
/** Python's samplers take the data itself. */
const sizeOfData = kind<number>('the number of samples, such as dataset.length: a whole number, 0 or more', (value) =>
  size.accepts(value),
);

const sequentialTakes = signature({ length: sizeOfData });

/** 0, 1, 2, …, as `torch.utils.data.SequentialSampler`. */
export class SequentialSampler implements Sampler {
  constructor(readonly length: number) {
    sequentialTakes.check(new.target.name, arguments);
  }

  *[Symbol.iterator](): Iterator<number> {
    for (let i = 0; i < this.length; ++i) yield i;
  }
}

export interface RandomSamplerOptions {
  /** Draws with replacement. Default: false. */
  replacement?: boolean;
  /** How many to draw. Default: one for each sample. */
  numSamples?: number;
  /** Default: a new one each pass, seeded from the default generator, as PyTorch does. */
  generator?: Generator;
}

const randomTakes = signature<RandomSamplerOptions>(
  { size: sizeOfData },
  { replacement: boolean, numSamples: count, generator: generatorKind },
);

/** @internal A seed drawn from the default generator, or the one given, as PyTorch draws it. */
export function drawSeed(generator?: Generator): number | bigint {
  return scope(() => empty([], { dtype: 'int64' }).random_({ generator }).item<number | bigint>());
}

/** A random order, with the draws of `torch.utils.data.RandomSampler`. */
export class RandomSampler implements Sampler {
  readonly length: number;
  readonly #size: number;
  readonly #replacement: boolean;
  /** What the order is drawn from; undefined for the default generator. */
  readonly generator: Generator | undefined;

  constructor(size: number, options: RandomSamplerOptions = {}) {
    randomTakes.check(new.target.name, arguments);
    const { replacement = false, numSamples = size, generator } = options;
    if (numSamples === 0) {
      throw new AiforgeError('INVALID_ARGUMENT', 'RandomSampler: there must be samples to draw from, got a size of 0.');
    }
    this.#size = size;
    this.length = numSamples;
    this.#replacement = replacement;
    this.generator = generator;
  }

  *[Symbol.iterator](): Iterator<number> {
    const generator = this.generator ?? new Generator().manualSeed(drawSeed());
    yield* this.#replacement ? this.#withReplacement(generator) : this.#permutations(generator);
  }

  // PyTorch draws in chunks of 32.
  *#withReplacement(generator: Generator): Iterable<number> {
    for (let left = this.length; left > 0; left -= 32) {
      const count = Math.min(32, left);
      yield* scope(() => randint(this.#size, [count], { generator, dtype: 'int64' }).tolist<number[]>());
    }
  }

  *#permutations(generator: Generator): Iterable<number> {
    // PyTorch draws one more order at the end, of which it takes what is left: often nothing.
    for (let left = this.length; left >= 0; left -= this.#size) {
      const order = scope(() => randperm(this.#size, { generator }).tolist<number[]>());
      yield* order.slice(0, left);
    }
  }
}

export interface SubsetRandomSamplerOptions {
  /** Default: the default generator. */
  generator?: Generator;
}

const subsetTakes = signature<SubsetRandomSamplerOptions>({ indices: listOf(size) }, { generator: generatorKind });

/**
 * Given indices in a random order, each once a pass. As `torch.utils.data.SubsetRandomSampler`.
 *
 * @example
 * import { data } from 'aiforge';
 * [...new data.SubsetRandomSampler([3, 1, 4])].sort(); // [1, 3, 4]
 */
export class SubsetRandomSampler implements Sampler {
  /** What the order is drawn from; undefined for the default generator. */
  readonly generator: Generator | undefined;

  constructor(
    readonly indices: readonly number[],
    options: SubsetRandomSamplerOptions = {},
  ) {
    subsetTakes.check(new.target.name, arguments);
    const { generator } = options;
    this.generator = generator;
  }

  get length(): number {
    return this.indices.length;
  }

  *[Symbol.iterator](): Iterator<number> {
    const order = scope(() => randperm(this.length, { generator: this.generator }).tolist<number[]>());
    for (const i of order) yield this.indices[i]!;
  }
}

export interface WeightedRandomSamplerOptions extends SubsetRandomSamplerOptions {
  /** Whether a sample may be drawn again. Default: true. */
  replacement?: boolean;
}

const weightedTakes = signature<WeightedRandomSamplerOptions>(
  { weights: either(listOf(number), tensorKind), numSamples: count },
  { replacement: boolean, generator: generatorKind },
);

/**
 * `numSamples` indices a pass, each with a probability in proportion to its weight. As
 * `torch.utils.data.WeightedRandomSampler`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a `numSamples` that is no positive whole number and weights of more dimensions
 * than one.
 * @example
 * import { data } from 'aiforge';
 * [...new data.WeightedRandomSampler([0, 1, 0], 4)]; // [1, 1, 1, 1]
 */
export class WeightedRandomSampler implements Sampler {
  readonly length: number;
  readonly weights: readonly number[];
  readonly replacement: boolean;
  /** What the order is drawn from; undefined for the default generator. */
  readonly generator: Generator | undefined;

  constructor(weights: readonly number[] | Tensor, numSamples: number, options: WeightedRandomSamplerOptions = {}) {
    weightedTakes.check(new.target.name, arguments);
    const { replacement = true, generator } = options;
    const list = Tensor.isTensor(weights) ? (weights.tolist() as unknown) : weights;
    if (!Array.isArray(list) || list.some((weight) => typeof weight !== 'number')) {
      throw new AiforgeError('INVALID_ARGUMENT', 'WeightedRandomSampler: weights must be a list of numbers.');
    }
    this.weights = [...(list as number[])];
    this.length = numSamples;
    this.replacement = replacement;
    this.generator = generator;
  }

  *[Symbol.iterator](): Iterator<number> {
    const { weights, length, replacement } = this;
    yield* scope(() => {
      const generator = this.generator;
      return tensor([...weights], { dtype: 'float64' })
        .multinomial(length, replacement, { generator })
        .tolist<number[]>();
    });
  }
}

export interface DistributedSamplerOptions {
  numReplicas: number;
  rank: number;
  /** Default: true. */
  shuffle?: boolean;
  /** Default: 0. The same on every rank. */
  seed?: number;
  /** Leaves out the tail instead of repeating samples to make the parts equal. Default: false. */
  dropLast?: boolean;
}

const distributedTakes = signature<DistributedSamplerOptions>(
  { size: sizeOfData },
  { numReplicas: count, rank: size, shuffle: boolean, seed: whole, dropLast: boolean },
  ['numReplicas', 'rank'],
);

/** Every rank's own part of the samples, in the order of `torch.utils.data.DistributedSampler`. */
export class DistributedSampler implements Sampler {
  readonly length: number;
  readonly #size: number;
  readonly #options: Required<DistributedSamplerOptions>;
  #epoch = 0;
  #taken = 0;

  constructor(size: number, options: DistributedSamplerOptions) {
    distributedTakes.check(new.target.name, arguments);
    const { numReplicas, rank } = options;
    if (rank >= numReplicas) {
      throw new AiforgeError('INVALID_ARGUMENT', `DistributedSampler: rank ${rank} is outside 0 … ${numReplicas - 1}.`);
    }
    this.#size = size;
    const { shuffle = true, seed = 0, dropLast = false } = options;
    this.#options = { numReplicas, rank, shuffle, seed, dropLast };
    this.length = this.#options.dropLast ? Math.floor(size / numReplicas) : Math.ceil(size / numReplicas);
  }

  /** Chooses the order of a pass, by the epoch's number from 0; call it before each. */
  setEpoch(epoch: number): void {
    setEpochTakes.check('setEpoch', arguments);
    this.#epoch = epoch;
  }

  /** The number of the pass, as `setEpoch` was told. */
  get epoch(): number {
    return this.#epoch;
  }

  get numReplicas(): number {
    return this.#options.numReplicas;
  }

  get shuffle(): boolean {
    return this.#options.shuffle;
  }

  get seed(): number {
    return this.#options.seed;
  }

  /** Has the next pass begin after samples that all ranks together took of it, however many ranks there were then. */
  continueAfter(taken: number): void {
    continueTakes.check('continueAfter', arguments);
    this.#taken = taken;
  }

  [Symbol.iterator](): Iterator<number> {
    const taken = this.#taken;
    this.#taken = 0;
    return this.#after(taken);
  }

  *#after(taken: number): Iterator<number> {
    const { numReplicas, rank, dropLast } = this.#options;
    const order = this.#order();
    const left = Math.max(0, this.#size - taken) / numReplicas;
    const total = taken + (dropLast ? Math.floor(left) : Math.ceil(left)) * numReplicas;
    for (let i = taken + rank; i < total; i += numReplicas) yield order[i % order.length]!;
  }

  #order(): number[] {
    if (!this.#options.shuffle) return Array.from({ length: this.#size }, (_, i) => i);
    const generator = new Generator().manualSeed(this.#options.seed + this.#epoch);
    return scope(() => randperm(this.#size, { generator }).tolist<number[]>());
  }
}

const afterTakes = signature({ samples: size });
const batchTakes = signature({ sampler: samplerKind, batchSize: count, dropLast: optional(boolean) });

/** Groups a sampler's indices, as `torch.utils.data.BatchSampler`. */
export class BatchSampler implements Iterable<number[]> {
  constructor(
    readonly sampler: Sampler,
    readonly batchSize: number,
    readonly dropLast = false,
  ) {
    batchTakes.check(new.target.name, arguments);
  }

  get length(): number {
    const count = this.sampler.length / this.batchSize;
    return this.dropLast ? Math.floor(count) : Math.ceil(count);
  }

  [Symbol.iterator](): Iterator<number[]> {
    return this.after(0);
  }

  /** The batches of what is left once a pass has given some samples. */
  after(samples: number): IterableIterator<number[], undefined> {
    afterTakes.check('after', arguments);
    return this.#after(samples);
  }

  *#after(samples: number): IterableIterator<number[], undefined> {
    let batch: number[] = [];
    let skip = samples;
    for (const index of this.sampler) {
      if (skip-- > 0) continue;
      batch.push(index);
      if (batch.length < this.batchSize) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0 && !this.dropLast) yield batch;
  }
}

/** Any order of batches, each a list of indices. */
export interface BatchOrder extends Iterable<readonly number[]> {
  readonly length: number;
}

export const batchOrderKind = kind<BatchOrder>(
  'a batch sampler: an iterable of lists of indices with a length',
  (value) => samplerKind.accepts(value),
);
