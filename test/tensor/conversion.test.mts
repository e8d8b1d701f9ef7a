import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { arange, tensor, zeros, type Complex, type DType, type NestedArray, type Tensor } from '#lib/tensor/index.js';
import { reference } from '../support/reference.mjs';

type Written = number | boolean | string;
type Element = number | bigint | boolean | Complex;

interface Case {
  dtype: DType;
  values: Written[];
  bytes: string;
  list: Written[];
}

const names: Record<string, number> = { nan: NaN, inf: Infinity, '-inf': -Infinity, '-0.0': -0 };

function read(value: Written): Element {
  if (typeof value !== 'string') return value;
  if (value.includes(' ')) {
    const [re, im] = value.split(' ').map((part) => Number(read(part)));
    return { re: re!, im: im! };
  }
  if (value in names) return names[value]!;
  return /^-?\d{16,}$/.test(value) ? BigInt(value) : Number(value);
}

function check(cases: Case[]): void {
  for (const { dtype, values, bytes, list } of cases) {
    const given = values.map(read);
    const made = tensor(given, { dtype });
    expect(made.dtype).to.equal(dtype);
    const copy = made.toTypedArray();
    expect(Buffer.from(copy.buffer).toString('hex'), dtype).to.equal(bytes);
    const expected = list.map(read);
    // Once element by element, once as part of a large tensor, which is read in another way.
    expect(made.tolist(), dtype).to.deep.equal(expected);
    const large = tensor([given, ...Array<Element[]>(120).fill(given)], { dtype });
    expect(large.tolist<Element[][]>()[120], dtype).to.deep.equal(expected);
    expect(
      given.map((_, i) => made.at(i).item()),
      dtype,
    ).to.deep.equal(expected);
    expect(tensor(given[0]!, { dtype }).tolist(), dtype).to.deep.equal(expected[0]);
  }
}

describe('conversion', () => {
  it('makes of numbers what Python recorded, in every dtype, and gives them back', () => {
    const { cases } = JSON.parse(readFileSync('test/fixtures/conversion.json', 'utf8')) as { cases: Case[] };
    expect(cases).to.have.length(20);
    check(cases);
  });

  it('makes of numbers what Python makes now', function () {
    check((JSON.parse(reference(this, 'conversion.py', '--json')) as { cases: Case[] }).cases);
  });

  describe('tolist()', () => {
    const shapes = [[], [0], [2, 0], [0, 2], [3], [1, 1], [2, 3], [96], [97], [4, 5, 6], [2, 1, 3, 40]];
    const nested = (sizes: number[], leaf: (position: number) => Element, next = { position: 0 }): NestedArray =>
      sizes.length === 0
        ? leaf(next.position++)
        : Array.from({ length: sizes[0]! }, () => nested(sizes.slice(1), leaf, next));

    for (const dtype of ['float32', 'int64', 'int16', 'bfloat16', 'complex64'] as const) {
      it(`nests as many deep as there are dimensions: ${dtype}`, () => {
        for (const shape of shapes) {
          const count = shape.reduce((product, size) => product * size, 1);
          const made = arange(count).reshape(shape).remainder(100).to(dtype);
          const leaf = (i: number) => (dtype === 'complex64' ? { re: i % 100, im: 0 } : i % 100);
          expect(made.tolist()).to.deep.equal(nested(shape, leaf));
        }
      });
    }

    it('reads views as they are seen', () => {
      const views: Tensor[] = [arange(6).view(2, 3).t(), arange(240).view(12, 20).t().at('::3', '1::2')];
      for (const view of views) expect(view.tolist()).to.deep.equal(view.contiguous().tolist());
      const conjugate = tensor([{ re: 1, im: 2 }]).conj();
      expect(conjugate.tolist()).to.deep.equal([{ re: 1, im: -2 }]);
      expect(conjugate.imag.tolist()).to.deep.equal([-2]);
      expect(zeros([2]).expand(3, 2).tolist()).to.deep.equal([
        [0, 0],
        [0, 0],
        [0, 0],
      ]);
    });

    it('mixes numbers and bigints as they need it', () => {
      const large = zeros([200], { dtype: 'int64' }).set(7, 2n ** 60n + 1n);
      const list = large.tolist<(number | bigint)[]>();
      expect(list[7]).to.equal(2n ** 60n + 1n);
      expect(list[8]).to.equal(0);
    });

    it('says that a tensor without data has none', () => {
      expect(() => zeros([2], { device: 'meta' }).tolist()).to.throw(/meta tensor/);
    });
  });
});
