// Streams made of streams: what they give, and that they go on from every sample.

import { expect } from 'chai';
import type { StreamDataset } from '#lib/data/index.js';
import {
  batch,
  ChainDataset,
  DataLoader,
  filter,
  map,
  mix,
  shuffle,
  Subset,
  window,
  zip,
  type Position,
  type SampleContext,
  type Stream,
} from '#lib/data/index.js';
import { Generator, manualSeed, rand } from '#lib/tensor/index.js';

const numbers = (from: number, to: number): Stream<number> => ({
  *[Symbol.iterator]() {
    for (let i = from; i < to; ++i) yield i;
  },
});

const later = (from: number, to: number): Stream<number> => ({
  async *[Symbol.asyncIterator]() {
    yield* numbers(from, to) as Iterable<number>;
  },
});

const context = { seed: 5n };

async function read<Item>(stream: StreamDataset<Item>, position?: Position): Promise<[Item, Position][]> {
  const reader = stream.open(position, context);
  const all: [Item, Position][] = [];
  for await (const item of reader) all.push([item, JSON.parse(JSON.stringify(reader.position())) as Position]);
  return all;
}

const itemsOf = async <Item,>(stream: StreamDataset<Item>, position?: Position) =>
  (await read(stream, position)).map(([item]) => item);

/** What a stream gives; checks that opened where each sample ends it gives the samples left. */
async function everywhere<Item>(stream: StreamDataset<Item>): Promise<Item[]> {
  const all = await read(stream);
  for (let i = 0; i < all.length; ++i) {
    expect(await itemsOf(stream, all[i]![1])).to.deep.equal(all.slice(i + 1).map(([item]) => item));
  }
  const begun = stream.open(undefined, context);
  expect(await itemsOf(stream, begun.position())).to.deep.equal(all.map(([item]) => item));
  return all.map(([item]) => item);
}

const drawn = (sample: number, { generator }: SampleContext): [number, number] => [
  sample,
  rand([1], { generator }).item<number>(),
];

const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);

describe('a stream', () => {
  it('is mapped, with draws that are those of the sample', async () => {
    expect(await everywhere(map(later(0, 5), async (x) => x * 2))).to.deep.equal([0, 2, 4, 6, 8]);
    const pairs = await everywhere(map(numbers(0, 6), drawn));
    expect(new Set(pairs.map(([, value]) => value)).size).to.equal(6);
  });

  it('is filtered', async () => {
    expect(await everywhere(filter(numbers(0, 9), (x) => x % 3 === 1))).to.deep.equal([1, 4, 7]);
    expect(await everywhere(filter(later(0, 9), async (x) => x > 6))).to.deep.equal([7, 8]);
  });

  it('comes in lists', async () => {
    expect(await everywhere(batch(numbers(0, 5), 2))).to.deep.equal([[0, 1], [2, 3], [4]]);
    expect(await everywhere(batch(later(0, 5), 2, { dropLast: true }))).to.deep.equal([[0, 1], [2, 3]]); // prettier-ignore
  });

  it('comes in windows, side by side, overlapping or apart', async () => {
    expect(await everywhere(window(numbers(0, 5), 3))).to.deep.equal([[0, 1, 2], [1, 2, 3], [2, 3, 4]]); // prettier-ignore
    expect(await everywhere(window(later(0, 6), 2, { stride: 2 }))).to.deep.equal([[0, 1], [2, 3], [4, 5]]); // prettier-ignore
    expect(await everywhere(window(numbers(0, 9), 2, { stride: 4 }))).to.deep.equal([[0, 1], [4, 5]]); // prettier-ignore
    expect(await everywhere(window(numbers(0, 2), 3))).to.deep.equal([]);
  });

  it('follows another', async () => {
    const chain = new ChainDataset([numbers(0, 2), later(0, 0), later(5, 7)]);
    expect(await everywhere(chain)).to.deep.equal([0, 1, 5, 6]);
    expect(await Promise.all(chain.parts().map((part) => everywhere(part)))).to.deep.equal([[0, 1], [], [5, 6]]);
  });

  it('stands beside others', async () => {
    const pairs = await everywhere(zip([numbers(0, 3), later(5, 9)]));
    expect(pairs).to.deep.equal([[0, 5], [1, 6], [2, 7]]); // prettier-ignore
  });

  it('is mixed with others by their weights', async () => {
    const mixed = mix([numbers(0, 300), later(1000, 1100)], { weights: [3, 1] });
    const all = await itemsOf(mixed);
    expect(sorted(all)).to.deep.equal([...numbers(0, 300) as Iterable<number>, ...numbers(1000, 1100) as Iterable<number>]); // prettier-ignore
    const [early, late] = [all.slice(0, 200), all.filter((x) => x >= 1000)];
    expect(early.filter((x) => x >= 1000).length).to.be.within(30, 70);
    expect(late).to.deep.equal(sorted(late));
    await everywhere(mix([numbers(0, 6), later(10, 13)]));
    const short = await everywhere(mix([numbers(0, 50), later(100, 103)], { until: 'first' }));
    expect(short.filter((x) => x >= 100)).to.deep.equal([100, 101, 102]);
    expect(() => mix([numbers(0, 1)], { weights: [0] })).to.throw(/expected 1 weights above 0.*got \[0\]/);
  });

  it('is shuffled within a buffer', async () => {
    for (const size of [1, 4, 5, 20]) {
      const all = await everywhere(shuffle(numbers(0, 10), size));
      expect(sorted(all)).to.deep.equal([...numbers(0, 10) as Iterable<number>]); // prettier-ignore
      for (let i = 0; i < 10; ++i) expect(Math.floor(all[i]! / size)).to.equal(Math.floor(i / size));
    }
    expect(await itemsOf(shuffle(numbers(0, 20), 20))).not.to.deep.equal([...numbers(0, 20) as Iterable<number>]); // prettier-ignore
  });

  it('is all of these at once, pass after pass of a DataLoader', async () => {
    const source = () =>
      batch(map(shuffle(new ChainDataset([filter(numbers(0, 12), (x) => x !== 3), later(20, 26)]), 5), drawn), 2);
    await everywhere(source());
    const loader = () =>
      new DataLoader<[number, number][], number[]>(source(), {
        collate: ([pairs]) => pairs!.flat(),
        generator: new Generator().manualSeed(3),
      });
    const whole = loader();
    const passes: number[][][] = [[], []];
    for (const pass of passes) for await (const each of whole) pass.push(each);
    expect(passes[0]).not.to.deep.equal(passes[1]);
    for (let stop = 1; stop < passes[0]!.length; ++stop) {
      const [first, second] = [loader(), loader()];
      const seen: number[][] = [];
      for await (const each of first) if (seen.push(each) === stop) break;
      second.loadStateDict(first.stateDict());
      for await (const each of second) seen.push(each);
      expect(seen).to.deep.equal(passes[0]);
      for await (const each of second) seen.push(each);
      expect(seen.slice(passes[0]!.length)).to.deep.equal(passes[1]);
    }
  });

  it('refuses the position of another one', async () => {
    const code = 'STATE_DICT_MISMATCH';
    for (const wrong of [
      map(numbers(0, 2), drawn),
      window(numbers(0, 2), 1),
      shuffle(numbers(0, 2), 2),
      mix([numbers(0, 2)]),
    ]) {
      expect(() => wrong.open({ of: null, count: -1, skip: 'x', number: 1.5, given: 0 }, context))
        .to.throw()
        .with.property('code', code);
    }
    expect(() => new ChainDataset([numbers(0, 2)]).open({ part: 2, of: null }, context))
      .to.throw(/no position of this stream/)
      .with.property('code', code);
    const mapped = new DataLoader(map(new Set([1, 2, 3]), (x) => x));
    await mapped[Symbol.asyncIterator]().next();
    for (const [state, stream] of [
      [mapped.stateDict(), new Set([1, 2, 3])],
      [{ ...mapped.stateDict(), pass: { ...mapped.stateDict().pass!, position: { part: 2, of: null, skip: 0 } } }, new Set([1])],
    ] as const) {
      const plain = new DataLoader(stream);
      plain.loadStateDict(state);
      expect(() => [...plain]).to.throw(/no position of this stream/).with.property('code', code);
    } // prettier-ignore
    expect(() => zip([numbers(0, 2)]).open([1, 2], context))
      .to.throw(/no position of this stream/)
      .with.property('code', code);
  });
});

describe('a dataset', () => {
  it('is mapped, sample by sample or a batch at once, with or without promises', async () => {
    manualSeed(2);
    const dataset = map([1, 2, 3], (x) => x * 2);
    expect([dataset.length, dataset.get(2), dataset.getBatch!([0, 1])]).to.deep.equal([3, 6, [2, 4]]);
    const promised = map({ length: 3, get: (i: number) => Promise.resolve(i) }, (x) => x + 1);
    const found: unknown = promised.get(2);
    expect(found).to.be.instanceOf(Promise);
    expect(await (found as Promise<number>)).to.equal(3);
    const random = map([1, 2], drawn);
    expect(random.get(0)).not.to.deep.equal(random.get(0));
  });

  it('is filtered at once', () => {
    const even = filter([4, 5, 6], (x) => x % 2 === 0);
    expect(even).to.be.instanceOf(Subset);
    expect(even.indices).to.deep.equal([0, 2]);
    expect(() => filter({ length: 1, get: () => Promise.resolve(1) }, () => true)).to.throw(/are promises/);
  });
});
