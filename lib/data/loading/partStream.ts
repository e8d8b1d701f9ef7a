import { countOf, fieldsOf } from '../streams/position.js';
import type { OpenStream, Position, Stream } from '../stream.js';
import { openPart, partsOf } from './parts.js';
import type { PassSeed } from './sampleDraws.js';

/** Where a pass over the parts of a stream stands: some samples after a place in one of them. */
export interface PartPosition {
  readonly part: number;
  readonly of: Position | undefined;
  readonly skip: number;
}

const who = 'DataLoader';

/** Throws STATE_DICT_MISMATCH for a place in other than so many parts. */
export function partPosition(position: Position | undefined, parts: number): PartPosition {
  if (position === undefined) return { part: 0, of: undefined, skip: 0 };
  const { part, of, skip } = fieldsOf(who, position, 'part', 'of', 'skip');
  return { part: countOf(who, part, parts), of: of ?? undefined, skip: countOf(who, skip) };
}

/** Reads the parts of a stream one after another, in this thread. */
export class PartStream<Item> implements OpenStream<Item> {
  readonly #parts: readonly Stream<Item>[];
  #part: number;
  #from: Position | undefined;
  #skip: number;
  #open: OpenStream<Item> | null = null;

  constructor(
    stream: Stream<Item>,
    private readonly seed: PassSeed,
    position?: Position,
  ) {
    this.#parts = partsOf(stream);
    ({ part: this.#part, of: this.#from, skip: this.#skip } = partPosition(position, this.#parts.length));
  }

  next(): IteratorResult<Item, unknown> | PromiseLike<IteratorResult<Item, unknown>> {
    for (;;) {
      const read = this.#read();
      if ('then' in read) return this.#later(read);
      const settled = this.#settled(read);
      if (settled !== undefined) return settled;
    }
  }

  async #later(read: PromiseLike<IteratorResult<Item, unknown>>): Promise<IteratorResult<Item, unknown>> {
    let settled = this.#settled(await read);
    while (settled === undefined) settled = this.#settled(await this.#read());
    return settled;
  }

  #read(): IteratorResult<Item, unknown> | PromiseLike<IteratorResult<Item, unknown>> {
    if (this.#part >= this.#parts.length) return { done: true, value: undefined };
    this.#open ??= openPart(this.#parts, this.#part, this.seed, this.#from);
    return this.#open.next();
  }

  /** What is given of what was read; undefined where it was given before, or a part ends and another one comes. */
  #settled(result: IteratorResult<Item, unknown>): IteratorResult<Item, unknown> | undefined {
    if (!result.done) {
      if (this.#skip === 0) return result;
      this.#skip -= 1;
      return undefined;
    }
    const open = this.#open;
    if (open === null) return result;
    this.#open = null;
    this.#from = undefined;
    this.#skip = 0;
    this.#part += 1;
    void open.return();
    return undefined;
  }

  position(): Position {
    return { part: this.#part, of: this.#open?.position() ?? this.#from ?? null, skip: this.#skip };
  }

  async return(): Promise<void> {
    const open = this.#open;
    this.#part = this.#parts.length;
    this.#open = null;
    await open?.return();
  }
}
