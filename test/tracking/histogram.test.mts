import { ones, tensor, zeros, type Tensor } from 'aiforge';
import { expect } from 'chai';

import { histogramKind, histogramOf, limitsOf } from '#lib/tracking/histogram.js';

describe('histogramOf', () => {
  it('counts 64 intervals from the least to the largest number', () => {
    const histogram = histogramOf(
      tensor([
        [0, 1, 1, 32],
        [63.5, 64, 64, 10],
      ]),
    );
    expect(histogram).to.deep.include({ count: 8, nonFinite: 0, min: 0, max: 64, sum: 235.5 });
    expect(histogram.counts).to.have.length(64);
    const filled = histogram.counts.flatMap((count, i) => (count > 0 ? [[i, count]] : []));
    expect(filled).to.deep.equal([[0, 1], [1, 2], [10, 1], [32, 1], [63, 3]]); // prettier-ignore
    expect(limitsOf(histogram).slice(0, 2)).to.deep.equal([1, 2]);
    expect(limitsOf(histogram).at(-1)).to.equal(64);
  });

  it('counts NaN and infinities apart', () => {
    const histogram = histogramOf(tensor([NaN, 1, Infinity, 2, -Infinity]));
    expect(histogram).to.include({ count: 2, nonFinite: 3, min: 1, max: 2 });
    const none = histogramOf(tensor([NaN]));
    expect(none).to.deep.include({ count: 0, nonFinite: 1, min: null, max: null, counts: [] });
    expect(limitsOf(none)).to.deep.equal([]);
  });

  it('has one interval where all numbers are the same, or as good as', () => {
    expect(histogramOf(ones([5]))).to.deep.include({ min: 1, max: 1, counts: [5] });
    expect(histogramOf(tensor([1, 1 + 2 ** -52], { dtype: 'float64' })).counts).to.deep.equal([2]);
    expect(histogramOf(tensor([-1e308, 1e308], { dtype: 'float64' })).counts).to.deep.equal([2]);
  });

  it('takes whole numbers, booleans and halves, and no other kinds', () => {
    expect(histogramOf(tensor([1, 2, 3], { dtype: 'int64' }))).to.include({ min: 1, max: 3, sum: 6 });
    expect(histogramOf(tensor([true, false]))).to.include({ min: 0, max: 1 });
    expect(histogramOf(ones([2], { dtype: 'bfloat16' }))).to.include({ sum: 2 });
    const wrong: unknown[] = [zeros([0]), zeros([2], { dtype: 'complex64' }), [1, 2], 3];
    expect(wrong.filter((value) => histogramKind.accepts(value))).to.deep.equal([]);
  });

  it('leaves the tensor as it is, with its gradient', () => {
    const weight: Tensor = ones([3]).requiresGrad_();
    histogramOf(weight);
    expect(weight.tolist()).to.deep.equal([1, 1, 1]);
    expect(weight.requiresGrad).to.equal(true);
  });
});
