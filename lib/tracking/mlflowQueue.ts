import {
  MlflowRequestError,
  withRetry,
  type MlflowBatch,
  type MlflowClient,
  type MlflowEntry,
  type MlflowMetric,
} from './mlflowClient.js';

/** MLflow's limits for one request. */
const limits = { metrics: 1000, params: 100, tags: 100 };
/** Metrics kept while the server is away; older ones are dropped beyond it, so that a long run cannot fill the memory. */
const capacity = 100_000;
const intervalMs = 1000;
const longestPauseMs = 30_000;

/** What went wrong; told once each, however often it happens. */
export type Trouble = 'unreachable' | 'refused' | 'artifacts';

/** Entries on their way to one run: gathered for a second, sent in batches, and sent again after a failure. */
export class MlflowQueue {
  readonly #client: MlflowClient;
  readonly #runId: string;
  readonly #tell: (trouble: Trouble, error: MlflowRequestError) => void;
  readonly #metrics: MlflowMetric[] = [];
  readonly #params: MlflowEntry[] = [];
  readonly #tags: MlflowEntry[] = [];
  /** Taken off the lists and not acknowledged yet. */
  #batch: MlflowBatch | undefined;
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #failures = 0;
  #closed = false;

  constructor(client: MlflowClient, runId: string, tell: (trouble: Trouble, error: MlflowRequestError) => void) {
    this.#client = client;
    this.#runId = runId;
    this.#tell = tell;
  }

  add(batch: MlflowBatch): void {
    if (this.#closed) return;
    this.#metrics.push(...(batch.metrics ?? []));
    this.#params.push(...(batch.params ?? []));
    this.#tags.push(...(batch.tags ?? []));
    if (this.#metrics.length > capacity) this.#metrics.splice(0, this.#metrics.length - capacity);
    this.#schedule();
  }

  /** Takes no more, and sends what is left until the deadline or until the server does not answer several times. */
  async close(deadline: number): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#sending;
    try {
      while (this.#hasWork() && Date.now() < deadline) await withRetry(() => this.#sendBatch(), deadline);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Whether everything was sent. */
  get isEmpty(): boolean {
    return !this.#hasWork();
  }

  #hasWork(): boolean {
    return this.#batch !== undefined || this.#metrics.length + this.#params.length + this.#tags.length > 0;
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#sending !== undefined || this.#closed) return;
    const pause = Math.min(longestPauseMs, intervalMs * 2 ** this.#failures);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#sending = this.#sendAll().finally(() => {
        this.#sending = undefined;
        if (this.#hasWork()) this.#schedule();
      });
    }, pause);
    // Waiting to send does not keep a program alive; close() does.
    this.#timer.unref();
  }

  async #sendAll(): Promise<void> {
    try {
      while (this.#hasWork() && !this.#closed) await this.#sendBatch();
      this.#failures = 0;
    } catch (error) {
      this.#failures++;
      this.#failed(error);
    }
  }

  async #sendBatch(): Promise<void> {
    this.#batch ??= this.#take();
    try {
      await this.#send(this.#batch);
    } catch (error) {
      if (error instanceof MlflowRequestError && error.temporary) throw error;
      this.#failed(error);
    }
    this.#batch = undefined;
  }

  /** The server refuses a batch as a whole: its halves are sent, until only what it refuses is left out. */
  async #send(batch: MlflowBatch): Promise<void> {
    try {
      await this.#client.logBatch(this.#runId, batch);
    } catch (error) {
      if (!(error instanceof MlflowRequestError) || error.temporary) throw error;
      const halves = halvesOf(batch);
      // Sending an entry again that the server refused would hold up everything behind it.
      if (halves === undefined) this.#failed(error);
      else for (const half of halves) await this.#send(half);
    }
  }

  /** Params and tags go apart from metrics: a param that the server refuses must not take metrics with it. */
  #take(): MlflowBatch {
    if (this.#params.length + this.#tags.length === 0) return { metrics: this.#metrics.splice(0, limits.metrics) };
    return { params: this.#params.splice(0, limits.params), tags: this.#tags.splice(0, limits.tags) };
  }

  #failed(error: unknown): void {
    if (!(error instanceof MlflowRequestError)) throw error;
    this.#tell(error.temporary ? 'unreachable' : 'refused', error);
  }
}

/** Two batches with a batch's entries; undefined for one of a single entry. */
function halvesOf({ metrics = [], params = [], tags = [] }: MlflowBatch): [MlflowBatch, MlflowBatch] | undefined {
  const entries: [keyof MlflowBatch, object][] = [
    ...metrics.map((entry): [keyof MlflowBatch, object] => ['metrics', entry]),
    ...params.map((entry): [keyof MlflowBatch, object] => ['params', entry]),
    ...tags.map((entry): [keyof MlflowBatch, object] => ['tags', entry]),
  ];
  if (entries.length < 2) return undefined;
  const batchOf = (part: typeof entries): MlflowBatch => {
    const of = (kind: keyof MlflowBatch) => part.flatMap(([name, entry]) => (name === kind ? [entry] : []));
    return {
      metrics: of('metrics') as MlflowMetric[],
      params: of('params') as MlflowEntry[],
      tags: of('tags') as MlflowEntry[],
    };
  };
  const middle = entries.length >> 1;
  return [batchOf(entries.slice(0, middle)), batchOf(entries.slice(middle))];
}
