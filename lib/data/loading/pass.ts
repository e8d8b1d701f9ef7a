import { AiforgeError } from '../../errors.js';
import { isDataView } from '../../realms.js';
import { show } from '../../show.js';
import { BatchSampler, DistributedSampler, type BatchOrder } from '../samplers.js';
import type { BatchTask } from './batchMaker.js';
import { anotherOrder, OrderTrace, retraced } from './orderTrace.js';
import type { PassSeed } from './sampleDraws.js';

/** How far a pass over the order of a sampler has come. */
export interface Progress {
  /** The batches, and the samples, before the first one that was not handed out. */
  batches: number;
  samples: number;
  /** Where ranks share the samples: how many all of them took. */
  taken: number;
  /** The epoch that a DistributedSampler was at; else 0. */
  epoch: number;
  /** The numbers of batches that were handed out before their turn, and their sizes. */
  early: [batch: number, samples: number][];
  /** By which another order is known: a checksum of the samples' indices; where ranks share them, of what the order is drawn by. */
  order?: number;
}

/** A batch to make, and the how many-th it is. */
export interface PassTask extends BatchTask {
  readonly number: number;
}

/** One pass over the order of a sampler. */
export class Pass {
  readonly #progress: Progress;
  readonly #order: Iterator<readonly number[], unknown>;
  readonly #replicas: number;
  readonly #trace: OrderTrace | null;
  #place: number;
  #number: number;
  #ahead: IteratorResult<readonly number[], unknown> | undefined;
  readonly #early: Map<number, number>;
  /** Of the batches that were asked for and are not counted yet. */
  readonly #indices = new Map<number, readonly number[]>();

  constructor(
    order: BatchOrder,
    readonly seed: PassSeed,
    from?: Progress,
  ) {
    const shared = sharedSampler(order);
    this.#replicas = shared?.numReplicas ?? 1;
    this.#progress = { batches: 0, samples: 0, taken: 0, epoch: shared?.epoch ?? 0, early: [], ...from };
    this.#trace = shared === undefined ? new OrderTrace(from?.order) : null;
    if (shared !== undefined) this.#progress.order = traceOf(shared);
    this.#early = new Map(this.#progress.early);
    this.#place = this.#progress.samples;
    this.#number = this.#progress.batches;
    if (from === undefined) {
      this.#order = order[Symbol.iterator]();
      return;
    }
    this.#order = orderAfter(order, from);
    // The order may be drawn as late as its first batch is asked for.
    this.#ahead = this.#order.next();
  }

  get progress(): Progress {
    return { ...this.#progress, early: [...this.#early] };
  }

  /** The next batch to make; undefined after the last one. */
  next(): PassTask | undefined {
    for (;;) {
      const { done, value } = this.#ahead ?? this.#order.next();
      this.#ahead = undefined;
      if (done) return undefined;
      const indices = checkedIndices(value);
      const task = { indices, seed: this.seed, place: this.#place, number: this.#number++ };
      this.#place += indices.length;
      if (task.number >= this.#progress.batches) this.#indices.set(task.number, indices);
      if (!this.#early.has(task.number)) return task;
      this.#count();
    }
  }

  /** Counts a batch as handed out. */
  handOut({ number, indices }: PassTask): void {
    this.#early.set(number, indices.length);
    this.#count();
  }

  #count(): void {
    const progress = this.#progress;
    for (let indices; this.#early.has(progress.batches) && (indices = this.#indices.get(progress.batches));) {
      this.#early.delete(progress.batches);
      this.#indices.delete(progress.batches);
      progress.batches += 1;
      progress.samples += indices.length;
      progress.taken += indices.length * this.#replicas;
      if (this.#trace !== null) progress.order = this.#trace.add(indices);
    }
  }
}

function checkedIndices(given: unknown): readonly number[] {
  if (Array.isArray(given) || (ArrayBuffer.isView(given) && !isDataView(given))) return given as unknown as number[];
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `DataLoader: its batchSampler gave ${show(given)}, expected an array of the indices of a batch.`,
  );
}

const sharedSampler = (order: BatchOrder): DistributedSampler | undefined =>
  order instanceof BatchSampler && order.sampler instanceof DistributedSampler ? order.sampler : undefined;

const traceOf = ({ seed, shuffle }: DistributedSampler): number => new OrderTrace().add(shuffle ? [1, seed] : [0]);

function orderAfter(order: BatchOrder, from: Progress): Iterator<readonly number[]> {
  const { batches, samples, taken, epoch, order: trace } = from;
  const shared = sharedSampler(order);
  if (shared !== undefined) {
    if (trace !== undefined && trace !== traceOf(shared)) throw anotherOrder(taken);
    shared.setEpoch(epoch);
    shared.continueAfter(taken);
    return order[Symbol.iterator]();
  }
  if (isPlain(order)) {
    const { sampler, batchSize, dropLast } = order;
    const indices = {
      length: sampler.length,
      [Symbol.iterator]: () => retraced(sampler, samples, trace, (index) => [index]),
    };
    return new BatchSampler(indices, batchSize, dropLast).after(samples);
  }
  const rest = retraced(order, batches, trace, (batch) => batch);
  for (let i = 0; i < batches; ++i) if (rest.next().done) break;
  return rest;
}

/** Whether it groups a sampler's indices, and is of no class that does more. */
const isPlain = (order: BatchOrder): order is BatchSampler =>
  order instanceof BatchSampler && order[Symbol.iterator] === BatchSampler.prototype[Symbol.iterator];
