import { AiforgeError } from '../../errors.js';
import { isListOf, kind, listOf, number, oneOf } from '../../kinds.js';
import { nothing, signature } from '../../signature.js';
import { openStream, type OpenStream, openTakes, type Position, type SampleReader, type Stream, type StreamContext, StreamDataset, streamKind } from '../stream.js'; // prettier-ignore
import { countOf, listFor, fieldsOf } from './position.js';
import { Derived, noContext, Reading, type Read } from './reading.js';
import { unitAt } from '../loading/sampleDraws.js';

const streamsKind = kind<readonly Stream[]>(
  'an array of streams, one or more',
  (value) => isListOf(value, streamKind) && value.length > 0,
);

const chainTakes = signature({ datasets: streamsKind });
const severalTakes = signature({ streams: streamsKind });

/**
 * The samples of several streams, one stream after another. As `torch.utils.data.ChainDataset`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for no streams, and for what is none.
 * @example
 * import { data } from 'aiforge';
 * const chain = new data.ChainDataset([new Set([1, 2]), new Set([3])]);
 * const all: number[] = [];
 * for await (const sample of chain) all.push(sample);
 * all; // [1, 2, 3]
 */
export class ChainDataset<Item> extends StreamDataset<Item> {
  constructor(readonly datasets: readonly Stream<Item>[]) {
    super();
    chainTakes.check(new.target.name, arguments);
  }

  override parts(): readonly StreamDataset<Item>[] {
    nothing.check('parts', arguments);
    return this.datasets.flatMap((stream) => {
      const parts = stream instanceof StreamDataset ? stream.parts() : [];
      return parts.length > 0 ? parts : [stream instanceof StreamDataset ? stream : asStream(stream)];
    });
  }

  open(position?: Position, context: StreamContext = noContext): SampleReader<Item> {
    openTakes.check('open', arguments);
    return new Chaining(this.datasets, position, context);
  }
}

const asStream = <Item>(stream: Stream<Item>): StreamDataset<Item> =>
  new Derived((position, context) => new Chaining([stream], position, context));

class Chaining<Item> extends Reading<Item> {
  #part: number;
  #open: OpenStream<Item> | null = null;
  #from: Position | undefined;

  constructor(
    private readonly streams: readonly Stream<Item>[],
    position: Position | undefined,
    private readonly context: StreamContext,
  ) {
    super();
    const from = position === undefined ? undefined : fieldsOf('ChainDataset', position, 'part', 'of');
    this.#part = from === undefined ? 0 : countOf('ChainDataset', from.part, streams.length);
    this.#from = from?.of ?? undefined;
  }

  protected async read(): Promise<Read<Item>> {
    for (; this.#part < this.streams.length; ++this.#part) {
      this.#open ??= openStream(this.streams[this.#part]!, this.#from, this.context);
      this.#from = undefined;
      const { done, value } = await this.#open.next();
      if (!done) return { value: value };
      await this.close();
    }
    return undefined;
  }

  position(): Position {
    return { part: this.#part, of: this.#open?.position() ?? this.#from ?? null };
  }

  protected async close(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    await open?.return();
  }
}

/** Samples of several streams side by side. */
export type Zipped<Streams extends readonly Stream[]> = {
  -readonly [Key in keyof Streams]: Streams[Key] extends Stream<infer Item> ? Item : never;
};

/**
 * Lists of a sample from each of several streams, until the first of them ends.
 *
 * @example
 * import { data } from 'aiforge';
 * const pairs: [number, string][] = [];
 * for await (const pair of data.zip([new Set([1, 2]), new Set(['a', 'b', 'c'])])) pairs.push(pair);
 * pairs; // [[1, 'a'], [2, 'b']]
 */
export function zip<const Streams extends readonly Stream[]>(streams: Streams): StreamDataset<Zipped<Streams>> {
  severalTakes.check('zip', arguments);
  return new Derived((position, context) => new Zipping<Zipped<Streams>>(streams, position, context));
}

/** Opens streams side by side. */
abstract class SideBySide<Item, Out> extends Reading<Out> {
  protected readonly open: readonly OpenStream<Item>[];

  constructor(streams: readonly Stream<Item>[], positions: readonly Position[] | undefined, context: StreamContext) {
    super();
    this.open = streams.map((stream, i) => openStream(stream, positions?.[i], context));
  }

  protected get positions(): Position[] {
    return this.open.map((each) => each.position());
  }

  protected async close(): Promise<void> {
    await Promise.all(this.open.map((each) => each.return()));
  }
}

class Zipping<Out> extends SideBySide<unknown, Out> {
  #positions: Position[] | undefined;

  constructor(streams: readonly Stream[], position: Position | undefined, context: StreamContext) {
    super(streams, position === undefined ? undefined : listFor('zip', position, streams.length), context);
  }

  protected async read(): Promise<Read<Out>> {
    const before = this.positions;
    const results = await Promise.all(this.open.map(async (each) => each.next()));
    // What the others gave when one had ended is nobody's.
    this.#positions = results.some(({ done }) => done) ? before : undefined;
    return this.#positions === undefined ? { value: results.map(({ value }) => value) as Out } : undefined;
  }

  position(): Position {
    return this.#positions ?? this.positions;
  }
}

export interface MixOptions {
  /** How often samples of each stream are taken, in proportion. Default: as often as those of the others. */
  weights?: readonly number[];
  /** Whether the mixture ends with the first stream that does, or with the last. Default: `'last'`. */
  until?: 'first' | 'last';
}

const mixTakes = signature<MixOptions>(
  { streams: streamsKind },
  { weights: listOf(number), until: oneOf('first', 'last') },
);

/**
 * The samples of several streams, the next one of a stream that is drawn by its weight: the same for the same pass of a DataLoader.
 *
 * @throws AiforgeError INVALID_ARGUMENT for other than a positive weight for each stream.
 * @example
 * import { data } from 'aiforge';
 * const all: number[] = [];
 * for await (const sample of data.mix([new Set([1, 2]), new Set([3])], { weights: [3, 1] })) all.push(sample);
 * all.sort(); // [1, 2, 3]
 */
export function mix<Item>(streams: readonly Stream<Item>[], options: MixOptions = {}): StreamDataset<Item> {
  mixTakes.check('mix', arguments);
  const { weights = streams.map(() => 1), until = 'last' } = options;
  if (weights.length !== streams.length || weights.some((weight) => !(weight > 0 && weight < Infinity))) {
    throw new AiforgeError('INVALID_ARGUMENT', `mix: expected ${streams.length} weights above 0, one for each stream, got [${weights.join(', ')}].`); // prettier-ignore
  }
  return new Derived((position, context) => new Mixing(streams, weights, until, position, context));
}

class Mixing<Item> extends SideBySide<Item, Item> {
  #draws: number;
  readonly #ended: boolean[];

  constructor(
    streams: readonly Stream<Item>[],
    private readonly weights: readonly number[],
    private readonly until: 'first' | 'last',
    position: Position | undefined,
    private readonly context: StreamContext,
  ) {
    const from = position === undefined ? undefined : fieldsOf('mix', position, 'of', 'draws', 'ended');
    super(streams, from && listFor('mix', from.of, streams.length), context);
    this.#draws = from === undefined ? 0 : countOf('mix', from.draws);
    this.#ended =
      from === undefined ? streams.map(() => false) : listFor('mix', from.ended, streams.length).map(Boolean);
  }

  protected async read(): Promise<Read<Item>> {
    while (this.#ended.includes(false)) {
      if (this.until === 'first' && this.#ended.includes(true)) return undefined;
      const drawn = this.#draw();
      const { done, value } = await this.open[drawn]!.next();
      this.#draws += 1;
      if (!done) return { value: value };
      this.#ended[drawn] = true;
    }
    return undefined;
  }

  /** One of the streams that have not ended. */
  #draw(): number {
    const weights = this.weights.map((weight, i) => (this.#ended[i] ? 0 : weight));
    let left = unitAt(this.context.seed, this.#draws) * weights.reduce((a, b) => a + b, 0);
    const drawn = weights.findIndex((weight) => (left -= weight) < 0);
    return drawn >= 0 ? drawn : weights.findLastIndex((weight) => weight > 0);
  }

  position(): Position {
    return { of: this.positions, draws: this.#draws, ended: [...this.#ended] };
  }
}
