import { expect } from 'chai';
import { ones, tensor, type Tensor } from 'aiforge';
import { MaxMetric, MeanMetric, MinMetric, SumMetric, type AggregationOptions, type Metric } from 'aiforge/metrics';
import { refusalOf } from '../support/refusal.mjs';
import { likeTorchmetrics } from './recordedCases.mjs';
import { typedItem } from './typedItems.mjs';

const said = (work: () => unknown): string => refusalOf(work).message;
type Aggregation = Metric<[value: Tensor | number]>;
const classes: Record<string, new (options?: AggregationOptions) => Aggregation> = {
  MaxMetric,
  MinMetric,
  SumMetric,
  MeanMetric,
};

// A number in a batch may be NaN, of which JSON has none.
const item = (value: unknown): unknown => (value === null ? NaN : typedItem(value));

describe('aggregation metrics', () => {
  const ofClass = Object.entries(classes).flatMap(([name, Class]) => [
    [name, () => new Class({ nanStrategy: 'error' })] as const,
    [`${name} warn`, () => new Class()] as const,
    [`${name} ignore`, () => new Class({ nanStrategy: 'ignore' })] as const,
    [`${name} ignore all`, () => new Class({ nanStrategy: 'ignore' })] as const,
    [`${name} disable`, () => new Class({ nanStrategy: 'disable' })] as const,
    [`${name} 7`, () => new Class({ nanStrategy: 7 })] as const,
  ]);
  likeTorchmetrics(
    'metrics_aggregation.py',
    {
      ...Object.fromEntries(ofClass),
      'MeanMetric weights': () => new MeanMetric(),
      'MeanMetric weights of 0': () => new MeanMetric(),
      'MeanMetric weights ignore': () => new MeanMetric({ nanStrategy: 'ignore' }),
      'MeanMetric weights 7': () => new MeanMetric({ nanStrategy: 7 }),
    },
    { prepare: item },
  );

  for (const [name, Class] of Object.entries(classes)) {
    it(`${name} refuses NaN and what are no numbers, and counts nothing of it`, () => {
      const metric = new Class({ nanStrategy: 'error' });
      metric.update(tensor([3, 3]));
      const value = metric.compute().item();
      expect(said(() => metric.update(tensor([1, NaN])))).to.match(/got NaN among them; another nanStrategy takes it/);
      expect(said(() => metric.update('1' as never))).to.match(
        /value must be a number or a Tensor of real numbers, got '1'/,
      );
      expect(said(() => metric.update(ones([2], { dtype: 'complex64' })))).to.match(/real numbers, got complex64/);
      expect([metric.compute().item(), metric.updateCount]).to.deep.equal([value, 1]);
    });

    it(`${name} adds up what others have, and leaves a tensor with NaN as it is`, () => {
      const [one, other] = [new Class({ nanStrategy: 2 }), new Class({ nanStrategy: 2 })];
      const given = tensor([NaN, 5]);
      one.update(given);
      other.update(tensor([1, 1, 1], { dtype: 'int64' }));
      one.merge(other);
      const expected = { MaxMetric: 5, MinMetric: 1, SumMetric: 10, MeanMetric: 2 }[name];
      expect(one.compute().item()).to.equal(expected);
      expect(one.compute().dtype).to.equal('float64');
      expect(given.tolist()).to.deep.equal([NaN, 5]);
    });

    it(`${name} refuses other strategies`, () => {
      for (const nanStrategy of ['drop', NaN, null]) {
        expect(said(() => new Class({ nanStrategy: nanStrategy as never }))).to.match(
          /nanStrategy must be 'error', 'warn'/,
        );
      }
    });
  }

  it('MeanMetric keeps weights when NaN is let through', () => {
    const metric = new MeanMetric({ nanStrategy: 'disable' });
    metric.update(tensor([1, 5]), tensor([3, 1]));
    expect(metric.compute().item()).to.equal(2);
  });

  it('MeanMetric refuses weights of another shape', () => {
    const metric = new MeanMetric();
    for (const weight of [ones([3]), ones([2, 2, 1]), ones([1, 2, 2]), ones([2], { device: 'meta' })]) {
      expect(said(() => metric.update(ones([2, 2]), weight))).to.match(
        /broadcast to the value's, \[2, 2\], got float32/,
      );
    }
    expect(metric.updateCount).to.equal(0);
  });

  it('sums keep their digits beyond those of float32', () => {
    const metric = new SumMetric();
    metric.update(2 ** 24);
    for (let i = 0; i < 3; ++i) metric.update(1);
    expect(metric.compute().item()).to.equal(2 ** 24 + 3);
  });
});
