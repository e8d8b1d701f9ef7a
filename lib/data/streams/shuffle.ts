import { count } from '../../kinds.js';
import { signature } from '../../signature.js';
import { Generator, randperm, scope } from '../../tensor/index.js';
import { seedAt } from '../loading/sampleDraws.js';
import { streamKind, type Position, type Stream, type StreamContext, type StreamDataset } from '../stream.js';
import { countOf, fieldsOf } from './position.js';
import { Derived, ReadingFrom, type Read } from './reading.js';

const shuffleTakes = signature({ stream: streamKind, bufferSize: count });

/**
 * The samples of a stream in a random order: `bufferSize` of them are read, and come in any order, then the next ones. A larger
 * buffer mixes better and takes more memory. The order is that of the pass of a DataLoader, and taken up again in the middle of a
 * buffer, which is read anew.
 *
 * @example
 * import { data } from 'aiforge';
 * const all: number[] = [];
 * for await (const sample of data.shuffle(new Set([1, 2, 3]), 2)) all.push(sample);
 * all.sort(); // [1, 2, 3]
 */
export function shuffle<Item>(stream: Stream<Item>, bufferSize: number): StreamDataset<Item> {
  shuffleTakes.check('shuffle', arguments);
  return new Derived((position, context) => new Shuffling(stream, bufferSize, position, context));
}

class Shuffling<Item> extends ReadingFrom<Item, Item> {
  #buffer: Item[] = [];
  /** Where the stream stood before the buffer was read. */
  #before: Position;
  #number: number;
  /** How many of the buffer were given; those that an earlier reading gave are left out. */
  #given: number;
  #skip: number;

  constructor(
    stream: Stream<Item>,
    private readonly size: number,
    position: Position | undefined,
    private readonly context: StreamContext,
  ) {
    const from = position === undefined ? undefined : fieldsOf('shuffle', position, 'of', 'number', 'given');
    super(stream, from?.of, context);
    this.#before = super.position();
    this.#number = from === undefined ? 0 : countOf('shuffle', from.number);
    this.#skip = from === undefined ? 0 : countOf('shuffle', from.given);
    this.#given = 0;
  }

  protected async read(): Promise<Read<Item>> {
    if (this.#given === this.#buffer.length) await this.#fill();
    if (this.#given === this.#buffer.length) return undefined;
    return { value: this.#buffer[this.#given++]! };
  }

  async #fill(): Promise<void> {
    if (this.#buffer.length > 0) this.#number += 1;
    this.#before = super.position();
    const items: Item[] = [];
    for (let taken; items.length < this.size && (taken = await this.take()) !== undefined;) items.push(taken.value);
    const generator = new Generator().manualSeed(seedAt(this.context.seed, this.#number));
    const order = scope(() => randperm(items.length, { generator }).tolist<number[]>());
    this.#buffer = order.map((i) => items[i]!);
    this.#given = Math.min(this.#skip, items.length);
    this.#skip = 0;
    if (this.#given === items.length && items.length > 0) await this.#fill();
  }

  override position(): Position {
    return { of: this.#before, number: this.#number, given: this.#given + this.#skip };
  }
}
