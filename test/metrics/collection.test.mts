import { expect } from 'chai';
import { memory, ones, scope, tensor, zeros, type Tensor } from 'aiforge';
import { MeanAbsoluteError, MeanSquaredError, Metric, MetricCollection } from 'aiforge/metrics';
import { refusalOf } from '../support/refusal.mjs';

const said = (work: () => unknown): string => refusalOf(work).message;

const rows = (...values: number[]) => tensor(values, { dtype: 'float64' });

/** Counts how often it was given a batch, and shares its counts with its like. */
class Largest extends Metric<[numbers: Tensor]> {
  static updates = 0;
  readonly #times: number;

  constructor(times: number) {
    super();
    this.#times = times;
    this.addState('largest', zeros([], { dtype: 'float64' }), 'max');
    this.addState('all', [], 'cat');
  }

  override get stateKey(): string {
    return 'Largest';
  }

  protected override accumulate(numbers: Tensor): void {
    ++Largest.updates;
    this.setState('largest', this.state('largest').maximum(numbers.max()));
    this.append('all', numbers);
  }

  protected override result(): Tensor {
    return this.state('largest').mul(this.#times).add(this.state('all').numel());
  }
}

describe('Metric', () => {
  it('adds up batches, whose own values forward gives', () => {
    const metric = new MeanAbsoluteError();
    expect(metric.forward(rows(1, 2), rows(0, 0)).item()).to.equal(1.5);
    expect(metric.forward(rows(4), rows(0)).item()).to.equal(4);
    expect(metric.compute().item()).to.equal(7 / 3);
    expect(metric.updateCount).to.equal(2);
    metric.reset();
    expect(metric.updateCount).to.equal(0);
    expect(said(() => metric.compute())).to.match(/MeanAbsoluteError.compute: no batch was given to update yet/);
  });

  it('keeps its states beyond scopes and gives values that stay', () => {
    const metric = scope(() => new Largest(1));
    scope(() => metric.update(rows(1, 5)));
    const first = metric.compute();
    scope(() => metric.update(rows(9)));
    expect(first.item()).to.equal(7);
    expect(metric.compute().item()).to.equal(12);
  });

  it('leaves no tensor but its states behind', () => {
    const metric = new MeanSquaredError();
    const batch = [ones([3]), zeros([3])] as const;
    metric.update(...batch);
    const before = memory.stats().tensors;
    for (let i = 0; i < 10; ++i) {
      metric.update(...batch);
      metric.forward(...batch).dispose();
      metric.compute().dispose();
      metric.reset();
      metric.update(...batch);
    }
    expect(memory.stats().tensors).to.equal(before);
  });

  it('is not changed by what is done to a batch afterwards', () => {
    const metric = new Largest(0);
    const batch = rows(1, 2);
    metric.update(batch);
    batch.zero_();
    batch.dispose();
    expect(metric.stateDict().states.all).to.have.nested.property('[0]').that.satisfies((all: Tensor) => String(all.tolist()) === '1,2'); // prettier-ignore
  });

  it('takes in another, and its own saved states', () => {
    const [one, other] = [new Largest(1), new Largest(1)];
    one.update(rows(3));
    other.update(rows(8, 1));
    one.merge(other);
    expect(one.compute().item()).to.equal(11);
    const restored = new Largest(1);
    restored.loadStateDict(one.stateDict());
    expect([restored.compute().item(), restored.updateCount]).to.deep.equal([11, 2]);
    expect(said(() => one.merge(new MeanAbsoluteError() as never))).to.match(/expected a Largest/);
  });

  it('refuses the states of another, and is as it was', () => {
    const metric = new MeanAbsoluteError();
    metric.update(rows(1), rows(0));
    const wide = new MeanAbsoluteError({ numOutputs: 2 }).stateDict();
    expect(said(() => metric.loadStateDict(wide))).to.match(/'sum' of shape \[\], got \[2\]/);
    expect(said(() => metric.loadStateDict(new Largest(1).stateDict()))).to.match(/expected the states sum, count/);
    expect(metric.compute().item()).to.equal(1);
  });

  it('refuses a batch before it counts any of it', () => {
    const metric = new MeanSquaredError();
    metric.update(rows(1), rows(0));
    expect(said(() => metric.update(rows(1, 2), rows(1)))).to.match(/tensors of one shape/);
    expect(said(() => metric.update(1 as never, rows(1)))).to.match(/got 1 and float64\[1\]/);
    const without = ones([1], { device: 'meta' });
    expect(said(() => metric.update(without, without))).to.match(/expected tensors with data/);
    expect([metric.compute().item(), metric.updateCount]).to.deep.equal([1, 1]);
  });
});

describe('MetricCollection', () => {
  it('gives each value by its name', () => {
    const metrics = new MetricCollection([new MeanAbsoluteError(), new MeanSquaredError()], { prefix: 'val_' });
    metrics.update(rows(3), rows(0));
    const values = metrics.compute();
    expect(Object.entries(values).map(([name, value]) => [name, value.item()])).to.deep.equal([
      ['val_MeanAbsoluteError', 3],
      ['val_MeanSquaredError', 9],
    ]);
    const named = new MetricCollection({ mae: new MeanAbsoluteError(), wide: new MeanAbsoluteError() });
    expect(named.forward(rows(2), rows(0)).wide!.item()).to.equal(2);
    expect([...named.metrics.keys()]).to.deep.equal(['mae', 'wide']);
  });

  it('counts once for metrics with the same states', () => {
    Largest.updates = 0;
    const metrics = new MetricCollection({ once: new Largest(1), twice: new Largest(2) });
    metrics.update(rows(3));
    expect(metrics.forward(rows(7)).twice!.item()).to.equal(15);
    expect(Largest.updates).to.equal(2);
    expect(metrics.compute().once!.item()).to.equal(9);
    expect(metrics.compute().twice!.item()).to.equal(16);
    const copy = new MetricCollection({ once: new Largest(1), twice: new Largest(2) });
    copy.loadStateDict(metrics.stateDict());
    expect(copy.compute().twice!.item()).to.equal(16);
    metrics.reset();
    expect(said(() => metrics.compute())).to.match(/no batch/);
  });

  it('refuses what is no metric, and two of one class without names', () => {
    for (const wrong of [[], {}, [1], { a: {} }, null]) {
      expect(said(() => new MetricCollection(wrong as never))).to.match(/an object of metrics by name/);
    }
    const two = () => new MetricCollection([new MeanAbsoluteError(), new MeanAbsoluteError()]);
    expect(said(two)).to.match(/two metrics of one class need names/);
    const other = new MetricCollection([new MeanAbsoluteError()]).stateDict();
    expect(said(() => new MetricCollection([new MeanSquaredError()]).loadStateDict(other))).to.match(
      /expected the metrics MeanSquaredError/,
    );
  });
});
