import { partPosition } from '../loading/partStream.js';
import { unheard } from '../../promised.js';
import { inTime, type Limits } from '../loading/inTime.js';
import type { PassSeed } from '../loading/sampleDraws.js';
import { tensorsIn } from '../../tensor/memory/scope.js';
import type { OpenStream, Position } from '../stream.js';
import type { LoaderWorkers } from './loaderWorkers.js';
import type { WorkerPool } from './pool.js';
import type { Chunk, ReadTask } from './protocol.js';

export interface PooledOptions extends Limits {
  parts: number;
  seed: PassSeed;
  /** Samples that are asked for at once. */
  count: number;
  /** How often a worker is asked before its samples are wanted. */
  ahead: number;
}

interface Asked {
  readonly task: ReadTask;
  readonly chunk: Promise<Chunk>;
}

/** Reads the parts of a stream in workers, some of them ahead, and gives the samples in the order of the parts. */
export class PooledStream<Item> implements OpenStream<Item> {
  readonly #asked = new Map<number, Asked[]>();
  #part: number;
  /** Where the samples at hand begin, and how many of them were given. */
  #from: Position | undefined;
  #given: number;
  #chunk: Chunk<Item> | null = null;

  readonly #pool: WorkerPool;
  readonly #pass: number;
  #isOver = false;
  #awaited: ReadTask | null = null;

  constructor(
    private readonly workers: LoaderWorkers,
    private readonly options: PooledOptions,
    position?: Position,
  ) {
    ({ part: this.#part, of: this.#from, skip: this.#given } = partPosition(position, options.parts));
    this.#pool = workers.take();
    this.#pass = this.#pool.begin();
  }

  async next(): Promise<IteratorResult<Item, unknown>> {
    while (this.#part < this.options.parts) {
      this.#ask();
      this.#chunk ??= await this.#arrived();
      const { samples, position, isLast } = this.#chunk;
      if (this.#given < samples.length) return { done: false, value: samples[this.#given++]! };
      this.#given -= samples.length;
      this.#from = position;
      this.#chunk = null;
      if (isLast) this.#endPart();
    }
    return { done: true, value: undefined };
  }

  /** Has every worker be at a part, or have samples of it ready. */
  #ask(): void {
    const { parts, seed, count, ahead } = this.options;
    const last = Math.min(parts, this.#part + this.#pool.size);
    for (let part = this.#part; part < last; ++part) {
      const asked = this.#asked.get(part) ?? [];
      const isBegun = this.#asked.has(part);
      this.#asked.set(part, asked);
      for (let i = asked.length; i < ahead; ++i) {
        const from = isBegun || i > 0 ? {} : { from: { position: part === this.#part ? this.#from : undefined } };
        const task = { part, seed, count, ...from };
        const chunk = this.#pool.make(task, this.#pass) as Promise<Chunk>;
        unheard(chunk);
        asked.push({ task, chunk });
      }
    }
  }

  async #arrived(): Promise<Chunk<Item>> {
    const { task, chunk } = this.#asked.get(this.#part)!.shift()!;
    this.#awaited = task;
    return (await inTime(chunk, this.options, () => this.holder())) as Chunk<Item>;
  }

  holder(): string {
    return this.#awaited === null ? 'the stream' : `${this.#pool.holderOf(this.#awaited)}, which reads part ${this.#awaited.part} of the stream,`; // prettier-ignore
  }

  #endPart(): void {
    this.#asked.delete(this.#part);
    this.#part += 1;
    this.#from = undefined;
    this.#given = 0;
  }

  position(): Position {
    return { part: this.#part, of: this.#from ?? null, skip: this.#given };
  }

  async return(error?: unknown): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#part = this.options.parts;
    for (const { chunk } of [...this.#asked.values()].flat()) void chunk.then(letGo, () => undefined);
    await this.workers.end(this.#pool, this.#pass, error, this.options.signal);
  }
}

/** Samples that nobody takes. */
const letGo = ({ samples }: Chunk): void => tensorsIn(samples).forEach((each) => each.dispose());
