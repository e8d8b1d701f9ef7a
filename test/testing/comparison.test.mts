import { expect } from 'chai';
import assert from 'node:assert';
import { isDeepStrictEqual } from 'node:util';
import { serialize } from 'node:v8';
import { MessageChannel } from 'node:worker_threads';
import {
  AiforgeError,
  type DType,
  fromShared,
  arange,
  func,
  nn,
  ones,
  share,
  tensor,
  zeros,
  type Tensor,
} from 'aiforge';
import { copyOfLibrary } from '../support/copies.mjs';

const large = (change = 0): Tensor => {
  const made = ones([100, 10]);
  made.at(99, 9).add_(change);
  return made;
};

const pairs: [what: string, a: () => Tensor, b: () => Tensor][] = [
  ['sizes', () => ones([2]), () => ones([3])],
  ['sizes of the same number of elements', () => ones([2, 3]), () => ones([3, 2])],
  ['sizes without elements', () => ones([0]), () => ones([0, 3])],
  ['elements', () => tensor([1, 2]), () => tensor([1, 3])],
  ['elements that print alike', () => tensor([1 / 3]), () => tensor([1 / 3 + 1e-7])],
  ['signs of zero', () => tensor([0.5, 0]), () => tensor([0.5, -0])],
  ['dtypes', () => ones([2]), () => ones([2], { dtype: 'float64' })],
  ['dtypes of small integers', () => ones([2], { dtype: 'uint8' }), () => ones([2], { dtype: 'bool' })],
  ['scalars', () => tensor(1), () => tensor(2)],
  ['integers beyond 2^53', () => tensor(2n ** 60n), () => tensor(2n ** 60n + 1n)],
  ['complex numbers', () => tensor({ re: 1, im: 2 }), () => tensor({ re: 1, im: -2 })],
  ['one of many elements', () => large(), () => large(1)],
  ['one of many halves', () => large().to('float16'), () => large(1).to('float16')],
  ['one of many integers', () => large().to('int64'), () => large(1).to('int64')],
];

/** Many numbers of a dtype with one NaN far behind, whose bits are these. */
function withNaN(dtype: DType, words: DType, bits: number | bigint): Tensor {
  const made = zeros([400_000], { dtype });
  made.view(words).at(399_990).fill_(bits);
  return made;
}

const nans: [dtype: DType, words: DType, bits: (number | bigint)[]][] = [
  ['float32', 'int32', [0x7fc00000, 0x7f800001, -0x400000, -1]],
  ['complex64', 'int32', [0x7fc00000, 0x7f800001, -1]],
  ['float64', 'int64', [0x7ff8n << 48n, (0x7ff0n << 48n) + 1n, -1n]],
  ['complex128', 'int64', [0x7ff8n << 48n, (0x7ff0n << 48n) + 1n, -1n]],
  ['float16', 'int16', [0x7e00, 0x7c01, -1]],
  ['complex32', 'int16', [0x7e00, 0x7c01, -1]],
  ['bfloat16', 'int16', [0x7fc0, 0x7f81, -1]],
  ['float8_e4m3fn', 'int8', [0x7f, -1]],
  ['float8_e5m2', 'int8', [0x7e, 0x7d, -1]],
];

const alike: [what: string, a: () => Tensor, b: () => Tensor][] = [
  ['the same elements', () => tensor([[1, 2.5]]), () => tensor([[1, 2.5]])],
  ['another memory layout', () => tensor([[1, 2], [3, 4]]).t(), () => tensor([[1, 3], [2, 4]])], // prettier-ignore
  ['NaN of other bits', () => zeros([100]).div(0), () => ones([100]).mul(NaN)],
  ['a gradient', () => ones([2], { requiresGrad: true }), () => ones([2])],
  ['many elements', large, large],
  [
    'many elements laid out otherwise',
    () => arange(6e5).reshape([600, 1000]).t(),
    () => arange(6e5).reshape([600, 1000]).t().contiguous(),
  ],
  [
    'many conjugates',
    () => large().to('complex64').mul({ re: 1, im: 2 }).conj(),
    () => large().to('complex64').mul({ re: 1, im: -2 }),
  ],
];

describe('deep comparison of tensors', () => {
  for (const [what, a, b] of pairs) {
    it(`tells ${what} apart`, () => {
      assert.notDeepStrictEqual(a(), b());
      assert.notDeepStrictEqual({ list: [a()] }, { list: [b()] });
      expect(isDeepStrictEqual(a(), b())).to.equal(false);
      expect(a()).not.to.deep.equal(b());
      assert.throws(() => assert.deepStrictEqual(a(), b()), assert.AssertionError);
    });
  }

  for (const [what, a, b] of alike) {
    it(`takes for equal what has ${what}`, () => {
      assert.deepStrictEqual(a(), b());
      assert.deepEqual(new Map([['x', a()]]), new Map([['x', b()]]));
      expect(a()).to.deep.equal(b());
    });
  }

  for (const [dtype, words, bits] of nans) {
    it(`takes every NaN of many numbers of ${dtype} for the same, and nothing else`, () => {
      const [first, ...others] = bits.map((each) => withNaN(dtype, words, each));
      for (const other of others) assert.deepStrictEqual(other, first);
      const sign = words === 'int64' ? -(1n << 63n) : -(2 ** (Number(words.slice(3)) - 1));
      const [zero, negativeZero, one] = [0, sign, 1].map((each) => withNaN(dtype, words, each));
      assert.notDeepStrictEqual(zero, negativeZero);
      assert.notDeepStrictEqual(zero, one);
      assert.notDeepStrictEqual(zero, first);
    });
  }

  it('shows the elements of small tensors that differ', () => {
    assert.throws(
      () => assert.deepStrictEqual(tensor([1, 2]), tensor([1, 3])),
      /int64\[2\] \[1, 2\][^]*int64\[2\] \[1, 3\]/,
    );
  });

  it('reads nothing of a tensor that is gone, sparse or a batch, which equals itself only', () => {
    const gone = ones([1]);
    gone.dispose();
    const sparse = ones([2]).toSparse();
    for (const odd of [gone, sparse]) {
      assert.deepStrictEqual(odd, odd);
      assert.notDeepStrictEqual(odd, ones([1]));
      expect(Object.prototype.toString.call(odd)).to.match(/^\[object Tensor \d+\]$/);
    }
    assert.notDeepStrictEqual(sparse, ones([2]).toSparse());
    func.vmap((row: Tensor) => {
      expect(Object.prototype.toString.call(row)).to.match(/^\[object Tensor /);
      return row;
    })(ones([2, 2]));
  });

  it('goes by the class as well where it is strict', () => {
    assert.notDeepStrictEqual(new nn.Parameter(ones([2])), ones([2]));
    assert.notDeepStrictEqual(copyOfLibrary().ones([2]), ones([2]));
  });
});

describe('JSON and messages of tensors', () => {
  it('write nested arrays', () => {
    expect(JSON.stringify({ x: tensor([[1, 2], [3, 4.5]]) })).to.equal('{"x":[[1,2],[3,4.5]]}'); // prettier-ignore
    expect(JSON.stringify([tensor({ re: 1, im: 2 }), tensor([NaN, Infinity]), tensor(true)])).to.equal(
      '[{"re":1,"im":2},[null,null],true]',
    );
  });

  it('refuse what JSON does not hold, and what is too much', () => {
    expect(() => JSON.stringify(tensor(2n ** 60n))).to.throw(AiforgeError, /1152921504606846976/);
    expect(() => JSON.stringify(zeros([1000, 1001]))).to.throw(
      AiforgeError,
      /float32\[1000, 1001\].*a million|1000000 elements/,
    );
    expect(JSON.stringify(zeros([1000, 1000])).length).to.equal(2 * 1e6 + 1001 + 1000);
  });

  it('never make an empty object of a tensor', () => {
    const { port1 } = new MessageChannel();
    const x = new nn.Parameter(ones([2]));
    for (const send of [structuredClone, serialize, (value: unknown) => port1.postMessage(value)]) {
      for (const value of [x, { batch: [ones([1])] }]) expect(() => send(value)).to.throw(/share\(\) or transfer\(\)/);
    }
    port1.close();
    expect(fromShared(structuredClone(share(ones([2])))).tolist()).to.deep.equal([1, 1]);
  });
});
