import { setImmediate } from 'node:timers/promises';
import { AiforgeError } from '../errors.js';
import { availableCores } from '../cores.js';
import { anything, optional, size } from '../kinds.js';
import { warnOnce } from '../warnOnce.js';
import { unheard } from '../promised.js';
import { nothing, signature } from '../signature.js';
import { defaultCollate, type Collated } from './collate.js';
import { drawsOf, redrawn, restoreDraws, samplerGenerators } from './loading/draws.js';
import { inTime, isTooLate } from './loading/inTime.js';
import { checkLoaderState, type LoaderState, type PassState } from './loading/loaderState.js';
import {
  canPin,
  checkTogether,
  dataLoaderOptions,
  dataLoaderTakes,
  isSamples,
  orderOf,
  type DataLoaderOptions,
  type Source,
} from './loading/options.js';
import { MapPass, type Soon } from './loading/mapPass.js';
import { Pass } from './loading/pass.js';
import { partsOf } from './loading/parts.js';
import { PartStream } from './loading/partStream.js';
import { StreamPass } from './loading/streamPass.js';
import { pinBatch } from './moveToDevice.js';
import type { Held } from '../tensor/memory/held.js';
import { BatchSampler, drawSeed, type BatchOrder, type Sampler } from './samplers.js';
import type { Samples } from './dataset.js';
import type { OpenStream, Position, Stream } from './stream.js';
import { LoaderWorkers } from './workers/loaderWorkers.js';
import { PooledStream } from './workers/pooledStream.js';
import { canTravel } from './workers/recipe.js';

export type { DataLoaderOptions } from './loading/options.js';

const batchesTakes = signature({ first: optional(size) });

/** What a loader is made with, once: assigning it later would change nothing. */
const fixed = ['dataset', ...dataLoaderOptions];

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

/** The pass that was begun last. */
interface Current<Item, Batch> {
  readonly begunWith: string;
  readonly samplers: readonly string[];
  readonly pass: Pass | StreamPass<Item, Batch>;
  position: Position;
  isOver: boolean;
}

/**
 * Batches of a dataset, of an array of samples or of a stream, as `torch.utils.data.DataLoader` with its draws: the same seed gives
 * the same batches, with any number of workers. `for` takes them where everything is there at once, `for await` always.
 *
 * @throws AiforgeError INVALID_ARGUMENT for options that make no sense, and from a pass for samples that cannot be put
 * together; LOADER_FAILED from a pass whose worker fails, with the worker's error as the cause.
 *
 * @example
 * import { data, tensor } from 'aiforge';
 * const dataset = new data.TensorDataset(tensor([[1.5], [2.5], [3.5]]), tensor([0, 1, 0]));
 * for (const [x, y] of new data.DataLoader(dataset, { batchSize: 2 })) console.log(x.shape, y.tolist());
 */
export class DataLoader<Item, Batch = Collated<Awaited<Item>>>
  implements Iterable<Batch>, AsyncIterable<Awaited<Batch>>
{
  readonly #source: Source<Item>;
  readonly #options: DataLoaderOptions<Item, Batch>;
  readonly #order: BatchOrder | null;
  readonly #collate: (samples: Awaited<Item>[]) => Batch;
  readonly #pinMemory: boolean;
  readonly #workers: LoaderWorkers | null;
  #current: Current<Item, Batch> | null = null;
  #resumed: PassState | null = null;

  static {
    for (const name of fixed) refuseAssignment(this.prototype, name);
  }

  constructor(dataset: Source<Item>, options: DataLoaderOptions<Item, Batch> = {}) {
    dataLoaderTakes.check(new.target.name, arguments);
    const isStream = !isSamples(dataset);
    checkTogether(options as never, isStream);
    this.#source = dataset;
    this.#options = { ...options };
    this.#order = isStream ? null : orderOf(dataset as never, options as never);
    this.#collate = options.collate ?? (defaultCollate as unknown as (samples: Awaited<Item>[]) => Batch);
    this.#pinMemory = (options.pinMemory ?? false) && canPin();
    this.#workers = this.#loaderWorkers();
  }

  get dataset(): Source<Item> {
    return this.#source;
  }

  /** Gives the indices of each batch. Throws INVALID_ARGUMENT for a stream. */
  get batchSampler(): BatchOrder {
    return this.#orderOf('batchSampler');
  }

  /** Gives the order of the samples. Throws INVALID_ARGUMENT for a stream, or where a batchSampler was given. */
  get sampler(): Sampler {
    const order = this.#orderOf('sampler');
    if (order instanceof BatchSampler) return order.sampler;
    throw refusal('there is no sampler where a batchSampler was given');
  }

  /** Null where a batchSampler was given, which may give batches of any size. */
  get batchSize(): number | null {
    if (this.#order === null) return this.#options.batchSize ?? 1;
    return this.#order instanceof BatchSampler ? this.#order.batchSize : null;
  }

  get dropLast(): boolean {
    return this.#order instanceof BatchSampler ? this.#order.dropLast : (this.#options.dropLast ?? false);
  }

  /** Whether batches are put into pinned memory; false without a GPU. */
  get pinMemory(): boolean {
    return this.#pinMemory;
  }

  /** As it was given; as many workers run as there are cores for. */
  get numWorkers(): number {
    return this.#options.numWorkers ?? 0;
  }

  /** The number of batches. Throws INVALID_ARGUMENT for a stream, which nobody knows the length of. */
  get length(): number {
    return this.#orderOf('length').length;
  }

  #orderOf(what: string): BatchOrder {
    if (this.#order !== null) return this.#order;
    throw refusal(`a stream has no ${what}`);
  }

  [Symbol.iterator](): Iterator<Batch, undefined> {
    return this.batches();
  }

  /**
   * The batches of one pass from the one at `first` on, which goes on with a pass; those before it are not loaded, and the samples'
   * own generators are not those of that pass (`loadStateDict` goes on with all of it). Throws INVALID_ARGUMENT for a `first` that is
   * no whole number, 0 to `length`, and for a loader with workers or of a stream whose samples come later.
   */
  batches(first = 0): Generator<Batch, undefined, undefined> {
    batchesTakes.check('batches', arguments);
    if (this.#workers !== null)
      throw refusal('workers make batches while this thread goes on; take them with `for await`');
    if (first === 0) return this.#now(this.#begin());
    const batches = this.length;
    if (first > batches) {
      throw new AiforgeError('INVALID_ARGUMENT', `batches: first is ${first}, and there are ${batches} batches; expected 0 … ${batches}.`); // prettier-ignore
    }
    return this.#now(this.#from(first));
  }

  /**
   * @internal The batches of one pass, each in a scope of its own that whoever takes it ends: at once where its samples are there, else as
   * a promise. The next one is to be asked for once the last one has come.
   */
  soon(): Generator<Held<Soon<Batch>>, void, undefined> {
    const { pass } = this.#begin();
    if (!(pass instanceof Pass))
      throw refusal('a stream gives its batches one after the other; take them with `for await`');
    const map = this.#map(pass);
    return this.#workers === null ? map.soon() : map.soonInWorkers(this.#workers);
  }

  /** The batches of one pass, as they come; the event loop goes on meanwhile. */
  [Symbol.asyncIterator](): AsyncGenerator<Awaited<Batch>, undefined, undefined> {
    return this.#later(this.#begin());
  }

  /**
   * Where the loader stands: plain JSON. A batch counts as handed out once the loop has it. Taken up again, each sample of the pass
   * comes exactly once, also with another number of workers, another `batchSize`, or another number of ranks that share a
   * DistributedSampler: the state of any of them will do.
   */
  stateDict(): LoaderState {
    nothing.check('stateDict', arguments);
    const { generator } = this.#options;
    const pass = this.#resumed ?? this.#passState();
    const own = pass === null && generator !== undefined ? drawsOf(generator) : null;
    const isGoingOn = pass !== null && this.#resumed === null;
    const samplers = isGoingOn ? this.#current!.samplers : this.#samplers.map(drawsOf);
    return copyOf({ version: 1, size: this.#size, generator: own, samplers, pass });
  }

  /** Has the next pass go on where `state` stands. Throws STATE_DICT_MISMATCH for a state of other samples, or for none. */
  loadStateDict(state: LoaderState): void {
    loadTakes.check('loadStateDict', arguments);
    checkLoaderState(state, this.#size);
    const { generator } = this.#options;
    const [samplers, drawn] = [this.#samplers, state.samplers ?? []];
    if (samplers.length !== drawn.length) throw new AiforgeError('STATE_DICT_MISMATCH', `DataLoader.loadStateDict: it is of a sampler with ${drawn.length} generators of its own, and this loader's has ${samplers.length}.`); // prettier-ignore
    if (state.generator !== null) {
      if (generator === undefined) throw new AiforgeError('STATE_DICT_MISMATCH', 'DataLoader.loadStateDict: it is of a loader with a generator of its own, and this one has none.'); // prettier-ignore
      restoreDraws(generator, state.generator);
    }
    samplers.forEach((each, i) => restoreDraws(each, drawn[i]!));
    this.#current = null;
    this.#resumed = copyOf(state.pass);
  }

  /** Ends the workers that `persistentWorkers` keeps. */
  async close(): Promise<void> {
    nothing.check('close', arguments);
    await this.#workers?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #loaderWorkers(): LoaderWorkers | null {
    const { numWorkers = 0, workerThreads: threads = 1, persistentWorkers = false } = this.#options;
    if (numWorkers === 0) return null;
    const collate = canTravel(this.#collate) ? this.#collate : null;
    const workers = workersFor(numWorkers, threads);
    return new LoaderWorkers({ dataset: this.#source, collate, workers, threads }, persistentWorkers);
  }

  /** The generators that the sampler draws from by itself. */
  get #samplers(): ReturnType<typeof samplerGenerators> {
    return samplerGenerators(this.#order, this.#options.generator);
  }

  get #size(): number | null {
    return isSamples(this.#source) ? this.#source.length : null;
  }

  #passState(): PassState | null {
    if (this.#current === null || this.#current.isOver) return null;
    const { begunWith, pass, position } = this.#current;
    return { begunWith, progress: pass instanceof Pass ? pass.progress : null, position };
  }

  #begin(): Current<Item, Batch> {
    const resumed = this.#resumed;
    const { generator } = this.#options;
    this.#resumed = null;
    const begunWith = resumed?.begunWith ?? drawsOf(generator);
    const samplers = this.#samplers.map(drawsOf);
    // PyTorch draws a seed for its workers at the start of every pass, also when it has none.
    const begin = () => this.#pass(drawSeed(generator), resumed);
    const pass = resumed === null ? begin() : redrawn(generator, begunWith, begin);
    this.#current = { begunWith, samplers, pass, position: resumed?.position ?? null, isOver: false };
    return this.#current;
  }

  #pass(seed: number | bigint, resumed: PassState | null): Pass | StreamPass<Item, Batch> {
    if (this.#order !== null) return new Pass(this.#order, seed, resumed?.progress ?? undefined);
    const { batchSize = 1, dropLast = false } = this.#options;
    const position = resumed?.position ?? undefined;
    const stream = this.#workers === null ? this.#here(seed, position) : this.#there(this.#workers, seed, position);
    return new StreamPass(stream, { batchSize, dropLast, collate: this.#collate });
  }

  #here(seed: number | bigint, position: Position | undefined): OpenStream<Item> {
    return new PartStream(this.#source as Stream<Item>, seed, position);
  }

  #there(workers: LoaderWorkers, seed: number | bigint, position: Position | undefined): OpenStream<Item> {
    const { batchSize = 1, prefetchFactor = 2, timeoutMs = null, signal } = this.#options;
    const parts = partsOf(this.#source as Stream<Item>).length;
    const ahead = Math.max(1, prefetchFactor);
    return new PooledStream(workers, { parts, seed, count: batchSize, ahead, timeoutMs, signal }, position);
  }

  /** A pass of which others know where it stands. */
  #from(first: number): Current<Item, Batch> {
    const pass = new Pass(this.#order!, 0);
    for (let task, i = 0; i < first && (task = pass.next()) !== undefined; ++i) pass.handOut(task);
    return { begunWith: '', samplers: [], pass, position: null, isOver: false };
  }

  *#now(current: Current<Item, Batch>): Generator<Batch, undefined, undefined> {
    const { pass } = current;
    if (pass instanceof Pass) yield* this.#map(pass).now();
    else yield* this.#streamNow(current, pass);
    current.isOver = true;
  }

  *#streamNow(current: Current<Item, Batch>, pass: StreamPass<Item, Batch>): Generator<Batch, void, undefined> {
    try {
      for (let read; (read = pass.now()) !== undefined;) {
        this.#options.signal?.throwIfAborted();
        current.position = pass.position();
        yield this.#pinMemory ? pinBatch(read.batch) : read.batch;
      }
    } finally {
      pass.close();
    }
  }

  async *#later(current: Current<Item, Batch>): AsyncGenerator<Awaited<Batch>, undefined, undefined> {
    const { pass } = current;
    if (!(pass instanceof Pass)) yield* this.#streamLater(current, pass);
    else if (this.#workers !== null) yield* this.#map(pass).inWorkers(this.#workers);
    else yield* this.#map(pass).later();
    current.isOver = true;
  }

  async *#streamLater(
    current: Current<Item, Batch>,
    pass: StreamPass<Item, Batch>,
  ): AsyncGenerator<Awaited<Batch>, void, undefined> {
    const { timeoutMs = null, signal } = this.#options;
    const limits = { timeoutMs, signal };
    let failure: unknown;
    try {
      for (let read; (read = await inTime(pass.later(), limits, () => pass.holder())) !== undefined;) {
        current.position = pass.position();
        yield this.#pin(read.batch);
        await setImmediate();
      }
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      const closing = Promise.resolve(failure).then((error) => pass.close(error));
      // A stream that hangs in this thread does not close either.
      if (this.#workers === null && (signal?.aborted || isTooLate(failure))) unheard(closing);
      else await closing;
    }
  }

  #map(pass: Pass): MapPass<Item, Batch> {
    const dataset = this.#source as Samples<Item>;
    return new MapPass(pass, { dataset, collate: this.#collate, options: this.#options, pins: this.#pinMemory });
  }

  #pin<Made>(batch: Made): Made {
    return this.#pinMemory ? pinBatch(batch) : batch;
  }
}

/** Of plain JSON. */
const copyOf = <State>(state: State): State => JSON.parse(JSON.stringify(state)) as State;

const loadTakes = signature({ state: anything });

const refusal = (problem: string): AiforgeError => new AiforgeError('INVALID_ARGUMENT', `DataLoader: ${problem}.`);

/** As many workers as there are cores for, each with its threads: which makes a batch does not show in it. */
function workersFor(wanted: number, threads: number): number {
  const most = Math.max(1, Math.floor(availableCores() / threads));
  if (wanted <= most) return wanted;
  warnOnce(`DataLoader: numWorkers is ${wanted}, and there are cores for ${most}, so ${most} run.`);
  return most;
}
