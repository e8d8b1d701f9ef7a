// What a DataLoader's state takes up again: each sample of a pass exactly once, however often the pass is broken off.

import { expect } from 'chai';
import fc from 'fast-check';
import {
  DataLoader,
  DistributedSampler,
  fromModule,
  RandomSampler,
  StreamDataset,
  type DataLoaderOptions,
  type Dataset,
  type LoaderState,
  type Position,
  type SampleReader,
} from '#lib/data/index.js';
import { Generator, getRngState, manualSeed, rand, setRngState } from '#lib/tensor/index.js';
import type { Sample } from './workers/drawn.mjs';

const module = new URL('./workers/drawn.mjs', import.meta.url);

type Options = DataLoaderOptions<Sample, { index: number[]; drawn: number[][] }>;
type Loader = DataLoader<Sample, { index: number[]; drawn: number[][] }>;

const collate = (samples: Sample[]) => ({
  index: samples.map(({ index }) => index),
  drawn: samples.map(({ drawn }) => drawn.tolist<number[]>()),
});

const loaderOf = (dataset: Dataset<Sample>, options: Options): Loader =>
  new DataLoader(dataset, { batchSize: 3, shuffle: true, collate, ...options });

/** A state as a checkpoint keeps it. */
const kept = (state: LoaderState): LoaderState => JSON.parse(JSON.stringify(state)) as LoaderState;

/** What a loop over a loader sees until it has had some batches, and the state then. */
async function some(
  loader: Loader,
  batches: number,
): Promise<{ seen: unknown[]; state: LoaderState; isOver: boolean }> {
  const seen: unknown[] = [];
  if (batches === 0) return { seen, state: kept(loader.stateDict()), isOver: false };
  for await (const { index, drawn } of loader) {
    seen.push(...index.map((each, i) => [each, drawn[i]]));
    if (--batches === 0) return { seen, state: kept(loader.stateDict()), isOver: false };
  }
  return { seen, state: kept(loader.stateDict()), isOver: true };
}

const undisturbed = async (dataset: Dataset<Sample>, options: Options) =>
  (await some(loaderOf(dataset, options), Infinity)).seen;

describe('a state of a DataLoader', () => {
  it('takes up a pass after any batches, with any workers, any number of times', async () => {
    const dataset = await fromModule<Dataset<Sample>>(module, { name: 'Drawn', args: [17] });
    const numbers = fc.constantFrom(0, 0, 0, 1, 2);
    const stops = fc.array(fc.record({ batches: fc.nat(4), numWorkers: numbers, batchSize: fc.integer({ min: 1, max: 5 }) }), { minLength: 1, maxLength: 4 }); // prettier-ignore
    await fc.assert(
      fc.asyncProperty(stops, fc.nat(99), async (parts, seed) => {
        manualSeed(seed);
        const whole = await undisturbed(dataset, {});
        manualSeed(seed);
        const seen: unknown[] = [];
        let state: LoaderState | undefined;
        let drawn = getRngState();
        for (const { batches, ...options } of [...parts, { batches: Infinity }]) {
          const loader = loaderOf(dataset, options);
          setRngState(drawn);
          if (state !== undefined) loader.loadStateDict(state);
          const part = await some(loader, batches);
          drawn = getRngState();
          seen.push(...part.seen);
          state = part.state;
          if (part.isOver) break;
        }
        expect(seen).to.deep.equal(whole);
      }),
      { numRuns: 12, seed: 5 },
    );
  });

  it('has what its own generator goes on from between passes, and draws nothing of the default one twice', async () => {
    const dataset = await fromModule<Dataset<Sample>>(module, { name: 'Drawn', args: [7] });
    const seeded = () => loaderOf(dataset, { generator: new Generator().manualSeed(4) });
    const loader = seeded();
    const passes = [];
    for (let i = 0; i < 3; ++i) passes.push((await some(loader, Infinity)).seen);
    for (const stop of [1, 3]) {
      const first = seeded();
      await some(first, Infinity);
      const { seen, state } = await some(first, stop);
      const second = loaderOf(dataset, { generator: new Generator() });
      second.loadStateDict(state);
      const rest = (await some(second, Infinity)).seen;
      expect([...seen, ...rest]).to.deep.equal(passes[1]);
      expect((await some(second, Infinity)).seen).to.deep.equal(passes[2]);
    }
    const own = loaderOf(dataset, {});
    manualSeed(9);
    const { state } = await some(own, 2);
    const next = rand(1).item();
    manualSeed(9);
    await some(own, 2);
    own.loadStateDict(state);
    await some(own, Infinity);
    expect(rand(1).item()).to.equal(next);
  });

  it('knows what was handed out before its turn', async () => {
    const dataset = await fromModule<Dataset<Sample>>(module, { name: 'DrawnLater', args: [24] });
    const options: Options = { numWorkers: 2, inOrder: false, batchSize: 1, generator: new Generator().manualSeed(1) };
    const { seen, state } = await some(loaderOf(dataset, options), 9);
    const rest = loaderOf(dataset, { ...options, numWorkers: 0, generator: new Generator() });
    rest.loadStateDict(state);
    const indices = [...seen, ...(await some(rest, Infinity)).seen].map((each) => (each as [number])[0]);
    expect(indices.sort((a, b) => a - b)).to.deep.equal([...Array(24).keys()]);
  });

  it('is shared out among another number of ranks', () => {
    const dataset = Array.from({ length: 40 }, (_, i) => i);
    const rank = (numReplicas: number, at: number) => {
      const sampler = new DistributedSampler(40, { numReplicas, rank: at, seed: 3 });
      sampler.setEpoch(2);
      return new DataLoader<number, number[]>(dataset, { sampler, batchSize: 2, collate: (samples) => samples });
    };
    const seen: number[] = [];
    let state: LoaderState | undefined;
    for (const [replicas, batches] of [
      [2, 3],
      [4, 2],
      [3, Infinity],
    ] as const) {
      const states = Array.from({ length: replicas }, (_, at) => {
        const loader = rank(replicas, at);
        if (state !== undefined) loader.loadStateDict(state);
        let left: number = batches;
        for (const batch of loader) {
          seen.push(...batch);
          if (--left === 0) break;
        }
        return kept(loader.stateDict());
      });
      for (const each of states) expect(each.pass?.progress).to.deep.equal(states[0]!.pass?.progress);
      state = states[0];
    }
    expect(seen.sort((a, b) => a - b)).to.deep.equal(dataset);
  });

  it('is refused where it is of other samples, or of none', () => {
    const loader = new DataLoader([1, 2, 3]);
    const state = loader.stateDict();
    const refused: [state: unknown, message: RegExp][] = [
      [null, /got null, expected what stateDict\(\) gave/],
      [{ ...state, version: 2 }, /expected what stateDict/],
      [{ ...state, size: 4 }, /it is of 4 samples, and this loader has 3 samples/],
      [{ ...state, size: null }, /it is of a stream/],
      [{ ...state, generator: 'AAAA' }, /a generator of its own, and this one has none/],
      [{ ...state, samplers: ['%'] }, /samplers is/],
      [{ ...state, pass: { begunWith: '%', progress: null, position: null } }, /pass is/],
      [{ ...state, pass: { begunWith: 'AAAA', progress: { batches: -1 }, position: null } }, /its progress is/],
    ];
    for (const [given, message] of refused) {
      expect(() => loader.loadStateDict(given as LoaderState))
        .to.throw(message)
        .with.property('code', 'STATE_DICT_MISMATCH');
    }
    const progress = { batches: 0, samples: 0, taken: 0, epoch: 0, early: [] };
    loader.loadStateDict({ ...state, pass: { begunWith: 'AAAA', progress, position: null } });
    expect(() => [...loader])
      .to.throw(/is no state of one/)
      .with.property('code', 'STATE_DICT_MISMATCH');
    expect(Array.from(loader, (batch) => batch.item())).to.deep.equal([1, 2, 3]);
  });

  it('needs no more of a sampler than the same order again', () => {
    const sampler = new RandomSampler(10, { generator: new Generator().manualSeed(2) });
    const whole = [...new RandomSampler(10, { generator: new Generator().manualSeed(2) })];
    const data = Array.from({ length: 10 }, (_, i) => i);
    const loader = new DataLoader<number, number>(data, { sampler, collate: ([sample]) => sample! });
    const seen: number[] = [];
    for (const sample of loader) if (seen.push(sample) === 4) break;
    expect(seen).to.deep.equal(whole.slice(0, 4));
    expect(loader.stateDict().pass!.progress).to.include({ batches: 4, samples: 4 });
  });
});

class Lines extends StreamDataset<string> {
  open(position: Position = 0): SampleReader<string> {
    let at = position as number;
    return {
      next: async () => (at < 11 ? { done: false, value: `line ${at++}` } : { done: true, value: undefined }),
      position: () => at,
      return: async () => ({ done: true, value: undefined }),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}

describe('a stream', () => {
  const iterable = { *[Symbol.iterator]() { for (let i = 0; i < 11; ++i) yield `line ${i}`; } }; // prettier-ignore
  const later = { async *[Symbol.asyncIterator]() { for (let i = 0; i < 11; ++i) yield `line ${i}`; } }; // prettier-ignore
  const all = [...iterable];

  it('comes in batches, and again from any of them on', async () => {
    for (const stream of [iterable, later, new Lines()]) {
      for (let stop = 0; stop <= 4; ++stop) {
        const loader = new DataLoader<string, string[]>(stream, { batchSize: 3, collate: (lines) => lines });
        const seen: string[] = [];
        let left = stop;
        if (stop > 0) {
          for await (const lines of loader) {
            seen.push(...lines);
            if (--left === 0) break;
          }
        }
        const rest = new DataLoader<string, string[]>(stream, { batchSize: 4, collate: (lines) => lines });
        rest.loadStateDict(kept(loader.stateDict()));
        for await (const lines of rest) seen.push(...lines);
        expect(seen).to.deep.equal(all);
      }
    }
  });

  it('that hangs is given up at the signal, or after the time', async () => {
    const hangs = { async *[Symbol.asyncIterator]() { yield 'first'; await new Promise(() => undefined); } }; // prettier-ignore
    const stop = new AbortController();
    for (const [options, message] of [
      [{ timeoutMs: 50 }, /no batch came within timeoutMs = 50; the stream was at it/],
      [{ signal: stop.signal }, /enough/],
    ] as const) {
      const seen: unknown[] = [];
      const pass = (async () => {
        for await (const batch of new DataLoader<string>(hangs, options)) seen.push(batch);
      })();
      if ('signal' in options) setTimeout(() => stop.abort(new Error('enough')), 50);
      expect(await pass.catch((error: Error) => error.message)).to.match(message);
      expect(seen).to.deep.equal([['first']]);
    }
  });

  it('refuses options that say nothing of streams', () => {
    expect(() => new DataLoader(iterable, { inOrder: false })).to.throw(/always comes in its order/);
    expect(() => new DataLoader(iterable, { prefetchFactor: 2 })).to.throw(/read ahead by workers alone/);
  });

  it('is taken with `for` where it is there, else with `for await`', () => {
    expect([...new DataLoader(iterable, { batchSize: 4, dropLast: true })]).to.deep.equal([
      all.slice(0, 4),
      all.slice(4, 8),
    ]);
    expect(() => [...new DataLoader(new Lines())]).to.throw(/come later.*for await/);
    expect(() => new DataLoader(iterable, { shuffle: true })).to.throw(/has its own order, so there can be no shuffle/);
    expect(() => new DataLoader(iterable).length).to.throw(/a stream has no length/);
  });
});
