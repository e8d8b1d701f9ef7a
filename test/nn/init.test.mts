import { Generator, manualSeed, rand, zeros, type DType, type Tensor } from 'aiforge';
import * as nn from 'aiforge/nn';
import { expect } from 'chai';

import { reference } from '../support/reference.mjs';
import { camelCase } from './reference.mjs';
import { toBytes, type Bytes } from './replay.mjs';

interface Recorded {
  init: string;
  shape: number[];
  dtype: DType;
  options: Record<string, unknown>;
  seed: number | null;
  made: Bytes | null;
  next: Bytes;
}

type Initialiser = (tensor: Tensor, options?: Record<string, unknown>) => Tensor;

const invalid = (make: () => unknown, message: RegExp): void => {
  expect(make).to.throw(message).with.property('code', 'INVALID_ARGUMENT');
};

describe('init', () => {
  it('takes options by position and by name', () => {
    manualSeed(0);
    const a = nn.init.uniform_(zeros([3]), -2, 3);
    manualSeed(0);
    const b = nn.init.uniform_(zeros([3]), { a: -2, b: 3 });
    expect(a.equal(b)).to.equal(true);
    expect(nn.init.constant_(zeros([1]), 3).item()).to.equal(3);
    expect(
      nn.init
        .normal_(zeros([1000]), 5, 0.1)
        .mean()
        .item(),
    ).to.be.closeTo(5, 0.05);
  });

  it('refuses shapes and names that make no sense', () => {
    invalid(() => nn.init.xavierUniform_(zeros([3])), /2 dimensions or more, got \[3\]/);
    invalid(
      () => nn.init.kaimingUniform_(zeros([3, 3]), { mode: 'fan' as 'fan_in' }),
      /'fan_in' or 'fan_out', got 'fan'/,
    );
    invalid(() => nn.init.calculateGain('swish' as 'relu'), /swish/);
    invalid(() => nn.init.eye_(zeros([3])), /2 dimensions/);
    invalid(() => nn.init.orthogonal_(zeros([3])), /2 dimensions/);
    invalid(() => nn.init.dirac_(zeros([3, 3])), /3, 4 or 5/);
  });

  it('draws, fills and refuses what PyTorch does, for odd shapes, dtypes and generators, bit by bit', function () {
    for (const record of JSON.parse(reference(this, 'modules_losses.py', 'initialisers')) as Recorded[]) {
      const { init, shape, dtype, options, seed } = record;
      const what = JSON.stringify({ init, shape, dtype, options, seed });
      manualSeed(0);
      const initialise = nn.init[camelCase(init) as 'uniform_'] as Initialiser;
      const generator = seed === null ? {} : { generator: new Generator().manualSeed(seed) };
      const given = { ...options, ...generator };
      const rest = Object.keys(given).length === 0 ? [] : [given];
      const made = (): Bytes => toBytes(initialise(zeros(shape, { dtype }), ...rest));
      if (record.made === null) {
        expect(made, what).to.throw();
        continue;
      }
      expect(made(), what).to.deep.equal(record.made);
      expect(toBytes(rand([1])), `${what}: the next number`).to.deep.equal(record.next);
    }
  });

  it("has PyTorch's former names", () => {
    const former = nn.init as unknown as Record<string, Initialiser>;
    const names = Object.keys(nn.init).filter((name) => name.endsWith('_') && `${name.slice(0, -1)}` in former);
    expect(names).to.have.lengthOf(11);
    manualSeed(1);
    const expected = nn.init.xavierUniform_(zeros([2, 3]), 2);
    manualSeed(1);
    expect(former.xavierUniform!(zeros([2, 3]), { gain: 2 }).equal(expected)).to.equal(true);
  });
});
