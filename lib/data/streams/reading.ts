import type { SampleContext } from '../dataset.js';
import { sampleDraws } from '../loading/sampleDraws.js';
import {
  openStream,
  StreamDataset,
  type OpenStream,
  type Position,
  type SampleReader,
  type Stream,
  type StreamContext,
} from '../stream.js';

/** What is read next; undefined at the end. */
export type Read<Item> = { readonly value: Item } | undefined;

/** Makes a reader of what each kind of stream says of itself. */
export abstract class Reading<Item> implements SampleReader<Item> {
  #isClosed = false;

  /** The next sample; undefined after the last one. */
  protected abstract read(): Promise<Read<Item>>;

  abstract position(): Position;

  /** Lets go of what is read. */
  protected abstract close(): Promise<unknown>;

  async next(): Promise<IteratorResult<Item, undefined>> {
    const read = this.#isClosed ? undefined : await this.read();
    if (read !== undefined) return { done: false, value: read.value };
    return this.return();
  }

  async return(): Promise<IteratorResult<Item, undefined>> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      await this.close();
    }
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** Reads one stream and makes something else of it. */
export abstract class ReadingFrom<In, Out> extends Reading<Out> {
  protected readonly source: OpenStream<In>;

  constructor(stream: Stream<In>, position: Position | undefined, context: StreamContext) {
    super();
    this.source = openStream(stream, position, context);
  }

  protected async take(): Promise<Read<In>> {
    const { done, value } = await this.source.next();
    return done ? undefined : { value: value };
  }

  position(): Position {
    return this.source.position();
  }

  protected async close(): Promise<void> {
    await this.source.return();
  }
}

/** Of a stream that is read outside any pass. */
export const noContext: StreamContext = { seed: 0 };

/** A stream that is how another one is read. */
export class Derived<Item> extends StreamDataset<Item> {
  constructor(
    private readonly begin: (position: Position | undefined, context: StreamContext) => SampleReader<Item>,
    private readonly of: () => readonly StreamDataset<Item>[] = () => [],
  ) {
    super();
  }

  open(position?: Position, context: StreamContext = noContext): SampleReader<Item> {
    return this.begin(position, context);
  }

  override parts(): readonly StreamDataset<Item>[] {
    return this.of();
  }
}

/** What is drawn for the how many-th sample of a stream. */
export const drawsAt = (context: StreamContext, place: number): SampleContext => sampleDraws(context.seed, 0, place);
