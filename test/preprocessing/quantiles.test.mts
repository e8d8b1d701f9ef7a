import { Quantiles } from '#lib/preprocessing/numbers/quantiles.js';
import { expect } from 'chai';

/** Numbers 0 … count - 1 in an order that is the same each time. */
const shuffled = (count: number): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => (i * 7_919 + 13) % count);

const fractions = [0, 0.01, 0.25, 0.5, 0.75, 0.99, 1];

describe('quantiles', () => {
  it('are exact up to a number of values', () => {
    const quantiles = new Quantiles(1000);
    for (const part of [0, 1, 2, 3, 4]) quantiles.add(shuffled(1000).subarray(part * 200, (part + 1) * 200));
    expect(quantiles.isExact).to.equal(true);
    expect(quantiles.rankError).to.equal(0);
    expect(quantiles.at([0, 0.25, 0.5, 1], 'linear')).to.deep.equal([0, 249.75, 499.5, 999]);
    expect(quantiles.at([0.5, 0.5005], 'averaged_inverted_cdf')).to.deep.equal([499.5, 500]);
    expect(quantiles.at([0.5], 'inverted_cdf')).to.deep.equal([499]);
    expect(new Quantiles().at([0.5], 'linear')).to.deep.equal([NaN]);
  });

  for (const [name, order] of Object.entries({
    shuffled: shuffled(100_003),
    rising: Float64Array.from({ length: 100_003 }, (_, i) => i),
    falling: Float64Array.from({ length: 100_003 }, (_, i) => 100_002 - i),
  })) {
    it(`are off by no more than they say beyond that, of ${name} numbers, in little memory`, () => {
      const quantiles = new Quantiles(2000, 512);
      for (let at = 0; at < order.length; at += 777) quantiles.add(order.subarray(at, at + 777));
      expect(quantiles.count).to.equal(100_003);
      expect(quantiles.isExact).to.equal(false);
      expect(quantiles.rankError).to.be.within(500, 1000);
      quantiles.at(fractions, 'linear').forEach((value, i) => {
        expect(Math.abs(value - fractions[i]! * 100_002), String(fractions[i])).to.be.at.most(quantiles.rankError);
      });
    });
  }

  it('of sketches that are merged are as near', () => {
    const order = shuffled(60_013);
    const merged = new Quantiles(2000, 512);
    for (let part = 0; part < 6; ++part) {
      const one = new Quantiles(2000, 512);
      one.add(order.subarray(part * 10_000, part === 5 ? order.length : (part + 1) * 10_000));
      merged.merge(one);
    }
    const few = new Quantiles(2000, 512);
    few.add(Float64Array.of(-1));
    merged.merge(few);
    expect(merged.count).to.equal(60_014);
    merged.at(fractions, 'linear').forEach((value, i) => {
      expect(Math.abs(value - fractions[i]! * 60_012)).to.be.at.most(merged.rankError + 6);
    });
  });
});
