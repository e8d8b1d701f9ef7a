import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { AiforgeError } from '../../errors.js';
import type { BatchTask } from '../loading/batchMaker.js';
import { received, release, type Packer } from './message.js';
import type { Answer, Failure, Request, Setup } from './protocol.js';
import { recipeOf, recipePacker } from './recipe.js';

/** How long a worker that is to end may take for what it is at, in milliseconds. */
const grace = 2000;

interface Pending {
  readonly pass: number;
  readonly task: BatchTask;
  readonly resolve: (batch: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface PoolOptions {
  dataset: unknown;
  /** Null: the workers send samples as they are. */
  collate: unknown;
  workers: number;
  threads: number;
}

/** What became of a task that was given up. */
export const givenUp = Symbol('givenUp');

/** Worker threads that make batches. */
export class WorkerPool {
  readonly #packer: Packer = recipePacker();
  readonly #wanted = new Int32Array(new SharedArrayBuffer(4));
  readonly #workers: PoolWorker[];
  #failure: AiforgeError | undefined;

  /** Throws INVALID_ARGUMENT for a dataset that cannot be made in a worker. */
  constructor({ dataset, collate, workers, threads }: PoolOptions) {
    const recipe = recipeOf(this.#packer, { dataset, collate });
    const setup: Setup = { recipe, threads, wanted: this.#wanted };
    const onLost = (error: AiforgeError) => this.#lose(error);
    this.#workers = Array.from({ length: workers }, (_, i) => new PoolWorker(i, setup, onLost));
  }

  get size(): number {
    return this.#workers.length;
  }

  /** Whether a worker has ended that should not have: this pool makes nothing more. */
  get isLost(): boolean {
    return this.#failure !== undefined;
  }

  /** Begins a pass, whose number it gives: what earlier ones asked for is given up. */
  begin(): number {
    return Atomics.add(this.#wanted, 0, 1) + 1;
  }

  /** Gives up what a pass asked for, unless another one has begun. */
  giveUp(pass: number): void {
    Atomics.compareExchange(this.#wanted, 0, pass, pass + 1);
  }

  /** A batch, or its samples; `givenUp` for what is no longer wanted. */
  make(task: BatchTask, pass: number): Promise<unknown> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const free = this.#workers.reduce((least, worker) => (worker.load < least.load ? worker : least));
    return free.make(task, pass);
  }

  /** What the worker is at that has a task, for an error. */
  holderOf(task: BatchTask): string {
    const holder = this.#workers.find((worker) => worker.has(task));
    return holder?.name ?? 'a worker';
  }

  /** One that is lost leaves a pass without its batches: all end. */
  #lose(error: AiforgeError): void {
    this.#failure ??= error;
    for (const worker of this.#workers) worker.fail(this.#failure);
    void this.terminate();
  }

  /** Ends the workers, at once where they do not end by themselves in time. */
  async close(): Promise<void> {
    this.begin();
    await Promise.all(this.#workers.map((worker) => worker.end()));
    this.#packer.release();
  }

  async terminate(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
    this.#packer.release();
  }
}

class PoolWorker {
  readonly name: string;
  readonly #thread: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #ended: Promise<void>;
  readonly #wanted: Int32Array;
  #last = 0;
  #isEnding = false;

  constructor(number: number, setup: Setup, onLost: (error: AiforgeError) => void) {
    this.name = `worker ${number}`;
    this.#wanted = setup.wanted;
    this.#thread = new Worker(path.join(__dirname, 'worker.js'), {
      workerData: setup,
      name: `aiforge data ${number}`,
    });
    this.#thread.unref();
    this.#thread.on('message', (answer: Answer) => this.#take(answer, onLost));
    this.#thread.on('error', (cause) => onLost(lost(`${this.name} failed${this.#at()}: ${String(cause)}`, cause)));
    this.#ended = new Promise((resolve) => {
      this.#thread.on('exit', (code) => {
        if (!this.#isEnding) onLost(lost(`${this.name} ended with code ${code}${this.#at()}`));
        for (const { resolve: give } of this.#takeAll()) give(givenUp);
        resolve();
      });
    });
  }

  get load(): number {
    return this.#pending.size;
  }

  has(task: BatchTask): boolean {
    return [...this.#pending.values()].some((pending) => pending.task === task);
  }

  make(task: BatchTask, pass: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = ++this.#last;
      this.#pending.set(id, { pass, task, resolve, reject });
      // While somebody waits for a batch, the process does not end.
      this.#thread.ref();
      this.#thread.postMessage({ id, pass, task } satisfies Request);
    });
  }

  #take(answer: Answer, onLost: (error: AiforgeError) => void): void {
    if ('unready' in answer) {
      onLost(failed(`${this.name} could not make the dataset`, answer.unready));
      return;
    }
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if (this.#pending.size === 0) this.#thread.unref();
    if (pending === undefined || pending.pass !== Atomics.load(this.#wanted, 0)) {
      if ('batch' in answer) release(answer.batch);
      pending?.resolve(givenUp);
    } else if ('batch' in answer) pending.resolve(received(answer.batch));
    else if ('failed' in answer) pending.reject(failed(ofTask(pending.task, answer.failed, this.name), answer.failed));
    else pending.resolve(givenUp);
  }

  #takeAll(): Pending[] {
    const all = [...this.#pending.values()];
    this.#pending.clear();
    return all;
  }

  fail(error: AiforgeError): void {
    for (const { reject } of this.#takeAll()) reject(error);
  }

  #at(): string {
    const [first] = this.#pending.values();
    return first === undefined ? '' : ` while it made the samples ${shown(first.task.indices)}`;
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    this.#thread.ref();
    this.#thread.postMessage(null satisfies Request);
    const late = setTimeout(() => void this.#thread.terminate(), grace);
    await this.#ended;
    clearTimeout(late);
  }

  async terminate(): Promise<void> {
    this.#isEnding = true;
    await this.#thread.terminate();
    await this.#ended;
  }
}

const shown = (indices: readonly number[]): string =>
  `${indices.slice(0, 6).join(', ')}${indices.length > 6 ? ' …' : ''}`;

const ofTask = ({ indices }: BatchTask, { sample }: Failure, worker: string): string =>
  `${sample === undefined ? `the batch of samples ${shown(indices)}` : `sample ${sample}`} could not be made in ${worker}`;

const lost = (problem: string, cause?: unknown): AiforgeError =>
  new AiforgeError(
    'LOADER_FAILED',
    `DataLoader: ${problem}. Try numWorkers: 0, where errors come from their own place.`,
    { cause },
  );

/** The worker's error is the cause, with the worker's own stack. */
function failed(problem: string, { name, message, stack, code }: Failure): AiforgeError {
  const cause = Object.assign(new Error(message), { name, ...(code === undefined ? {} : { code }) });
  if (stack !== undefined) cause.stack = stack;
  return new AiforgeError('LOADER_FAILED', `DataLoader: ${problem}: ${name}: ${message}`, { cause });
}
