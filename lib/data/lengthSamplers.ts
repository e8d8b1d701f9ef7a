import { AiforgeError } from '../errors.js';
import { boolean, count, either, listOf, notNegative } from '../kinds.js';
import { signature } from '../signature.js';
import { Generator, randperm, scope, Tensor } from '../tensor/index.js';
import { generatorKind, tensorKind } from '../tensor/kinds.js';
import { drawSeed, type BatchOrder, type Sampler } from './samplers.js';

/** How long each sample is, say in tokens. */
export type Lengths = readonly number[] | Tensor;

const lengthsKind = either(listOf(notNegative), tensorKind);

export interface LengthGroupedOptions {
  /** How many batches are sorted together: more of them pad less and mix less. Default: 50. */
  megaBatch?: number;
  /** Default: a new one each pass, seeded from the default generator. */
  generator?: Generator;
}

export interface TokenBudgetOptions {
  /** A new random order each pass. Default: true. */
  shuffle?: boolean;
  /** No batch has more samples. Default: any number. */
  maxSamples?: number;
  /** Default: a new one each pass, seeded from the default generator. */
  generator?: Generator;
}

const groupedTakes = signature<LengthGroupedOptions>(
  { lengths: lengthsKind, batchSize: count },
  { megaBatch: count, generator: generatorKind },
);

const budgetTakes = signature<TokenBudgetOptions>(
  { lengths: lengthsKind, maxTokens: count },
  { shuffle: boolean, maxSamples: count, generator: generatorKind },
);

/**
 * A random order in which samples of about the same length come together, so that batches pad little: `megaBatch` batches of a random
 * order are sorted by length, and the longest sample of all comes first, so that memory that does not suffice shows at once. As
 * `LengthGroupedSampler` of transformers.
 *
 * @throws AiforgeError INVALID_ARGUMENT for lengths that are no list of numbers.
 * @example
 * import { data } from 'aiforge';
 * [...new data.LengthGroupedSampler([3, 9, 4], 2)][0]; // 1
 */
export class LengthGroupedSampler implements Sampler {
  readonly length: number;
  readonly #lengths: readonly number[];
  readonly #size: number;
  /** What the order is drawn from; undefined for the default generator. */
  readonly generator: Generator | undefined;

  constructor(lengths: Lengths, batchSize: number, options: LengthGroupedOptions = {}) {
    groupedTakes.check(new.target.name, arguments);
    const { megaBatch = 50, generator } = options;
    this.#lengths = listed(new.target.name, lengths);
    this.length = this.#lengths.length;
    this.#size = batchSize * megaBatch;
    this.generator = generator;
  }

  *[Symbol.iterator](): Iterator<number> {
    const order = permutation(this.length, this.generator);
    const longest = (a: number, b: number): number => this.#lengths[b]! - this.#lengths[a]! || a - b;
    const groups: number[][] = [];
    for (let i = 0; i < order.length; i += this.#size) groups.push(order.slice(i, i + this.#size).sort(longest));
    const [most] = groups.map(([first]) => first!).sort(longest);
    if (most === undefined) return;
    yield most;
    for (const group of groups) for (const index of group) if (index !== most) yield index;
  }
}

/**
 * Batches of as many samples as have no more than `maxTokens` together once they are padded to the longest of the batch. Samples of
 * about the same length come together. For `batchSampler` of a DataLoader. As `max_tokens` of fairseq.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a sample that is longer than `maxTokens` alone.
 * @example
 * import { data } from 'aiforge';
 * [...new data.TokenBudgetBatchSampler([3, 9, 4, 1], 10, { shuffle: false })]; // [[3, 0], [2], [1]]
 */
export class TokenBudgetBatchSampler implements BatchOrder {
  /** The number of batches of a pass, which is the same for each. */
  readonly length: number;
  readonly #batches: readonly (readonly number[])[];
  readonly #shuffle: boolean;
  /** What the order is drawn from; undefined for the default generator. */
  readonly generator: Generator | undefined;

  constructor(lengths: Lengths, maxTokens: number, options: TokenBudgetOptions = {}) {
    budgetTakes.check(new.target.name, arguments);
    const { shuffle = true, maxSamples = Infinity, generator } = options;
    const list = listed(new.target.name, lengths);
    const tooLong = list.findIndex((length) => length > maxTokens);
    if (tooLong >= 0) {
      throw new AiforgeError('INVALID_ARGUMENT', `TokenBudgetBatchSampler: sample ${tooLong} has ${list[tooLong]} tokens, more than maxTokens = ${maxTokens}; truncate it, or raise maxTokens.`); // prettier-ignore
    }
    this.#batches = packed(list, maxTokens, maxSamples);
    this.length = this.#batches.length;
    this.#shuffle = shuffle;
    this.generator = generator;
  }

  *[Symbol.iterator](): Iterator<readonly number[]> {
    if (!this.#shuffle) yield* this.#batches;
    else for (const i of permutation(this.length, this.generator)) yield this.#batches[i]!;
  }
}

function packed(lengths: readonly number[], maxTokens: number, maxSamples: number): number[][] {
  const order = lengths.map((_, i) => i).sort((a, b) => lengths[a]! - lengths[b]! || a - b);
  const batches: number[][] = [];
  let batch: number[] = [];
  for (const index of order) {
    // They come from short to long: each is the longest of its batch so far.
    if (batch.length > 0 && ((batch.length + 1) * lengths[index]! > maxTokens || batch.length === maxSamples)) {
      batches.push(batch);
      batch = [];
    }
    batch.push(index);
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}

function listed(who: string, lengths: Lengths): readonly number[] {
  const list: unknown = Tensor.isTensor(lengths) ? lengths.tolist() : lengths;
  if (Array.isArray(list) && list.every((length) => typeof length === 'number')) return [...list];
  throw new AiforgeError('INVALID_ARGUMENT', `${who}: lengths must be a list of numbers, one for each sample.`);
}

const permutation = (length: number, generator = new Generator().manualSeed(drawSeed())): number[] =>
  scope(() => randperm(length, { generator }).tolist<number[]>());
