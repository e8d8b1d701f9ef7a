import { isAvailable } from '../cuda/index.js';
import { AiforgeError } from '../errors.js';
import { boolean, count, func, optional, size } from '../kinds.js';
import { logger } from '../log.js';
import { signature } from '../signature.js';
import { scope, type Generator as RandomGenerator } from '../tensor/index.js';
import { generatorKind } from '../tensor/kinds.js';
import { defaultCollate } from './collate.js';
import { pinBatch } from './moveToDevice.js';
import { beneathSubsets, samplesAt, samplesKind, type Samples } from './dataset.js';
import { BatchSampler, drawSeed, RandomSampler, samplerKind, SequentialSampler, type Sampler } from './samplers.js';
import { rowsOf } from './tensorDataset.js';

export interface DataLoaderOptions<Item, Batch> {
  /** Default: 1. */
  batchSize?: number;
  /** A new random order each pass. Default: false. */
  shuffle?: boolean;
  /** The order; excludes `shuffle`. */
  sampler?: Sampler;
  /** Leaves out a last batch that is not full. Default: false. */
  dropLast?: boolean;
  /** Default: the default generator. */
  generator?: RandomGenerator;
  /** Puts samples together. Default: `defaultCollate`. */
  collate?: (samples: Item[]) => Batch;
  /**
   * Puts the tensors of each batch into pinned memory, from which a GPU copies while the program goes on. Without a GPU it does
   * nothing, with a warning in the log (`LOG_LEVEL=warn`). Default: false.
   */
  pinMemory?: boolean;
}

const dataLoaderTakes = signature<DataLoaderOptions<unknown, unknown>>(
  { dataset: samplesKind },
  {
    batchSize: count,
    shuffle: boolean,
    sampler: samplerKind,
    collate: func<(samples: unknown[]) => unknown>(),
    dropLast: boolean,
    generator: generatorKind,
    pinMemory: boolean,
  },
);

const batchesTakes = signature({ first: optional(size) });

function canPin(): boolean {
  if (isAvailable()) return true;
  logger.warn('DataLoader: pinMemory does nothing, since no GPU can be used here.');
  return false;
}

/** What a loader is made with, once: assigning it later would change nothing. */
const fixed = [
  'dataset',
  'batchSampler',
  'sampler',
  'batchSize',
  'dropLast',
  'shuffle',
  'collate',
  'generator',
  'pinMemory',
];

function refuseAssignment(prototype: object, name: string): void {
  const refuse = (): never => {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `DataLoader: ${name} cannot be set afterwards; make a new DataLoader with it.`,
    );
  };
  const own = Object.getOwnPropertyDescriptor(prototype, name);
  Object.defineProperty(prototype, name, { configurable: true, ...own, set: refuse });
}

/**
 * Batches of a dataset or of an array of samples, as `torch.utils.data.DataLoader` with its draws: the same seed gives the
 * same batches.
 *
 * @throws AiforgeError INVALID_ARGUMENT for options that make no sense, and from a pass for samples that cannot be put
 * together.
 *
 * @example
 * import { data, tensor } from 'aiforge';
 * const dataset = new data.TensorDataset(tensor([[1.5], [2.5], [3.5]]), tensor([0, 1, 0]));
 * for (const [x, y] of new data.DataLoader(dataset, { batchSize: 2 })) console.log(x.shape, y.tolist());
 */
export class DataLoader<Item, Batch = ReturnType<typeof defaultCollate<Item>>> implements Iterable<Batch> {
  readonly #dataset: Samples<Item>;
  readonly #batchSampler: BatchSampler;
  readonly #collate: (samples: Item[]) => Batch;
  readonly #generator: RandomGenerator | undefined;
  readonly #pinMemory: boolean;

  static {
    for (const name of fixed) refuseAssignment(this.prototype, name);
  }

  constructor(dataset: Samples<Item>, options: DataLoaderOptions<Item, Batch> = {}) {
    dataLoaderTakes.check(new.target.name, arguments);
    const { batchSize = 1, shuffle = false, dropLast = false, generator, sampler, pinMemory = false } = options;
    if (shuffle && sampler !== undefined) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        'DataLoader: give either a sampler or shuffle, not both: a sampler sets the order.',
      );
    }
    const ordered = shuffle ? new RandomSampler(dataset.length, { generator }) : new SequentialSampler(dataset.length);
    this.#dataset = dataset;
    this.#batchSampler = new BatchSampler(sampler ?? ordered, batchSize, dropLast);
    this.#collate = options.collate ?? (defaultCollate as unknown as (samples: Item[]) => Batch);
    this.#generator = generator;
    this.#pinMemory = pinMemory && canPin();
  }

  get dataset(): Samples<Item> {
    return this.#dataset;
  }

  /** Gives the indices of each batch. */
  get batchSampler(): BatchSampler {
    return this.#batchSampler;
  }

  /** Gives the order of the samples. */
  get sampler(): Sampler {
    return this.#batchSampler.sampler;
  }

  get batchSize(): number {
    return this.#batchSampler.batchSize;
  }

  get dropLast(): boolean {
    return this.#batchSampler.dropLast;
  }

  /** Whether batches are put into pinned memory; false without a GPU. */
  get pinMemory(): boolean {
    return this.#pinMemory;
  }

  /** The number of batches. */
  get length(): number {
    return this.#batchSampler.length;
  }

  [Symbol.iterator](): Iterator<Batch> {
    return this.batches();
  }

  /**
   * The batches of one pass from the one at `first` on, which goes on with a pass; those before it are not loaded. Throws
   * INVALID_ARGUMENT for a `first` that is no whole number, 0 to `length`.
   */
  batches(first = 0): Generator<Batch, void, undefined> {
    batchesTakes.check('batches', arguments);
    if (first > this.length) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `batches: first is ${first}, and there are ${this.length} batches; expected 0 … ${this.length}.`,
      );
    }
    // PyTorch draws a seed for its workers at the start of every pass, also when it has none.
    if (first === 0) drawSeed(this.#generator);
    return this.#load(first);
  }

  *#load(first: number): Generator<Batch, void, undefined> {
    let index = 0;
    for (const indices of this.#batchSampler) {
      if (index++ < first) continue;
      yield scope(() => (this.#pinMemory ? pinBatch(this.#batchAt(indices)) : this.#batchAt(indices)));
    }
  }

  #batchAt(indices: readonly number[]): Batch {
    const place = beneathSubsets(this.#dataset, indices, 'DataLoader, from its sampler');
    const rows = this.#collate === (defaultCollate as unknown) ? rowsOf(...place) : null;
    return rows === null ? this.#collate(samplesAt(...place)) : (rows as Batch);
  }
}
