import { boolean, count } from '../../kinds.js';
import { signature } from '../../signature.js';
import type { StreamDataset } from '../stream.js';
import { streamKind, type Position, type Stream, type StreamContext } from '../stream.js';
import { countOf, fieldsOf } from './position.js';
import { Derived, ReadingFrom, type Read } from './reading.js';

export interface BatchOptions {
  /** Leaves out a last list that is not full. Default: false. */
  dropLast?: boolean;
}

export interface WindowOptions {
  /** How many samples the next window begins later. Default: 1. */
  stride?: number;
}

const batchTakes = signature<BatchOptions>({ stream: streamKind, size: count }, { dropLast: boolean });
const windowTakes = signature<WindowOptions>({ stream: streamKind, size: count }, { stride: count });

/**
 * The samples of a stream in lists of `size`.
 *
 * @example
 * import { data } from 'aiforge';
 * const lists: number[][] = [];
 * for await (const list of data.batch(new Set([1, 2, 3]), 2)) lists.push(list);
 * lists; // [[1, 2], [3]]
 */
export function batch<Item>(stream: Stream<Item>, size: number, options: BatchOptions = {}): StreamDataset<Item[]> {
  batchTakes.check('batch', arguments);
  const { dropLast = false } = options;
  return new Derived((position, context) => new Batching(stream, size, dropLast, position, context));
}

/**
 * Lists of `size` samples of a stream that come one after another, beginning at each sample, or at every `stride`-th. What is left at
 * the end and fills no window is left out.
 *
 * @example
 * import { data } from 'aiforge';
 * const windows: number[][] = [];
 * for await (const list of data.window(new Set([1, 2, 3, 4]), 2)) windows.push(list);
 * windows; // [[1, 2], [2, 3], [3, 4]]
 */
export function window<Item>(stream: Stream<Item>, size: number, options: WindowOptions = {}): StreamDataset<Item[]> {
  windowTakes.check('window', arguments);
  const { stride = 1 } = options;
  return new Derived((position, context) => new Windowing(stream, size, stride, position, context));
}

class Batching<Item> extends ReadingFrom<Item, Item[]> {
  constructor(
    stream: Stream<Item>,
    private readonly size: number,
    private readonly dropLast: boolean,
    position: Position | undefined,
    context: StreamContext,
  ) {
    super(stream, position, context);
  }

  protected async read(): Promise<Read<Item[]>> {
    const list: Item[] = [];
    for (let taken; list.length < this.size && (taken = await this.take()) !== undefined;) list.push(taken.value);
    const isWhole = list.length === this.size || (list.length > 0 && !this.dropLast);
    return isWhole ? { value: list } : undefined;
  }
}

class Windowing<Item> extends ReadingFrom<Item, Item[]> {
  /** What the next window may begin with, and where the stream stood before each. */
  readonly #held: { item: Item; before: Position }[] = [];
  #skip: number;

  constructor(
    stream: Stream<Item>,
    private readonly size: number,
    private readonly stride: number,
    position: Position | undefined,
    context: StreamContext,
  ) {
    const from = position === undefined ? undefined : fieldsOf('window', position, 'of', 'skip');
    super(stream, from?.of, context);
    this.#skip = from === undefined ? 0 : countOf('window', from.skip);
  }

  protected async read(): Promise<Read<Item[]>> {
    for (; this.#skip > 0; --this.#skip) if ((await this.take()) === undefined) return undefined;
    while (this.#held.length < this.size) {
      const before = this.source.position();
      const taken = await this.take();
      if (taken === undefined) return undefined;
      this.#held.push({ item: taken.value, before });
    }
    const value = this.#held.map(({ item }) => item);
    this.#skip = Math.max(0, this.stride - this.#held.length);
    this.#held.splice(0, this.stride);
    return { value };
  }

  override position(): Position {
    return { of: this.#held[0]?.before ?? super.position(), skip: this.#skip };
  }
}
