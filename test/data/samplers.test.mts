import { expect } from 'chai';
import fc from 'fast-check';
import {
  BatchSampler,
  DataLoader,
  DistributedSampler,
  LengthGroupedSampler,
  randomSplit,
  RandomSampler,
  SequentialSampler,
  SubsetRandomSampler,
  TokenBudgetBatchSampler,
  WeightedRandomSampler,
  type Dataset,
} from '#lib/data/index.js';
import { Generator, manualSeed, rand, tensor, type Tensor } from '#lib/tensor/index.js';

import { recorded } from '../support/recorded.mjs';

interface Case {
  result: unknown;
  next: { hex: string };
}
interface Distributed {
  n: number;
  replicas: number;
  shuffle: boolean;
  drop_last: boolean;
  seed: number;
  epochs: number[][][];
}
const fixture = recorded<{
  loaders: Record<string, Case>;
  samplers: Record<string, Case>;
  random_split: Record<string, Case>;
  distributed: Distributed[];
}>('samplers');

const seeded = (seed: number) => new Generator().manualSeed(seed);
const range = (length: number): Dataset<number> => ({ length, get: (i) => i });
const twice = <T,>(pass: () => T): T[] => [pass(), pass()];

/** Runs from seed 0 and checks the order and how much was drawn from the default generator. */
function expectSame(made: () => unknown, recorded: Case): void {
  manualSeed(0);
  expect(made()).to.deep.equal(recorded.result);
  const next = Buffer.from(rand([1]).toTypedArray().buffer as ArrayBuffer).toString('hex');
  expect(next, 'the next number').to.equal(recorded.next.hex);
}

describe('orders, as PyTorch', () => {
  const passes = (options: ConstructorParameters<typeof DataLoader<number>>[1]) => () => {
    const loader = new DataLoader<number, Tensor>(range(10), options);
    return twice(() => Array.from(loader, (batch) => batch.tolist()));
  };
  const loaders: Record<string, () => unknown> = {
    shuffle_n10_batch3: passes({ batchSize: 3, shuffle: true }),
    shuffle_n10_batch3_drop_last: passes({ batchSize: 3, shuffle: true, dropLast: true }),
    sequential_n10_batch3: passes({ batchSize: 3 }),
    shuffle_n10_batch3_generator_7: () => passes({ batchSize: 3, shuffle: true, generator: seeded(7) })(),
  };
  const orders = (options: () => ConstructorParameters<typeof RandomSampler>[1]) => () => {
    const sampler = new RandomSampler(10, options());
    return twice(() => [...sampler]);
  };
  const weighted = (numSamples: number, replacement: boolean) => () => {
    const weights = [0.1, 0.9, 0.4, 0.7, 3, 0.6];
    const sampler = new WeightedRandomSampler(weights, numSamples, { replacement, generator: seeded(0) });
    return twice(() => [...sampler]);
  };
  const samplers: Record<string, () => unknown> = {
    subset_random_generator_0: () => {
      const sampler = new SubsetRandomSampler([3, 1, 4, 5, 9, 2, 6], { generator: seeded(0) });
      return twice(() => [...sampler]);
    },
    weighted_num_samples_8_generator_0: weighted(8, true),
    weighted_no_replacement_num_samples_4_generator_0: weighted(4, false),
    random_n10: orders(() => ({})),
    random_n10_generator_0: orders(() => ({ generator: seeded(0) })),
    random_n10_num_samples_25_generator_0: orders(() => ({ numSamples: 25, generator: seeded(0) })),
    random_n10_replacement_num_samples_40_generator_0: orders(() => ({
      replacement: true,
      numSamples: 40,
      generator: seeded(0),
    })),
  };
  const split = (lengths: number[], seed?: number) => () =>
    randomSplit(range(10), lengths, seed === undefined ? undefined : seeded(seed)).map((part) => part.indices);
  const splits: Record<string, () => unknown> = {
    n10_lengths_6_4: split([6, 4]),
    n10_lengths_6_4_generator_42: split([6, 4], 42),
    'n10_fractions_0.8_0.1_0.1_generator_0': split([0.8, 0.1, 0.1], 0),
    'n10_fractions_0.33_0.33_0.34_generator_0': split([0.33, 0.33, 0.34], 0),
  };
  for (const [group, made] of [
    [fixture.loaders, loaders],
    [fixture.samplers, samplers],
    [fixture.random_split, splits],
  ] as const) {
    for (const [name, make] of Object.entries(made)) it(name, () => expectSame(make, group[name]!));
  }

  for (const { n, replicas, shuffle, drop_last: dropLast, seed, epochs } of fixture.distributed) {
    it(`distributed: ${n} samples on ${replicas} ranks, shuffle ${shuffle}, dropLast ${dropLast}, seed ${seed}`, () => {
      epochs.forEach((ranks, epoch) => {
        ranks.forEach((order, rank) => {
          const sampler = new DistributedSampler(n, { numReplicas: replicas, rank, shuffle, dropLast, seed });
          sampler.setEpoch(epoch);
          expect([...sampler]).to.deep.equal(order);
          expect(sampler.length).to.equal(order.length);
        });
      });
    });
  }
});

describe('samplers', () => {
  it('visit every sample once, whatever the size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), (size) => {
        const expected = Array.from({ length: size }, (_, i) => i);
        expect([...new SequentialSampler(size)]).to.deep.equal(expected);
        expect([...new RandomSampler(size)].sort((a, b) => a - b)).to.deep.equal(expected);
      }),
    );
  });

  it('share the samples out among ranks: each once, and padding only to make the parts equal', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 8 }), (size, numReplicas) => {
        const parts = Array.from({ length: numReplicas }, (_, rank) => [
          ...new DistributedSampler(size, { numReplicas, rank }),
        ]);
        expect(new Set(parts.map((part) => part.length)).size).to.equal(1);
        expect(new Set(parts.flat()).size).to.equal(size);
        expect(parts.flat().length).to.equal(Math.ceil(size / numReplicas) * numReplicas);
      }),
    );
  });

  it('batch, with or without the last', () => {
    fc.assert(
      fc.property(fc.nat(40), fc.integer({ min: 1, max: 9 }), fc.boolean(), (size, batchSize, dropLast) => {
        const sampler = new BatchSampler(new SequentialSampler(size), batchSize, dropLast);
        const batches = [...sampler];
        expect(batches.length).to.equal(sampler.length);
        expect(batches.slice(0, -1).every((batch) => batch.length === batchSize)).to.equal(true);
        expect(batches.flat().length).to.equal(dropLast ? size - (size % batchSize) : size);
      }),
    );
  });

  it('draw from a subset and by weights from the default generator where no other is given', () => {
    const drawn = (): number[][] => {
      manualSeed(3);
      return [[...new SubsetRandomSampler([7, 8, 9])], [...new WeightedRandomSampler(rand([5]), 20)]];
    };
    const [subset, indices] = drawn() as [number[], number[]];
    expect(drawn()).to.deep.equal([subset, indices]);
    expect([...subset].sort()).to.deep.equal([7, 8, 9]);
    expect([indices.length, new WeightedRandomSampler([1], 20).length]).to.deep.equal([20, 20]);
  });

  it('take the number of an epoch, and nothing else', () => {
    const sampler = new DistributedSampler(5, { numReplicas: 1, rank: 0 });
    sampler.setEpoch(1);
    const order = [...sampler];
    for (const epoch of ['x', 1.5, undefined, null, 1n, -1, Number.NaN]) {
      expect(() => sampler.setEpoch(epoch as number), String(epoch))
        .to.throw(/setEpoch: epoch must be (given|a whole number, 0 or more)/)
        .with.property('code', 'INVALID_ARGUMENT');
    }
    expect([...sampler]).to.deep.equal(order);
  });

  it('refuse what makes no sense', () => {
    expect(() => new RandomSampler(0)).to.throw(/samples to draw from, got a size of 0/);
    expect(() => new RandomSampler(5, { numSamples: 2.5 })).to.throw(/got 2.5/);
    expect(() => new WeightedRandomSampler([1], 0)).to.throw(/numSamples must be a whole number above 0, got 0/);
    expect(() => new WeightedRandomSampler(rand([2, 2]), 1)).to.throw(/weights must be/);
    expect(() => new BatchSampler(new SequentialSampler(3), 0)).to.throw(/batchSize must be/);
    for (const Sampler of [DistributedSampler, RandomSampler, SequentialSampler]) {
      const make = (): unknown => new Sampler([1, 2, 3] as never, { numReplicas: 1, rank: 0 });
      expect(make).to.throw(/must be the number of samples, such as dataset\.length: .* got \[1, 2, 3\]/);
    }
    expect(() => new DistributedSampler(3, { numReplicas: 2, rank: 2 })).to.throw(/rank 2 is outside 0 … 1/);
    expect(() => new DistributedSampler(3, { numReplicas: 2, rank: -1 })).to.throw(
      /rank must be a whole number, 0 or more, got -1/,
    );
  });
});

describe('samplers by length', () => {
  const lengths = Array.from({ length: 50 }, (_, i) => (i * 37) % 23);

  it('bring samples of about the same length together, each once', () => {
    manualSeed(1);
    const sampler = new LengthGroupedSampler(lengths, 5, { megaBatch: 4 });
    const order = [...sampler];
    expect([...order].sort((a, b) => a - b)).to.deep.equal(lengths.map((_, i) => i));
    expect(lengths[order[0]!]).to.equal(Math.max(...lengths));
    const spread = (indices: readonly number[]) => {
      const batches = Array.from({ length: 10 }, (_, i) =>
        indices.slice(5 * i, 5 * i + 5).map((index) => lengths[index]!),
      );
      return batches.reduce((sum, batch) => sum + Math.max(...batch) - Math.min(...batch), 0);
    };
    expect(spread(order)).to.be.below(spread(lengths.map((_, i) => i)) / 2);
    expect([...sampler]).not.to.deep.equal(order);
    manualSeed(1);
    expect([...sampler]).to.deep.equal(order);
    expect([...new LengthGroupedSampler([], 2)]).to.deep.equal([]);
  });

  it('fill batches up to a number of tokens, padding counted', () => {
    const batches = [
      ...new TokenBudgetBatchSampler(tensor(lengths), 60, { maxSamples: 8, generator: new Generator().manualSeed(2) }),
    ];
    expect(batches.flat().sort((a, b) => a - b)).to.deep.equal(lengths.map((_, i) => i));
    for (const batch of batches) {
      expect(batch.length * Math.max(...batch.map((index) => lengths[index]!))).to.be.at.most(60);
      expect(batch.length).to.be.at.most(8);
    }
    expect(() => new TokenBudgetBatchSampler([3, 61], 60)).to.throw(/sample 1 has 61 tokens, more than maxTokens = 60/);
    const loader = new DataLoader(lengths, { batchSampler: new TokenBudgetBatchSampler(lengths, 60) });
    expect([loader.length, loader.batchSize]).to.deep.equal([new TokenBudgetBatchSampler(lengths, 60).length, null]);
    expect(Array.from(loader, (batch) => batch.size(0)).reduce((a, b) => a + b)).to.equal(50);
    expect(() => new DataLoader(lengths, { batchSampler: loader.batchSampler, shuffle: true })).to.throw(
      /give either batchSampler or shuffle, not both/,
    );
  });
});
