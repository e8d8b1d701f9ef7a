import { isTooLate } from '../loading/inTime.js';
import { WorkerPool, type PoolOptions } from './pool.js';

/** The workers of a loader: for each pass, or kept from one to the next. */
export class LoaderWorkers {
  #kept: WorkerPool | null = null;

  constructor(
    private readonly options: PoolOptions,
    private readonly isPersistent: boolean,
  ) {}

  /** The workers of a pass. */
  take(): WorkerPool {
    const pool = this.#kept ?? new WorkerPool(this.options);
    if (this.isPersistent) this.#kept = pool;
    return pool;
  }

  /** To be called when a pass has ended, however it did. */
  async end(pool: WorkerPool, pass: number, error: unknown, signal: AbortSignal | undefined): Promise<void> {
    pool.giveUp(pass);
    // A worker may hang in what it is at.
    if (pool.isLost || signal?.aborted || isTooLate(error)) {
      if (this.#kept === pool) this.#kept = null;
      await pool.terminate();
    } else if (this.#kept !== pool) await pool.close();
  }

  async close(): Promise<void> {
    const kept = this.#kept;
    this.#kept = null;
    await kept?.close();
  }
}
