import { either, func } from '../../kinds.js';
import { isPromise, notAwaited } from '../../promised.js';
import { signature } from '../../signature.js';
import { sampleAt, samplesKind, Subset, type Dataset, type SampleContext, type Samples } from '../dataset.js';
import { MappedDataset } from '../mappedDataset.js';
import { StreamDataset, streamKind, type Position, type Stream, type StreamContext } from '../stream.js';
import { countOf, fieldsOf } from './position.js';
import { Derived, drawsAt, ReadingFrom, type Read } from './reading.js';

const mapTakes = signature({ source: either(samplesKind, streamKind), transform: func() });
const filterTakes = signature({ source: either(samplesKind, streamKind), predicate: func() });

/** What makes another sample of one; its promise is awaited, in a dataset as in a stream. */
export type Transform<In, Out> = (sample: Awaited<In>, context: SampleContext) => Out;

/**
 * The samples of a dataset or of a stream, each put through a function, which draws from `context.generator`. As `map` of
 * `tf.data`.
 *
 * @example
 * import { data } from 'aiforge';
 * const squares = data.map([1, 2, 3], (x) => x ** 2);
 * Array.from(new data.DataLoader(squares, { batchSize: 3 }), (batch) => batch.tolist()); // [[1, 4, 9]]
 */
export function map<In, Out>(source: Samples<In>, transform: Transform<In, Out>): Dataset<Out>;
export function map<In, Out>(source: Stream<In>, transform: Transform<In, Out>): StreamDataset<Awaited<Out>>;
export function map<In, Out>(
  source: Samples<In> | Stream<In>,
  transform: Transform<In, Out>,
): Dataset<Out> | StreamDataset<Awaited<Out>> {
  mapTakes.check('map', arguments);
  if (isSamples(source)) return new MappedDataset(source, transform);
  return new Derived(
    (position, context) => new Mapping(source, transform, position, context),
    () => partsOfStream(source).map((part) => map(part, transform)),
  );
}

/**
 * The samples that a predicate is true of. A dataset is looked through at once, and gives a Subset; of a stream what comes is looked
 * at. As `filter` of `tf.data`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a dataset whose samples are promises: make a stream of it, or a Subset of the indices.
 * @example
 * import { data } from 'aiforge';
 * data.filter([5, 6, 7, 8], (x) => x % 2 === 0).indices; // [1, 3]
 */
export function filter<Item>(source: Samples<Item>, predicate: (sample: Awaited<Item>) => boolean): Subset<Item>;
export function filter<Item>(
  source: Stream<Item>,
  predicate: (sample: Awaited<Item>) => boolean | Promise<boolean>,
): StreamDataset<Item>;
export function filter<Item>(
  source: Samples<Item> | Stream<Item>,
  predicate: (sample: Awaited<Item>) => boolean | Promise<boolean>,
): Subset<Item> | StreamDataset<Item> {
  filterTakes.check('filter', arguments);
  if (isSamples(source)) return new Subset(source, indicesOf(source, predicate));
  return new Derived(
    (position, context) => new Filtering(source, predicate, position, context),
    () => partsOfStream(source).map((part) => filter(part, predicate)),
  );
}

export const isSamples = <Item>(source: Samples<Item> | Stream<Item>): source is Samples<Item> =>
  samplesKind.accepts(source);

export const partsOfStream = <Item>(stream: Stream<Item>): readonly StreamDataset<Item>[] =>
  stream instanceof StreamDataset ? stream.parts() : [];

function indicesOf<Item>(samples: Samples<Item>, predicate: (sample: Awaited<Item>) => unknown): number[] {
  const indices: number[] = [];
  for (let i = 0; i < samples.length; ++i) {
    const sample = sampleAt(samples, i, 'filter');
    const isTaken = isPromise(sample) ? sample : predicate(sample as Awaited<Item>);
    if (isPromise(isTaken)) {
      const problem =
        'filter: the samples of this dataset, or what the predicate says, are promises; look through them before, and make a Subset of the indices.';
      throw notAwaited('INVALID_ARGUMENT', problem, isTaken);
    }
    if (isTaken) indices.push(i);
  }
  return indices;
}

class Mapping<In, Out> extends ReadingFrom<In, Awaited<Out>> {
  #count: number;

  constructor(
    stream: Stream<In>,
    private readonly transform: Transform<In, Out>,
    position: Position | undefined,
    private readonly context: StreamContext,
  ) {
    const from = position === undefined ? undefined : fieldsOf('map', position, 'of', 'count');
    super(stream, from?.of, context);
    this.#count = from === undefined ? 0 : countOf('map', from.count);
  }

  protected async read(): Promise<Read<Awaited<Out>>> {
    const taken = await this.take();
    if (taken === undefined) return undefined;
    const draws = drawsAt(this.context, this.#count++);
    return { value: await this.transform(await taken.value, draws) };
  }

  override position(): Position {
    return { of: super.position(), count: this.#count };
  }
}

class Filtering<Item> extends ReadingFrom<Item, Item> {
  constructor(
    stream: Stream<Item>,
    private readonly predicate: (sample: Awaited<Item>) => unknown,
    position: Position | undefined,
    context: StreamContext,
  ) {
    super(stream, position, context);
  }

  protected async read(): Promise<Read<Item>> {
    for (let taken; (taken = await this.take()) !== undefined;) {
      if (await this.predicate(await taken.value)) return taken;
    }
    return undefined;
  }
}
