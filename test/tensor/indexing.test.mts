import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import {
  arange,
  memory,
  slice,
  tensor,
  zeros,
  type DType,
  type Index,
  type IndexArray,
  type NestedArray,
  type Tensor,
} from '#lib/tensor/index.js';
import { AiforgeError } from '#lib/errors.js';
import { collectGarbage } from '../support/garbage.mjs';
import { reference } from '../support/reference.mjs';

interface Listed {
  shape: number[];
  dtype: DType;
  values: (number | null)[];
}

type Entry =
  | 'none'
  | 'ellipsis'
  | { int: number }
  | { bool: boolean }
  | { slice: (number | null)[] }
  | { list: IndexArray }
  | { tensor: NestedArray; dtype: DType; shape: number[] };

interface Case {
  action: 'get' | 'put';
  shape: number[];
  dtype: DType;
  transposed: boolean;
  indices: Entry[];
  value?: number | boolean | { shape: number[]; dtype: DType };
  result?: Listed;
  after?: Listed;
  grad?: Listed;
  error?: string;
}

function indexOf(entry: Entry, position: number): Index {
  if (entry === 'none') return null;
  if (entry === 'ellipsis') return '...';
  if ('int' in entry) return position % 3 === 2 ? BigInt(entry.int) : entry.int;
  if ('bool' in entry) return entry.bool;
  if ('list' in entry) return entry.list;
  if ('tensor' in entry) return tensor(entry.tensor, { dtype: entry.dtype }).reshape(entry.shape);
  const [start, stop, step] = entry.slice;
  if (position % 2 === 0) return slice(start, stop, step);
  const text = `${start ?? ''}:${stop ?? ''}`;
  return step === null ? text : `${text}:${step}`;
}

const product = (sizes: number[]) => sizes.reduce((all, size) => all * size, 1);

function base({ shape, dtype, transposed }: Case): Tensor {
  const x = arange(product(shape)).reshape(shape).to(dtype);
  return transposed ? x.transpose(-2, -1) : x;
}

function valueOf(value: NonNullable<Case['value']>): Tensor | number | boolean {
  if (typeof value !== 'object') return value;
  return arange(product(value.shape)).reshape(value.shape).add(50).to(value.dtype);
}

function listed(x: Tensor): Listed {
  const wide = x.detach().to('float64');
  return { shape: x.shape, dtype: x.dtype, values: wide.reshape(-1).tolist<number[]>() };
}

function run(test: Case): { result?: Listed; after: Listed; grad?: Listed } {
  const x = base(test);
  const indices = test.indices.map(indexOf);
  if (test.action === 'put') {
    const isAlone = indices.length === 1 && !Array.isArray(indices[0]);
    expect(x.set(isAlone ? indices[0]! : indices, valueOf(test.value!))).to.equal(x);
    return { after: listed(x) };
  }
  const part = x.at(...indices);
  const result = listed(part);
  if (test.dtype !== 'float64') return { result, after: listed(filled(part, x)) };
  const leaf = base(test).clone().requiresGrad_();
  const ofLeaf = leaf.at(...indices);
  ofLeaf.mul(arange(ofLeaf.numel()).reshape(ofLeaf.shape)).sum().backward();
  return { result, after: listed(filled(part, x)), grad: listed(leaf.grad!) };
}

function filled(part: Tensor, whole: Tensor): Tensor {
  part.fill_(1);
  return whole;
}

function failure(action: () => unknown): AiforgeError {
  try {
    action();
  } catch (error) {
    expect(error).to.be.instanceOf(AiforgeError);
    return error as AiforgeError;
  }
  throw new Error('it was not refused');
}

/** The part of Python's message that ours has too: C++ names types otherwise, and no method of Python's. */
function reasonIn({ error, shape, indices }: Case): string {
  // Python reads a size that is not there, once it has the value.
  const [first] = indices;
  if (error!.includes('value cannot be converted')) return error!;
  if (shape.length === 0 && indices.length === 1 && typeof first === 'object' && 'int' in first) {
    return 'invalid index of a 0-dim tensor';
  }
  return error!
    .split('\n')[0]!
    .replace(/\. Use `tensor.item.*/, '')
    .replace(/^expand\(torch.*?\{/, '{');
}

function check(cases: Case[]): void {
  cases.forEach((test, number) => {
    const name = `case ${number}: ${JSON.stringify(test)}`;
    if (test.error === undefined) {
      const { result, after, grad } = test;
      const expected = JSON.parse(JSON.stringify({ result, after, grad })) as object;
      expect(run(test), name).to.deep.equal(expected);
    } else {
      expect(failure(() => run(test)).message, name).to.include(reasonIn(test));
    }
  });
}

describe('indexing', () => {
  it('gets and puts as recorded from Python, errors included', () => {
    const { cases } = JSON.parse(readFileSync('test/fixtures/indexing.json', 'utf8')) as { cases: Case[] };
    expect(cases.length).to.be.greaterThan(300);
    check(cases);
  });

  it('gets and puts as Python does now, with other indices', function () {
    this.timeout(120_000);
    const seed = Date.now() % 1_000_000;
    console.log(`      seed ${seed}`);
    const document = reference(this, 'indexing.py', '--random', String(seed), '800');
    check((JSON.parse(document) as { cases: Case[] }).cases);
  });

  describe('at()', () => {
    const x = arange(12).view(3, 4);

    it('gives a view for basic indices, a copy for others', () => {
      const own = arange(12).view(3, 4);
      own.at(1, '::2').fill_(-1);
      own.at([2], '::2').fill_(-2);
      expect(own.tolist()).to.deep.equal([
        [0, 1, 2, 3],
        [-1, 5, -1, 7],
        [8, 9, 10, 11],
      ]);
      expect(own.at().add_(0).shape).to.deep.equal([3, 4]);
    });

    it('puts the dimensions of separated tensors first', () => {
      const big = zeros(2, 3, 4, 5);
      expect(big.at(':', [0, 1], [0, 1]).shape).to.deep.equal([2, 2, 5]);
      expect(big.at([0, 1], ':', [0, 1]).shape).to.deep.equal([2, 3, 5]);
      expect(big.at(':', [0, 1], ':', [0, 1]).shape).to.deep.equal([2, 2, 4]);
      expect(big.at(0, ':', [0, 1], null).shape).to.deep.equal([3, 2, 1, 5]);
    });

    it('takes tensors within arrays, and empty arrays', () => {
      expect(x.at([x.at(0, 1), 0]).tolist()).to.deep.equal([
        [4, 5, 6, 7],
        [0, 1, 2, 3],
      ]);
      expect(x.at([]).shape).to.deep.equal([0, 4]);
      expect(x.at([true, false, true], 0).tolist()).to.deep.equal([0, 8]);
    });

    it('takes arrays of every length, with booleans among integers as integers', () => {
      const long = arange(3000);
      for (const length of [1787, 1788, 1789, 3000]) {
        const list = Array.from({ length }, (_, i) => (i * 7) % 3000);
        expect(long.at(list).tolist()).to.deep.equal(list);
        const mask = Array.from({ length: 3000 }, (_, i) => i < length);
        expect(long.at(mask).numel()).to.equal(length);
      }
      const half = Array.from({ length: 1000 }, (_, i) => i);
      expect(long.view(1000, 3).at(half, half.map(() => 1)).tolist()).to.deep.equal(half.map((i) => 3 * i + 1)); // prettier-ignore
      expect(x.at([true, 2], 0).tolist()).to.deep.equal([4, 8]);
      expect(x.at([1n, -1], [0, 1]).tolist()).to.deep.equal([4, 9]);
      expect(x.clone().set([[0, 1], [true, false, false, true]], 0).sum().item()).to.equal(59); // prettier-ignore
    });

    it('clamps bounds of any size', () => {
      expect(x.at(slice(-(2n ** 80n), 2 ** 52)).shape).to.deep.equal([3, 4]);
      expect(x.at('99999999999999999999:').shape).to.deep.equal([0, 4]);
      expect(x.at(slice(0, 3, 2 ** 53)).shape).to.deep.equal([1, 4]);
    });

    it('passes gradients through views and copies', () => {
      const leaf = zeros([3], { requiresGrad: true });
      leaf.at([0, 0, 2]).sum().add(leaf.at('1:').sum()).backward();
      expect(leaf.grad!.tolist()).to.deep.equal([2, 1, 2]);
      expect(leaf.at(0).gradFn).to.equal('SelectBackward0');
      expect(leaf.at('1:').gradFn).to.equal('SliceBackward0');
      expect(leaf.at([0]).gradFn).to.equal('IndexBackward0');
    });

    const refused: [string, Index[], RegExp][] = [
      [
        'an integer beyond the end',
        [3],
        /at\(int64\[3, 4\], 3\): index 3 is out of bounds for dimension 0 with size 3/,
      ],
      ['a bigint beyond the end', [0, 2n ** 60n], /index 1152921504606846976 is out of bounds for dimension 1/],
      ['a bigint beyond 64 bits', [2n ** 64n], /more than 64 bits/],
      ['too many indices', [0, 0, 0], /too many indices for tensor of dimension 2/],
      ['a fraction', [1.5], /Indices are integers.*got 1.5/],
      ['a number beyond 2^53', [2 ** 53], /Indices are integers/],
      ['fractions in an array', [[0.5]], /Indices are integers/],
      ['undefined', [undefined as never], /got undefined/],
      ['an object', [{ start: 1 } as never], /Indices are integers/],
      ['a text without a colon', ['1'], /The index '1' is no slice/],
      ['a text with a name', ['a:b'], /The index 'a:b' is no slice/],
      ['a text with four parts', ['1:2:3:4'], /no slice/],
      ['a text with a fraction', ['1.5:'], /no slice/],
      ['an empty text', [''], /no slice/],
      ['a step of zero', ['::0'], /step must be greater than zero, got 0/],
      ['a negative step', ['::-1'], /step must be greater than zero, got -1; use flip/],
      ['a tensor of fractions', [tensor([0.5])], /tensors used as indices must be long, int, byte or bool/],
      ['65 indices', Array<null>(65).fill(null), /At most 64 indices/],
    ];
    for (const [what, indices, message] of refused) {
      it(`refuses ${what}`, () => {
        const error = failure(() => x.at(...indices));
        expect(error.message).to.match(message);
        expect(error.code).to.equal('INVALID_ARGUMENT');
        expect(failure(() => x.set(indices, 0)).message).to.match(
          new RegExp(message.source.replace('at\\(', 'set\\(')),
        );
      });
    }

    it('refuses disposed tensors, as operand and as index', () => {
      const gone = zeros([2]);
      gone.dispose();
      expect(failure(() => gone.at(0)).code).to.equal('TENSOR_DISPOSED');
      expect(failure(() => x.at(gone)).code).to.equal('TENSOR_DISPOSED');
      expect(failure(() => x.clone().set(0, gone)).code).to.equal('TENSOR_DISPOSED');
    });

    it('is not confused by indexing within the reading of its own indices', () => {
      const list: unknown = new Proxy([1, 2], {
        get: (target, key) => {
          if (key === '0') x.at(2, '1:3', null);
          return Reflect.get(target, key) as unknown;
        },
      });
      expect(x.at(0, list as IndexArray, null).tolist()).to.deep.equal([[1], [2]]);
    });

    it('leaves nothing behind of the arrays it converts', () => {
      const own = arange(6);
      collectGarbage();
      const before = memory.stats().tensors;
      own.set([[0, 1]], [5, 6]);
      expect(() => own.at([0, 99])).to.throw(/out of bounds/);
      expect(memory.stats().tensors).to.be.at.most(before);
    });
  });

  describe('set()', () => {
    it('takes values of every kind', () => {
      const x = zeros([2, 2], { dtype: 'complex64' });
      x.set([0, 0], { re: 1, im: -2 }).set([0, 1], true).set(1, [3, 4n]);
      expect(x.tolist()).to.deep.equal([
        [
          { re: 1, im: -2 },
          { re: 1, im: 0 },
        ],
        [
          { re: 3, im: 0 },
          { re: 4, im: 0 },
        ],
      ]);
      const wide = zeros([2], { dtype: 'int64' });
      expect(
        wide
          .set(0, 2n ** 62n)
          .set(1, -(2n ** 62n))
          .tolist(),
      ).to.deep.equal([2n ** 62n, -(2n ** 62n)]);
      expect(
        zeros([1], { dtype: 'uint64' })
          .set(0, 2n ** 64n - 1n)
          .tolist(),
      ).to.deep.equal([2n ** 64n - 1n]);
      expect(zeros([1], { dtype: 'float64' }).set(0, -0).at(0).item()).to.equal(-0);
      expect(zeros([2], { dtype: 'bool' }).set('1:', 3).tolist()).to.deep.equal([false, true]);
    });

    it('writes through a view, and records the write', () => {
      const x = zeros([3], { requiresGrad: true });
      const y = x.mul(2);
      y.at('1:').set(0, tensor(5.5));
      expect(y.tolist()).to.deep.equal([0, 5.5, 0]);
      y.sum().backward();
      expect(x.grad!.tolist()).to.deep.equal([2, 0, 2]);
      expect(() => x.set(0, 1)).to.throw(/leaf/);
    });

    it('refuses values that the dtype cannot hold, and what is no value', () => {
      const x = zeros([3], { dtype: 'int8' });
      expect(() => x.set(0, 300)).to.throw(/cannot be converted to type int8_t without overflow/);
      expect(() => x.set(0, { re: 1, im: 1 })).to.throw(/cannot be converted/);
      expect(() => x.set(0, 2n ** 64n)).to.throw(/more than 64 bits/);
      for (const bad of ['1', null, undefined, {}, { re: '1', im: 2 }, () => 1]) {
        expect(() => x.set(0, bad as never)).to.throw(/set: the value must be/);
      }
      expect(x.tolist()).to.deep.equal([0, 0, 0]);
    });
  });
});
