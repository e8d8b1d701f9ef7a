import { isAvailable } from '../../cuda/index.js';
import { AiforgeError } from '../../errors.js';
import { boolean, count, either, func, kind, orNull, size, type Kinds } from '../../kinds.js';
import { logger } from '../../log.js';
import { signature } from '../../signature.js';
import type { Generator } from '../../tensor/index.js';
import { generatorKind } from '../../tensor/kinds.js';
import { samplesKind, type Samples } from '../dataset.js';
import {
  BatchSampler,
  batchOrderKind,
  RandomSampler,
  samplerKind,
  SequentialSampler,
  type BatchOrder,
  type Sampler,
} from '../samplers.js';
import { streamKind, type Stream } from '../stream.js';

export interface DataLoaderOptions<Item, Batch> {
  /** Default: 1. */
  batchSize?: number;
  /** A new random order each pass. Default: false. */
  shuffle?: boolean;
  /** The order; excludes `shuffle`. */
  sampler?: Sampler;
  /** The order of whole batches; excludes `batchSize`, `shuffle`, `sampler` and `dropLast`. */
  batchSampler?: BatchOrder;
  /** Leaves out a last batch that is not full. Default: false. */
  dropLast?: boolean;
  /** Default: the default generator. */
  generator?: Generator;
  /**
   * Puts samples together. With workers it runs in them where it comes from `fromModule`, else in this thread. Default:
   * `defaultCollate`.
   */
  collate?: (samples: Awaited<Item>[]) => Batch;
  /**
   * Puts the tensors of each batch into pinned memory, from which a GPU copies while the program goes on. Without a GPU it does
   * nothing, with a warning in the log (`LOG_LEVEL=warn`). Default: false.
   */
  pinMemory?: boolean;
  /**
   * Threads that make batches, which `for await` then takes. As many as this process has cores for run at the same time, each with
   * `workerThreads`; the batches are the same for any number. Default: 0.
   */
  numWorkers?: number;
  /** Threads that an operator gets in a worker. Default: 1. */
  workerThreads?: number;
  /** Batches that are made ahead: for each worker, or altogether without workers. Default: 2 with workers, else 0. */
  prefetchFactor?: number;
  /** Keeps the workers from one pass to the next, until `close()`. Default: false. */
  persistentWorkers?: boolean;
  /**
   * Makes the first batches in this thread until the workers have started, so that nobody waits for them; what the dataset's code does
   * to a thread, it then does to this one. Default: false.
   */
  startHere?: boolean;
  /** Whether batches come in their order, and not as they are ready. Default: true. */
  inOrder?: boolean;
  /** How long one batch may take that `for await` waits for, in milliseconds; null for any time. Default: null. */
  timeoutMs?: number | null;
  /** Ends every pass, with its reason as the error. */
  signal?: AbortSignal;
}

const signalKind = kind<AbortSignal>(
  'an AbortSignal',
  (value) =>
    typeof value === 'object' && value !== null && Object.prototype.toString.call(value) === '[object AbortSignal]',
);

const kinds: Kinds<DataLoaderOptions<unknown, unknown>> = {
  batchSize: count,
  shuffle: boolean,
  sampler: samplerKind,
  batchSampler: batchOrderKind,
  dropLast: boolean,
  generator: generatorKind,
  collate: func<(samples: unknown[]) => unknown>(),
  pinMemory: boolean,
  numWorkers: size,
  workerThreads: count,
  prefetchFactor: size,
  persistentWorkers: boolean,
  startHere: boolean,
  inOrder: boolean,
  timeoutMs: orNull(count),
  signal: signalKind,
};

export const dataLoaderOptions: readonly string[] = Object.keys(kinds);

export const dataLoaderTakes = signature({ dataset: either(samplesKind, streamKind) }, kinds);

const refusal = (problem: string): AiforgeError => new AiforgeError('INVALID_ARGUMENT', `DataLoader: ${problem}.`);

/** What a batchSampler says itself. */
const orderOptions = ['batchSize', 'shuffle', 'sampler', 'dropLast'];

/** Throws INVALID_ARGUMENT for options that contradict each other. */
export function checkTogether(options: DataLoaderOptions<never, never>, isStream: boolean): void {
  const given = options as Readonly<Record<string, unknown>>;
  const { shuffle = false, sampler, numWorkers = 0, startHere = false, inOrder = true, prefetchFactor = 0 } = options;
  if (shuffle && sampler !== undefined) {
    throw refusal('give either a sampler or shuffle, not both: a sampler sets the order');
  }
  const other = orderOptions.find((each) => given[each] !== undefined);
  if (given.batchSampler !== undefined && other !== undefined) {
    throw refusal(`give either batchSampler or ${other}, not both: a batchSampler sets all of the order`);
  }
  const ordering = ['shuffle', 'sampler', 'batchSampler'].find(
    (each) => given[each] !== undefined && given[each] !== false,
  );
  if (isStream && ordering !== undefined) {
    throw refusal(`a stream has its own order, so there can be no ${ordering}`);
  }
  if (isStream && !inOrder) throw refusal('a stream always comes in its order, so inOrder cannot be false');
  if (isStream && startHere)
    throw refusal('startHere is for datasets whose samples have an index; a stream is read by its workers');
  if (numWorkers > 0) return;
  const idle = ['persistentWorkers', 'startHere', 'workerThreads'].find((each) => (given[each] ?? false) !== false);
  if (idle !== undefined) throw refusal(`${idle} says something of workers, and there are none; set numWorkers`);
  if (isStream && prefetchFactor > 0) throw refusal('a stream is read ahead by workers alone; set numWorkers');
}

export const isSamples = (dataset: unknown): dataset is Samples => samplesKind.accepts(dataset);

/** The order that options ask for. */
export function orderOf<Item>(dataset: Samples<Item>, options: DataLoaderOptions<Item, never>): BatchOrder {
  const { batchSize = 1, shuffle = false, dropLast = false, generator, sampler, batchSampler } = options;
  if (batchSampler !== undefined) return batchSampler;
  const ordered = shuffle ? new RandomSampler(dataset.length, { generator }) : new SequentialSampler(dataset.length);
  return new BatchSampler(sampler ?? ordered, batchSize, dropLast);
}

export function canPin(): boolean {
  if (isAvailable()) return true;
  logger.warn('DataLoader: pinMemory does nothing, since no GPU can be used here.');
  return false;
}

export type Source<Item> = Samples<Item> | Stream<Item>;
