import { anything, kind, optional } from '../kinds.js';
import { nothing, signature } from '../signature.js';
import { isMap } from '../realms.js';
import { Tensor } from '../tensor/index.js';
import { countOf } from './streams/position.js';

/** Where a reading stands: plain JSON, which a checkpoint keeps. */
export type Position = null | boolean | number | string | readonly Position[] | { readonly [key: string]: Position };

/** Samples one after another, and where the next one is. */
export interface SampleReader<Item> extends AsyncIterableIterator<Item, undefined> {
  /** Where to open the stream for the samples after those given so far. */
  position(): Position;
  /** Lets go of files and the like; the samples are at their end after it. */
  return(): Promise<IteratorResult<Item, undefined>>;
}

/** What a pass hands its streams. */
export interface StreamContext {
  /** The same for the same pass, also when it is taken up again: shuffle and transform by it. */
  readonly seed: number | bigint;
}

/** What `open` takes; each stream says itself what its positions are. */
export const openTakes = signature({
  position: optional(anything),
  context: optional(
    kind<StreamContext>('a context with the seed of a pass', (value) =>
      ['number', 'bigint'].includes(typeof (value as Partial<StreamContext> | null)?.seed),
    ),
  ),
});

/**
 * Samples that are read one after another, as `torch.utils.data.IterableDataset`, from the beginning or from where an earlier
 * reading stood.
 */
export abstract class StreamDataset<Item = unknown> implements AsyncIterable<Item> {
  /** Begins to read at what `position()` of an earlier reading gave, or with the first sample. */
  abstract open(position?: Position, context?: StreamContext): SampleReader<Item>;

  /** Parts that can be read side by side, such as files; one after another they are the whole. None where it has no parts. */
  parts(): readonly StreamDataset<Item>[] {
    nothing.check('parts', arguments);
    return [];
  }

  [Symbol.asyncIterator](): SampleReader<Item> {
    return this.open();
  }
}

/** Samples one after another: a stream, or anything that `for` or `for await` goes through. */
export type Stream<Item = unknown> = StreamDataset<Item> | Iterable<Item> | AsyncIterable<Item>;

/** What has its values one after another, but is not meant as samples. */
const isOther = (value: object): boolean => Tensor.isTensor(value) || ArrayBuffer.isView(value) || isMap(value);

export const streamKind = kind<Stream>(
  'a stream or an iterable of samples',
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    (Symbol.asyncIterator in value || Symbol.iterator in value) &&
    !isOther(value),
);

/** What is read of any stream, at once or awaited. */
export interface OpenStream<Item> {
  next(): IteratorResult<Item, unknown> | PromiseLike<IteratorResult<Item, unknown>>;
  position(): Position;
  /** Lets go of what is read; `error` is what ended the reading. */
  return(error?: unknown): unknown;
  /** Who reads what is to come next, for an error; the stream itself where this is not there. */
  holder?(): string;
}

/** Begins to read a stream. Of what is no StreamDataset the position is how many samples came, and those are read again to get there. */
export function openStream<Item>(
  stream: Stream<Item>,
  position: Position | undefined,
  context: StreamContext,
): OpenStream<Item> {
  if (stream instanceof StreamDataset) return stream.open(position, context);
  const skip = countOf('DataLoader', position ?? 0);
  return Symbol.asyncIterator in stream
    ? new CountedLater(stream[Symbol.asyncIterator](), skip)
    : new Counted(stream[Symbol.iterator](), skip);
}

class Counted<Item> implements OpenStream<Item> {
  #count = 0;

  constructor(
    private readonly items: Iterator<Item, unknown>,
    private readonly skip: number,
  ) {}

  next(): IteratorResult<Item, unknown> {
    while (this.#count < this.skip) if (this.#read().done) break;
    return this.#read();
  }

  #read(): IteratorResult<Item, unknown> {
    const read = this.items.next();
    if (!read.done) this.#count += 1;
    return read;
  }

  position(): number {
    return Math.max(this.#count, this.skip);
  }

  return(): unknown {
    return this.items.return?.();
  }
}

class CountedLater<Item> implements OpenStream<Item> {
  #count = 0;

  constructor(
    private readonly items: AsyncIterator<Item, unknown>,
    private readonly skip: number,
  ) {}

  async next(): Promise<IteratorResult<Item, unknown>> {
    while (this.#count < this.skip) if ((await this.#read()).done) break;
    return this.#read();
  }

  async #read(): Promise<IteratorResult<Item, unknown>> {
    const read = await this.items.next();
    if (!read.done) this.#count += 1;
    return read;
  }

  position(): number {
    return Math.max(this.#count, this.skip);
  }

  return(): unknown {
    return this.items.return?.();
  }
}
