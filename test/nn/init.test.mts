import { manualSeed, zeros } from 'aiforge';
import * as nn from 'aiforge/nn';
import { expect } from 'chai';

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
        .item<number>(),
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
});
