import { isPromise, unheard } from '../../promised.js';
import { scope } from '../../tensor/index.js';
import { held, type Held } from '../../tensor/memory/held.js';
import { tensorsIn } from '../../tensor/memory/scope.js';
import type { Samples } from '../dataset.js';
import { pinBatch } from '../moveToDevice.js';
import type { LoaderWorkers } from '../workers/loaderWorkers.js';
import { canTravel } from '../workers/recipe.js';
import { batchesAhead } from './ahead.js';
import { BatchMaker } from './batchMaker.js';
import { FirstBatches } from './firstBatches.js';
import type { DataLoaderOptions } from './options.js';
import type { Pass, PassTask } from './pass.js';

/** A batch, or a promise of it. */
export type Soon<Batch> = Batch | Promise<Awaited<Batch>>;

export interface MapSource<Item, Batch> {
  dataset: Samples<Item>;
  collate: (samples: Awaited<Item>[]) => Batch;
  options: DataLoaderOptions<Item, Batch>;
  pins: boolean;
}

/** The batches of one pass over samples by index. */
export class MapPass<Item, Batch> {
  readonly #maker: BatchMaker<Item, Batch>;
  /** Batches whose tensors may be others' too. */
  readonly #madeHere = new WeakSet<object>();

  constructor(
    private readonly pass: Pass,
    private readonly source: MapSource<Item, Batch>,
  ) {
    this.#maker = new BatchMaker(source.dataset, source.collate);
  }

  /** Each at once. Throws INVALID_ARGUMENT where samples come later. */
  *now(): Generator<Batch, void, undefined> {
    const { pins, options } = this.source;
    for (let task; (task = this.pass.next()) !== undefined;) {
      options.signal?.throwIfAborted();
      const made = task;
      const batch = pins ? scope(() => pinBatch(this.#maker.make(made))) : this.#maker.make(made);
      this.pass.handOut(task);
      yield batch;
    }
  }

  /** Each as it comes. */
  later(): AsyncGenerator<Awaited<Batch>, void, undefined> {
    const { prefetchFactor = 0, inOrder = true, timeoutMs = null, signal } = this.source.options;
    const make = async (task: PassTask): Promise<Awaited<Batch>> => this.#pin(await this.#maker.makeLater(task));
    const holderOf = ({ indices }: PassTask) => `the dataset, asked for sample ${indices[0]} and others,`;
    const ahead = { most: prefetchFactor + 1, isEager: prefetchFactor > 0, inOrder, timeoutMs, signal, holderOf };
    return batchesAhead<Awaited<Batch>>(this.pass, make, ahead);
  }

  /**
   * Each in a scope of its own, at once where its samples are there, else as a promise; of those that come later, some are made ahead.
   * The next one is to be asked for once the last one has come.
   */
  *soon(): Generator<Held<Soon<Batch>>, void, undefined> {
    const { prefetchFactor = 2 } = this.source.options;
    const asked: { task: PassTask; made: Held<Soon<Batch>> }[] = [];
    let most = 1;
    try {
      for (;;) {
        while (asked.length < most) {
          const task = this.pass.next();
          if (task === undefined) break;
          const made = held(() => this.#maker.makeSoon(task));
          if (isPromise(made.value)) most = prefetchFactor + 1;
          asked.push({ task, made });
        }
        const next = asked.shift();
        if (next === undefined) return;
        this.pass.handOut(next.task);
        yield next.made;
      }
    } finally {
      for (const { made } of asked) {
        if (isPromise(made.value)) unheard(made.value);
        made.letGo();
      }
    }
  }

  /** The batches of the workers, in the same way. */
  *soonInWorkers(workers: LoaderWorkers): Generator<Held<Promise<Awaited<Batch>>>, void, undefined> {
    const batches = this.inWorkers(workers);
    const letGo = this.#lettingGo();
    try {
      for (;;) {
        const value = batches.next().then((next) => next.value as Awaited<Batch>);
        yield { value, letGo: () => void value.then(letGo, () => undefined) };
      }
    } finally {
      unheard(batches.return());
    }
  }

  /** Each as the workers have made it. */
  async *inWorkers(workers: LoaderWorkers): AsyncGenerator<Awaited<Batch>, void, undefined> {
    const { dataset, collate, options } = this.source;
    const { prefetchFactor = 2, inOrder = true, timeoutMs = null, signal, startHere = false } = options;
    const collatesThere = canTravel(collate);
    const pool = workers.take();
    const number = pool.begin();
    let isOver = false;
    const first = startHere ? new FirstBatches(dataset, this.#maker, () => isOver || pool.isReady) : null;
    const make = async (task: PassTask): Promise<Awaited<Batch>> => {
      const here = first === null ? undefined : await first.make(task);
      if (here !== undefined) return this.#pin(this.#keptFrom(here.batch));
      const made = await pool.make(task, number);
      return this.#pin(collatesThere ? (made as Awaited<Batch>) : await collate(made as Awaited<Item>[]));
    };
    const most = pool.size * Math.max(1, prefetchFactor);
    const holderOf = (task: PassTask) => pool.holderOf(task);
    const letGo = this.#lettingGo();
    let failure: unknown;
    try {
      const ahead = { most, isEager: true, inOrder, timeoutMs, signal, holderOf, letGo };
      yield* batchesAhead<Awaited<Batch>>(this.pass, make, ahead);
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      isOver = true;
      await workers.end(pool, number, failure, signal);
    }
  }

  /** Lets go of a batch: what comes from a worker is nobody else's. */
  #lettingGo(): ((batch: unknown) => void) | undefined {
    if (!canTravel(this.source.collate)) return undefined;
    return (batch) => {
      if (!this.#madeHere.has(batch as object)) disposeAll(batch);
    };
  }

  #keptFrom<Made>(batch: Made): Made {
    if (typeof batch === 'object' && batch !== null) this.#madeHere.add(batch);
    return batch;
  }

  #pin<Made>(batch: Made): Made {
    return this.source.pins ? pinBatch(batch) : batch;
  }
}

const disposeAll = (batch: unknown): void => tensorsIn(batch).forEach((each) => each.dispose());
