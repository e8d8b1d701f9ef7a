import path from 'node:path';
import { clearTimeout, setTimeout } from 'node:timers';
import { Worker } from 'node:worker_threads';
import { AiforgeError } from '../../errors.js';
import { received, release, type Packer } from './message.js';
import type { Answer, Failure, Request, Setup, Task } from './protocol.js';
import { recipeOf, recipePacker } from './recipe.js';

/** How long a worker that is to end may take for what it is at, in milliseconds. */
const grace = 2000;

interface Pending {
  readonly pass: number;
  readonly task: Task;
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

  /** Whether a worker can make batches by now. */
  get isReady(): boolean {
    return this.#workers.some((worker) => worker.isReady);
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

  /** What a task makes. Rejects with LOADER_FAILED where it fails or is given up. */
  make(task: Task, pass: number): Promise<unknown> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return this.#workerFor(task).make(task, pass);
  }

  /** A part of a stream stays with one worker, which has it open. */
  #workerFor(task: Task): PoolWorker {
    if ('part' in task) return this.#workers[task.part % this.#workers.length]!;
    return this.#workers.reduce((least, worker) => (worker.load < least.load ? worker : least));
  }

  /** What the worker is at that has a task, for an error. */
  holderOf(task: Task): string {
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
  isReady = false;
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
        this.fail(givenUp());
        resolve();
      });
    });
  }

  get load(): number {
    return this.#pending.size;
  }

  has(task: Task): boolean {
    return [...this.#pending.values()].some((pending) => pending.task === task);
  }

  make(task: Task, pass: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = ++this.#last;
      this.#pending.set(id, { pass, task, resolve, reject });
      // While somebody waits for a batch, the process does not end.
      this.#thread.ref();
      this.#thread.postMessage({ id, pass, task } satisfies Request);
    });
  }

  #take(answer: Answer, onLost: (error: AiforgeError) => void): void {
    if ('ready' in answer) {
      this.isReady = true;
      return;
    }
    if ('unready' in answer) {
      onLost(failed(`${this.name} could not make the dataset`, answer.unready));
      return;
    }
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if (this.#pending.size === 0) this.#thread.unref();
    if (pending === undefined || pending.pass !== Atomics.load(this.#wanted, 0)) {
      if ('batch' in answer) release(answer.batch);
      pending?.reject(givenUp());
    } else if ('batch' in answer) pending.resolve(received(answer.batch));
    else if ('failed' in answer) pending.reject(failed(ofTask(pending.task, answer.failed, this.name), answer.failed));
    else pending.reject(givenUp());
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
    return first === undefined ? '' : ` while it made ${shown(first.task)}`;
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

const shown = (task: Task): string => {
  if ('part' in task) return `part ${task.part} of the stream`;
  return `the samples ${task.indices.slice(0, 6).join(', ')}${task.indices.length > 6 ? ' …' : ''}`;
};

const ofTask = (task: Task, { sample }: Failure, worker: string): string =>
  `${sample === undefined ? shown(task) : `sample ${sample}`} could not be made in ${worker}`;

const givenUp = (): AiforgeError =>
  new AiforgeError(
    'LOADER_FAILED',
    'DataLoader: this pass was given up, since its workers began another one or ended.',
  );

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
