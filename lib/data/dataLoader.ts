import { AiforgeError } from '../errors.js';
import { boolean, count, func, optional, size } from '../kinds.js';
import { signature } from '../signature.js';
import { scope, type Generator as RandomGenerator } from '../tensor/index.js';
import { generatorKind } from '../tensor/kinds.js';
import { defaultCollate } from './collate.js';
import { sampleAt, samplesKind, type Samples } from './dataset.js';
import { BatchSampler, drawSeed, RandomSampler, samplerKind, SequentialSampler, type Sampler } from './samplers.js';

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
  },
);

const batchesTakes = signature({ first: optional(size) });

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
  readonly batchSampler: BatchSampler;
  readonly #collate: (samples: Item[]) => Batch;
  readonly #generator: RandomGenerator | undefined;

  constructor(
    readonly dataset: Samples<Item>,
    options: DataLoaderOptions<Item, Batch> = {},
  ) {
    dataLoaderTakes.check(new.target.name, arguments);
    const { batchSize = 1, shuffle = false, dropLast = false, generator, sampler } = options;
    if (shuffle && sampler !== undefined) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        'DataLoader: give either a sampler or shuffle, not both: a sampler sets the order.',
      );
    }
    const ordered = shuffle ? new RandomSampler(dataset.length, { generator }) : new SequentialSampler(dataset.length);
    this.batchSampler = new BatchSampler(sampler ?? ordered, batchSize, dropLast);
    this.#collate = options.collate ?? (defaultCollate as unknown as (samples: Item[]) => Batch);
    this.#generator = generator;
  }

  /** The number of batches. */
  get length(): number {
    return this.batchSampler.length;
  }

  [Symbol.iterator](): Iterator<Batch> {
    return this.batches();
  }

  /** The batches of one pass from the one at `first` on, which goes on with a pass; those before it are not loaded. */
  batches(first = 0): Generator<Batch, void, undefined> {
    batchesTakes.check('batches', arguments);
    // PyTorch draws a seed for its workers at the start of every pass, also when it has none.
    if (first === 0) drawSeed(this.#generator);
    return this.#load(first);
  }

  *#load(first: number): Generator<Batch, void, undefined> {
    let index = 0;
    for (const indices of this.batchSampler) {
      if (index++ < first) continue;
      yield scope(() => this.#collate(indices.map((i) => sampleAt(this.dataset, i))));
    }
  }
}
