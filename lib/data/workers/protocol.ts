import type { BatchTask } from '../loading/batchMaker.js';
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

/** What a worker is asked for; null is to end. */
export type Request = { readonly id: number; readonly pass: number; readonly task: BatchTask } | null;

export type Answer =
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
