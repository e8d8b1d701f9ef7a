import type { BatchTask } from '../loading/batchMaker.js';
import type { PassSeed } from '../loading/sampleDraws.js';
import type { Position } from '../stream.js';
import type { Message } from './message.js';

/** What a worker begins with. */
export interface Setup {
  /** A dataset and a collate function; without one the samples are sent as they are. */
  readonly recipe: Message;
  /** For each operator. */
  readonly threads: number;
  /** The number of the pass whose batches are still wanted, in memory that both threads see. */
  readonly wanted: Int32Array;
}

/** The next samples of a part of a stream. */
export interface ReadTask {
  readonly part: number;
  readonly seed: PassSeed;
  readonly count: number;
  /** Where to begin; where the last read of this part ended, if not given. */
  readonly from?: { readonly position: Position | undefined };
}

export type Task = BatchTask | ReadTask;

/** What a worker is asked for; null is to end. */
export type Request = { readonly id: number; readonly pass: number; readonly task: Task } | null;

/** Samples of a part of a stream. */
export interface Chunk<Item = unknown> {
  readonly samples: readonly Item[];
  /** Where the part goes on. */
  readonly position: Position;
  readonly isLast: boolean;
}

export type Answer =
  /** It has made the dataset. */
  | { readonly ready: true }
  | { readonly id: number; readonly batch: Message }
  /** It was no longer wanted. */
  | { readonly id: number; readonly skipped: true }
  | { readonly id: number; readonly failed: Failure }
  | { readonly unready: Failure };

/** An error, in words, and the index of the sample that it is of. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string | undefined;
  readonly sample: number | undefined;
}
