import { expect } from 'chai';
import fc from 'fast-check';
import {
  empty,
  Generator,
  getRngState,
  initialSeed,
  manualSeed,
  multinomial,
  rand,
  randint,
  randn,
  randperm,
  seed,
  setRngState,
  tensor,
  type Tensor,
} from '#lib/tensor/index.js';

import { exact, type Exact } from '../support/exact.mjs';
import { expectExact, expectRecorded, recorded } from '../support/recorded.mjs';

const { draws } = recorded<{ draws: Record<string, { result: unknown; next: Exact }> }>('samplers');

const seeded = (value: number) => new Generator().manualSeed(value);

describe('random numbers', () => {
  const first20 = (order: Tensor) => order.narrow(0, 0, 20).tolist();
  const made: Record<string, () => unknown> = {
    randperm_10: () => randperm(10).tolist(),
    randperm_10_generator_0: () => randperm(10, { generator: seeded(0) }).tolist(),
    randperm_1000_first_20: () => first20(randperm(1000)),
    randperm_40000_first_20: () => first20(randperm(40000)),
    randint_100_shape_12: () => randint(100, [12]).tolist(),
    randint_minus5_5_shape_12: () => randint(-5, 5, [12]).tolist(),
    randint_2pow40_shape_4: () => randint(2 ** 40, [4]).tolist(),
    rand_5: () => exact(rand([5])),
    randn_5: () => exact(randn([5])),
    randn_40: () => exact(randn([40])),
    rand_5_generator_3: () => exact(rand([5], { generator: seeded(3) })),
    int64_random: () => `${empty([], { dtype: 'int64' }).random_().item<bigint>()}`,
    multinomial: () => multinomial(tensor([0.1, 0.2, 0.7]), 10, true).tolist(),
  };

  it('has a case for every draw that PyTorch recorded', () => {
    expect(Object.keys(made).sort()).to.deep.equal(Object.keys(draws).sort());
  });

  for (const [name, draw] of Object.entries(made)) {
    it(`draws as PyTorch: ${name}`, () => {
      manualSeed(0);
      expectRecorded(draw(), draws[name]!.result, name);
      expectExact(rand([1]), draws[name]!.next, 'the next number');
    });
  }

  it('goes on from a saved state', () => {
    manualSeed(11);
    void rand([7]);
    const state = getRngState();
    const expected = randn([5]).tolist();
    void rand([100]);
    setRngState(state);
    expect(randn([5]).tolist()).to.deep.equal(expected);
    const own = seeded(4);
    void rand([3], { generator: own });
    const ownState = own.getState();
    expect([ownState.dtype, ownState.shape]).to.deep.equal(['uint8', [5056]]);
    const next = rand([3], { generator: own }).tolist();
    expect(rand([3], { generator: new Generator().setState(ownState) }).tolist()).to.deep.equal(next);
    expect(() => own.setState(tensor([1, 2, 3]))).to.throw(/RNG state|ByteTensor/);
  });

  it('has generators that do not disturb each other or the default one', () => {
    manualSeed(1);
    const expected = rand([4]).tolist();
    manualSeed(1);
    const [a, b] = [seeded(2), seeded(2)];
    const first = rand([3], { generator: a }).tolist();
    void rand([9], { generator: a });
    expect(rand([3], { generator: b }).tolist()).to.deep.equal(first);
    expect(rand([4]).tolist()).to.deep.equal(expected);
    expect(new Generator().initialSeed()).to.equal(67280421310721);
  });

  it('takes seeds of 64 bits, negative ones as PyTorch', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), (value) => {
        const generator = new Generator().manualSeed(value);
        expect(BigInt(generator.initialSeed())).to.equal(BigInt.asUintN(64, value));
      }),
    );
    manualSeed(-1);
    expect(initialSeed()).to.equal(18446744073709551615n);
    manualSeed(3);
    expect(initialSeed()).to.equal(3);
  });

  it('seeds itself, and tells with what', () => {
    const value = seed();
    const drawn = rand([3]).tolist();
    manualSeed(value);
    expect(rand([3]).tolist()).to.deep.equal(drawn);
    const own = new Generator();
    const ownSeed = own.seed();
    expect(own.initialSeed()).to.equal(ownSeed);
  });

  it('refuses seeds that are no whole numbers of 64 bits', () => {
    for (const bad of [1.5, NaN, Infinity, 2 ** 60, 2n ** 64n, -(2n ** 63n) - 1n, '1', null, undefined, {}]) {
      for (const use of [() => manualSeed(bad as number), () => new Generator().manualSeed(bad as number)]) {
        expect(use)
          .to.throw(/expected a whole number or a bigint/)
          .with.property('code', 'INVALID_ARGUMENT');
      }
    }
  });
});
