import { BatchSampler, DistributedSampler, type BatchOrder } from '../samplers.js';
import type { BatchTask } from './batchMaker.js';
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
  #place: number;
  #number: number;
  #ahead: IteratorResult<readonly number[], unknown> | undefined;
  readonly #early: Map<number, number>;

  constructor(
    order: BatchOrder,
    readonly seed: PassSeed,
    from?: Progress,
  ) {
    const shared = sharedSampler(order);
    this.#replicas = shared?.numReplicas ?? 1;
    this.#progress = { batches: 0, samples: 0, taken: 0, epoch: shared?.epoch ?? 0, early: [], ...from };
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
      const indices = value;
      const task = { indices, seed: this.seed, place: this.#place, number: this.#number++ };
      this.#place += indices.length;
      if (task.number >= this.#progress.batches && !this.#early.has(task.number)) return task;
    }
  }

  /** Counts a batch as handed out. */
  handOut({ number, indices }: PassTask): void {
    this.#early.set(number, indices.length);
    const progress = this.#progress;
    for (let size; (size = this.#early.get(progress.batches)) !== undefined;) {
      this.#early.delete(progress.batches);
      progress.batches += 1;
      progress.samples += size;
      progress.taken += size * this.#replicas;
    }
  }
}

const sharedSampler = (order: BatchOrder): DistributedSampler | undefined =>
  order instanceof BatchSampler && order.sampler instanceof DistributedSampler ? order.sampler : undefined;

function orderAfter(order: BatchOrder, { batches, samples, taken, epoch }: Progress): Iterator<readonly number[]> {
  const shared = sharedSampler(order);
  if (shared !== undefined) {
    shared.setEpoch(epoch);
    shared.continueAfter(taken);
    return order[Symbol.iterator]();
  }
  if (order instanceof BatchSampler) return order.after(samples);
  const rest = order[Symbol.iterator]();
  for (let i = 0; i < batches; ++i) if (rest.next().done) break;
  return rest;
}
