// A state goes on with the order of its sampler, or is refused where the sampler gives another one.

import { expect } from 'chai';
import {
  BatchSampler,
  DataLoader,
  DistributedSampler,
  LengthGroupedSampler,
  RandomSampler,
  SequentialSampler,
  SubsetRandomSampler,
  TokenBudgetBatchSampler,
  WeightedRandomSampler,
  type DataLoaderOptions,
  type LoaderState,
} from '#lib/data/index.js';
import { Generator } from '#lib/tensor/index.js';

describe('a state of a DataLoader with a sampler', () => {
  const indices = Array.from({ length: 12 }, (_, i) => i);
  const loaderBy = (options: DataLoaderOptions<number, number[]>) =>
    new DataLoader<number, number[]>(indices, {
      ...(options.batchSampler === undefined ? { batchSize: 2 } : {}),
      collate: (samples) => samples,
      ...options,
    });

  function someOf(loader: DataLoader<number, number[]>, batches: number): { seen: number[]; state: LoaderState } {
    const seen: number[] = [];
    for (const batch of loader) {
      seen.push(...batch);
      if (--batches === 0) break;
    }
    return { seen, state: JSON.parse(JSON.stringify(loader.stateDict())) as LoaderState };
  }

  it('takes up the order of a sampler with a generator of its own', () => {
    const orders: ((generator: Generator) => DataLoaderOptions<number, number[]>)[] = [
      (generator) => ({ sampler: new RandomSampler(12, { generator }) }),
      (generator) => ({ sampler: new SubsetRandomSampler(indices, { generator }) }),
      (generator) => ({ sampler: new WeightedRandomSampler(indices, 12, { generator }) }),
      (generator) => ({ sampler: new LengthGroupedSampler(indices, 2, { generator, megaBatch: 1 }) }),
      (generator) => ({
        batchSize: undefined,
        batchSampler: new BatchSampler(new RandomSampler(12, { generator }), 2),
      }),
      (generator) => ({ batchSampler: new TokenBudgetBatchSampler(indices, 20, { generator }) }),
      (generator) => ({ sampler: new RandomSampler(12, { generator }), generator }),
    ];
    for (const order of orders) {
      const whole = loaderBy(order(new Generator().manualSeed(4)));
      const passes = [0, 1, 2].map(() => someOf(whole, Infinity).seen);
      for (const stop of [1, 3, Infinity]) {
        const generator = new Generator().manualSeed(4);
        const first = loaderBy(order(generator));
        someOf(first, Infinity);
        const { seen, state } = someOf(first, stop);
        for (const second of [first, loaderBy(order(new Generator().manualSeed(4)))]) {
          second.loadStateDict(state);
          expect(second.stateDict()).to.deep.equal(state);
          const rest = stop === Infinity ? [] : someOf(second, Infinity).seen;
          expect([...seen, ...rest]).to.deep.equal(passes[1]);
          expect(someOf(second, Infinity).seen).to.deep.equal(passes[2]);
        }
      }
    }
  });

  it('is refused by a sampler that gives another order', () => {
    const fixed = <Each,>(order: Each[]) => ({
      length: order.length,
      [Symbol.iterator]: () => order[Symbol.iterator](),
    });
    const backwards = [...indices].reverse();
    const ofRank = (options: { seed?: number; shuffle?: boolean }) =>
      ({ sampler: new DistributedSampler(12, { numReplicas: 2, rank: 0, ...options }) }) as const;
    const pairs: (readonly [DataLoaderOptions<number, number[]>, DataLoaderOptions<number, number[]>])[] = [
      [{}, { sampler: fixed(backwards) }],
      [{}, { sampler: fixed([0, 1]) }],
      [{ batchSampler: fixed([[0], [1], [2]]) }, { batchSampler: fixed([[1], [0], [2]]) }],
      [ofRank({ seed: 0 }), ofRank({ seed: 1 })],
      [ofRank({ shuffle: true }), ofRank({ shuffle: false })],
    ];
    for (const [one, other] of pairs) {
      const { state } = someOf(loaderBy(one), 2);
      const later = loaderBy(other);
      later.loadStateDict(state);
      expect(() => someOf(later, Infinity))
        .to.throw(/gives another order/)
        .with.property('code', 'STATE_DICT_MISMATCH');
    }
    const own = loaderBy({ sampler: new RandomSampler(12, { generator: new Generator() }) });
    expect(() => own.loadStateDict(loaderBy({}).stateDict()))
      .to.throw(/of a sampler with 0 generators of its own, and this loader's has 1/)
      .with.property('code', 'STATE_DICT_MISMATCH');
  });

  it('takes up the batches of a class that groups them in its own way', () => {
    class Backwards extends BatchSampler {
      override *[Symbol.iterator](): Iterator<number[]> {
        yield* [...this.after(0)].reverse();
      }
    }
    const loader = () => loaderBy({ batchSampler: new Backwards(new SequentialSampler(12), 5) });
    const { seen, state } = someOf(loader(), 1);
    const rest = loader();
    rest.loadStateDict(state);
    expect([...seen, ...someOf(rest, Infinity).seen]).to.deep.equal([10, 11, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4]);
  });
});
