import { expect } from 'chai';
import { manualSeed, ones, randn, tensor, zeros, type Tensor } from 'aiforge';
import {
  ExplainedVariance,
  MeanAbsoluteError,
  MeanAbsolutePercentageError,
  MeanSquaredError,
  MetricCollection,
  PearsonCorrCoef,
  R2Score,
  SpearmanCorrCoef,
  type Metric,
} from 'aiforge/metrics';
import { refusalOf } from '../support/refusal.mjs';
import { likeTorchmetrics } from './recordedCases.mjs';
import { typedItem } from './typedItems.mjs';

const said = (work: () => unknown): string => refusalOf(work).message;
const doubles = (...values: number[]) => tensor(values, { dtype: 'float64' });
const numberOf = (value: Tensor): number => value.item();

describe('regression metrics', () => {
  likeTorchmetrics(
    'metrics_regression.py',
    {
      MeanAbsoluteError: () => new MeanAbsoluteError(),
      'MeanAbsoluteError outputs': () => new MeanAbsoluteError({ numOutputs: 3 }),
      MeanSquaredError: () => new MeanSquaredError(),
      'MeanSquaredError root': () => new MeanSquaredError({ squared: false }),
      'MeanSquaredError outputs': () => new MeanSquaredError({ numOutputs: 3 }),
      MeanAbsolutePercentageError: () => new MeanAbsolutePercentageError(),
      'MeanAbsolutePercentageError of rows': () => new MeanAbsolutePercentageError(),
      'MeanAbsolutePercentageError of zeros': () => new MeanAbsolutePercentageError(),
      'MeanAbsolutePercentageError of none': () => new MeanAbsolutePercentageError(),
      R2Score: () => new R2Score(),
      'R2Score adjusted': () => new R2Score({ adjusted: 2 }),
      'R2Score adjusted by too many': () => new R2Score({ adjusted: 13 }),
      'R2Score mean': () => new R2Score({ numOutputs: 3 }),
      'R2Score raw': () => new R2Score({ numOutputs: 3, multioutput: 'raw_values' }),
      'R2Score raw adjusted': () => new R2Score({ numOutputs: 3, multioutput: 'raw_values', adjusted: 1 }),
      'R2Score weighted': () => new R2Score({ numOutputs: 3, multioutput: 'variance_weighted' }),
      'R2Score flat target': () => new R2Score(),
      'R2Score flat target met': () => new R2Score(),
      'R2Score flat column': () => new R2Score({ numOutputs: 3, multioutput: 'raw_values' }),
      'R2Score flat column weighted': () => new R2Score({ numOutputs: 3, multioutput: 'variance_weighted' }),
      ExplainedVariance: () => new ExplainedVariance(),
      'ExplainedVariance mean': () => new ExplainedVariance({ numOutputs: 3 }),
      'ExplainedVariance raw': () => new ExplainedVariance({ numOutputs: 3, multioutput: 'raw_values' }),
      'ExplainedVariance weighted': () => new ExplainedVariance({ numOutputs: 3, multioutput: 'variance_weighted' }),
      'ExplainedVariance apart': () => new ExplainedVariance(),
      'ExplainedVariance flat column': () => new ExplainedVariance({ numOutputs: 3, multioutput: 'raw_values' }),
      'ExplainedVariance of none': () => new ExplainedVariance(),
      PearsonCorrCoef: () => new PearsonCorrCoef(),
      'PearsonCorrCoef outputs': () => new PearsonCorrCoef({ numOutputs: 3 }),
      'PearsonCorrCoef far from 0': () => new PearsonCorrCoef(),
      'PearsonCorrCoef flat': () => new PearsonCorrCoef(),
      'PearsonCorrCoef of one': () => new PearsonCorrCoef(),
      SpearmanCorrCoef: () => new SpearmanCorrCoef(),
      'SpearmanCorrCoef outputs': () => new SpearmanCorrCoef({ numOutputs: 3 }),
      'SpearmanCorrCoef tied': () => new SpearmanCorrCoef(),
      'SpearmanCorrCoef tied outputs': () => new SpearmanCorrCoef({ numOutputs: 3 }),
      'SpearmanCorrCoef flat': () => new SpearmanCorrCoef(),
      'SpearmanCorrCoef of one': () => new SpearmanCorrCoef(),
    },
    { prepare: typedItem },
  );

  const all: Record<string, () => Metric> = {
    MeanAbsoluteError: () => new MeanAbsoluteError(),
    MeanSquaredError: () => new MeanSquaredError(),
    MeanAbsolutePercentageError: () => new MeanAbsolutePercentageError(),
    R2Score: () => new R2Score(),
    ExplainedVariance: () => new ExplainedVariance(),
    PearsonCorrCoef: () => new PearsonCorrCoef(),
    SpearmanCorrCoef: () => new SpearmanCorrCoef(),
  };

  for (const [name, make] of Object.entries(all)) {
    it(`${name} is the same however the samples are in batches, and in whatever metrics`, () => {
      manualSeed(1);
      const [predictions, targets] = [randn([40]), randn([40])];
      const whole = make();
      whole.update(predictions, targets);
      const value = numberOf(whole.compute());
      for (const sizes of [[1, 39], [13, 0, 13, 14], new Array<number>(40).fill(1)]) {
        const [metric, other] = [make(), make()];
        const parts = [predictions.split(sizes), targets.split(sizes)] as const;
        sizes.forEach((_, i) => (i % 2 === 0 ? metric : other).update(parts[0][i]!, parts[1][i]!));
        metric.merge(other);
        expect(numberOf(metric.compute())).to.be.closeTo(value, 1e-12);
        const ahead = make();
        sizes.forEach((size, i) => size > 1 && ahead.forward(parts[0][i]!, parts[1][i]!));
        sizes.forEach((size, i) => size <= 1 && ahead.update(parts[0][i]!, parts[1][i]!));
        expect(numberOf(ahead.compute())).to.be.closeTo(value, 1e-12);
      }
    });

    it(`${name} takes every real dtype, with the digits of float64`, () => {
      for (const dtype of ['float16', 'bfloat16', 'float32', 'float64', 'int64', 'uint8'] as const) {
        const batch = [tensor([1, 2, 4, 7]), tensor([2, 1, 5, 7])].map((each) => each.to(dtype)) as [Tensor, Tensor];
        const value = make().forward(...batch);
        expect(value.dtype).to.equal('float64');
        expect(value.item()).to.equal(make().forward(batch[0].to('float64'), batch[1].to('float64')).item());
      }
    });

    it(`${name} refuses a wrong batch, and counts nothing of it`, () => {
      const metric = make();
      metric.update(doubles(1, 2, 4), doubles(1, 3, 3));
      const value = numberOf(metric.compute());
      expect(said(() => metric.update(ones([2]), ones([3])))).to.match(/tensors of one shape, got float32\[2\]/);
      expect(said(() => metric.update([1] as never, ones([1])))).to.match(/tensors of one shape/);
      expect(said(() => metric.update(ones([2]), ones([2], { dtype: 'complex64' })))).to.match(/real numbers/);
      expect(said(() => metric.update(ones([2]), ones([2], { device: 'meta' })))).to.match(/on one device/);
      expect([numberOf(metric.compute()), metric.updateCount]).to.deep.equal([value, 1]);
    });
  }

  it('those of columns say how many they expect', () => {
    for (const Class of [R2Score, ExplainedVariance, PearsonCorrCoef, SpearmanCorrCoef]) {
      const batch = [ones([4, 3]), ones([4, 3])] as const;
      expect(said(() => new Class().update(...batch))).to.match(/shape \[batch\], got float32\[4, 3\]; numOutputs: 3/);
      expect(said(() => new Class({ numOutputs: 2 }).update(...batch))).to.match(/of shape \[batch, 2\]/);
      expect(said(() => new Class({ numOutputs: 0 }))).to.match(/numOutputs must be a whole number above 0, got 0/);
      expect(new Class().forward(doubles(1, 2, 3).reshape([3, 1]), doubles(1, 2, 4).reshape([3, 1])).shape).to.deep.equal([]); // prettier-ignore
    }
    expect(said(() => new R2Score({ adjusted: -1 }))).to.match(/adjusted must be a whole number, 0 or more/);
    expect(said(() => new R2Score({ multioutput: 'mean' as never }))).to.match(/multioutput must be 'uniform_average'/);
  });

  it('R2Score needs two samples', () => {
    const metric = new R2Score();
    metric.update(ones([1]), ones([1]));
    expect(said(() => metric.compute())).to.match(/two samples or more, got 1/);
  });

  it('shares and correlations do not depend on where numbers lie, or how large they are', () => {
    manualSeed(2);
    const [predictions, targets] = [randn([50], { dtype: 'float64' }), randn([50], { dtype: 'float64' })];
    for (const Class of [R2Score, ExplainedVariance, PearsonCorrCoef]) {
      const value = numberOf(new Class().forward(predictions, targets));
      const small = new Class().forward(predictions.mul(1e-6), targets.mul(1e-6));
      expect(numberOf(small)).to.be.closeTo(value, 1e-12);
      const metric = new Class();
      for (const i of [0, 1, 2, 3, 4]) {
        const [from, to] = [predictions, targets].map((each) => each.narrow(0, 10 * i, 10).add(1e8)) as [Tensor, Tensor]; // prettier-ignore
        metric.update(from, to);
      }
      expect(numberOf(metric.compute())).to.be.closeTo(value, 1e-6);
    }
  });

  it('a batch of no sample, or of numbers that are all the same, leaves correlations right', () => {
    const metric = new PearsonCorrCoef();
    metric.update(zeros([0]), zeros([0]));
    expect(numberOf(metric.compute())).to.be.NaN;
    metric.update(doubles(0.1, 0.1, 0.1), doubles(1, 2, 4));
    expect(numberOf(metric.compute())).to.be.NaN;
    metric.update(doubles(0.2), doubles(5));
    const value = numberOf(new PearsonCorrCoef().forward(doubles(0.1, 0.1, 0.1, 0.2), doubles(1, 2, 4, 5)));
    expect(numberOf(metric.compute())).to.be.closeTo(value, 1e-12);
  });

  it('NaN makes the value NaN', () => {
    const batch = [doubles(1, NaN, 3, 2), doubles(1, 2, 4, 3)] as const;
    for (const make of Object.values(all)) expect(numberOf(make().forward(...batch))).to.be.NaN;
  });

  it('R2Score and ExplainedVariance count once in a collection', () => {
    const scores = new MetricCollection([new R2Score(), new ExplainedVariance()]);
    scores.update(doubles(1, 2, 4), doubles(1, 2, 3));
    const { R2Score: r2, ExplainedVariance: share } = scores.compute();
    expect(numberOf(r2!)).to.be.closeTo(0.5, 1e-12);
    expect(numberOf(share!)).to.be.closeTo(2 / 3, 1e-12);
  });
});
