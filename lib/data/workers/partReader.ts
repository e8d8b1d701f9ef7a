import type { OpenStream, Stream } from '../stream.js';
import { openPart, partsOf } from '../loading/parts.js';
import type { Chunk, ReadTask } from './protocol.js';

/** Reads parts of a stream in a worker, and keeps them open from one read to the next. */
export class PartReader {
  readonly #open = new Map<number, OpenStream<unknown>>();
  readonly #parts: readonly Stream[];
  #pass = 0;

  constructor(stream: Stream) {
    this.#parts = partsOf(stream);
  }

  async read(task: ReadTask, pass: number): Promise<Chunk> {
    if (pass !== this.#pass) await this.#closeAll();
    this.#pass = pass;
    if (task.from !== undefined)
      this.#open.set(task.part, openPart(this.#parts, task.part, task.seed, task.from.position));
    const open = this.#open.get(task.part);
    if (open === undefined) return { samples: [], position: null, isLast: true };
    const samples: unknown[] = [];
    while (samples.length < task.count) {
      const { done, value } = await open.next();
      if (done) {
        this.#open.delete(task.part);
        const position = open.position();
        await open.return();
        return { samples, position, isLast: true };
      }
      samples.push(await value);
    }
    return { samples, position: open.position(), isLast: false };
  }

  /** Of a pass that was broken off. */
  async #closeAll(): Promise<void> {
    const all = [...this.#open.values()];
    this.#open.clear();
    for (const each of all) await each.return();
  }
}
