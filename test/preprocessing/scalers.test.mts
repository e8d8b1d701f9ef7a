import { tensor, type Tensor } from 'aiforge';
import * as preprocessing from 'aiforge/preprocessing';
import { Moments } from '#lib/preprocessing/numbers/moments.js';
import { expect } from 'chai';

import { refusalOf } from '../support/refusal.mjs';

const refusal = (work: () => unknown): string => refusalOf(work).message;

const { MinMaxScaler, RobustScaler, StandardScaler, SimpleImputer, KBinsDiscretizer } = preprocessing;

const listOf = (column: Tensor | string[] | undefined): unknown => (column as Tensor).tolist();

describe('scalers', () => {
  const table = {
    age: tensor([20, 30, 40, 50], { dtype: 'float32' }),
    price: tensor([1, 2, 3, 4], { dtype: 'float64' }),
  };

  it('give columns for columns, a row for a row, a matrix for a matrix, of the same numbers', () => {
    const scaler = new MinMaxScaler();
    scaler.fit(table);
    const { age, price } = scaler.transform(table);
    expect(listOf(age)).to.deep.equal([0, 1 / 3, 2 / 3, 1].map(Math.fround));
    expect((age as Tensor).dtype).to.equal('float32');
    expect((price as Tensor).dtype).to.equal('float64');
    expect(scaler.transform({ price: 4, age: 50 })).to.deep.equal({ age: 1, price: 1 });
    const matrix = tensor([[20, 1], [50, 4]]); // prettier-ignore
    scaler.fit(matrix);
    expect(scaler.featureNames()).to.deep.equal(['x0', 'x1']);
    expect(scaler.transform(matrix).tolist()).to.deep.equal([[0, 0], [1, 1]]); // prettier-ignore
    expect(scaler.transform(tensor([20, 4])).tolist()).to.deep.equal([0, 1]);
  });

  it('learn the same of one table, of batches, of rows and of what is waited for', async () => {
    const rows = [20, 30, 40, 50].map((age, i) => ({ age, price: i + 1 }));
    async function* later() {
      for (const row of rows) yield await Promise.resolve(row);
    }
    for (const make of [() => new StandardScaler(), () => new MinMaxScaler(), () => new RobustScaler()]) {
      const [whole, byRows, batches, waiting] = [make(), make(), make(), make()];
      whole.fit(table);
      byRows.fit(rows);
      batches.fit([{ age: tensor([20]), price: tensor([1]) }, ...rows.slice(1)]);
      const promise = waiting.fit(later());
      expect(promise).to.be.a('promise');
      await promise;
      for (const other of [byRows, batches, waiting]) expect(other.state()).to.deep.equal(whole.state());
    }
  });

  it('take a new set of numbers with a new fit, and keep the old one where fit fails', () => {
    const scaler = new StandardScaler();
    scaler.fit({ x: tensor([1, 3]) });
    const before = scaler.state();
    expect(refusal(() => scaler.fit({ x: tensor([1, Infinity]) }))).to.match(/'x' has Infinity/);
    expect(scaler.state()).to.deep.equal(before);
    scaler.fit({ y: tensor([10, 30]) });
    expect(scaler.transform({ y: 30 })).to.deep.equal({ y: 1 });
  });

  it('leave NaN as it is and do not count it', () => {
    const x = tensor([0, NaN, 10], { dtype: 'float64' });
    for (const scaler of [new StandardScaler(), new MinMaxScaler(), new RobustScaler()]) {
      scaler.fit({ x });
      const [low, missing, high] = listOf(scaler.transform({ x }).x) as number[];
      expect(missing).to.be.NaN;
      expect(high).to.be.greaterThan(low!);
    }
  });

  it('only centre a column that is constant', () => {
    for (const scaler of [new StandardScaler(), new RobustScaler(), new MinMaxScaler()]) {
      scaler.fit({ x: tensor([0.1, 0.1, 0.1], { dtype: 'float64' }) });
      expect(scaler.transform({ x: 0.1 }).x).to.be.closeTo(0, 1e-15);
      expect(scaler.transform({ x: 1.1 }).x).to.be.closeTo(1, 1e-15);
    }
  });

  it('heed their options', () => {
    const x = tensor([0, 10, 20]);
    const fitted = <T extends preprocessing.TablePreprocessor>(scaler: T): T => {
      scaler.fit({ x });
      return scaler;
    };
    expect(fitted(new StandardScaler({ withMean: false, withStd: false })).transform({ x: 7 }).x).to.equal(7);
    const clipped = fitted(new MinMaxScaler({ featureRange: [-1, 1], clip: true }));
    expect(clipped.transform({ x: 100 }).x).to.equal(1);
    expect(fitted(new MinMaxScaler()).transform({ x: 100 }).x).to.equal(5);
    expect(fitted(new RobustScaler({ withCentering: false, quantileRange: [0, 100] })).transform({ x: 10 }).x).to.equal(0.5); // prettier-ignore
  });

  it('refuse what they cannot use, and say what and where', () => {
    const scaler = new StandardScaler();
    expect(refusal(() => scaler.transform({ x: 1 }))).to.match(/learnt nothing yet: call fit or load/);
    expect(refusal(() => scaler.inverseTransform({ x: 1 }))).to.match(/learnt nothing yet/);
    expect(refusal(() => scaler.featureNames())).to.match(/learnt nothing yet/);
    expect(refusal(() => scaler.state())).to.match(/learnt nothing yet/);
    expect(refusal(() => scaler.fit([]))).to.match(/no items came/);
    expect(refusal(() => scaler.fit({ x: tensor([NaN]) }))).to.match(/'x' has no number that is not NaN/);
    expect(refusal(() => scaler.fit({ x: ['a'] }))).to.match(/'x' is of strings, such as 'a'/);
    expect(refusal(() => scaler.fit(table, { withMean: false }))).to.match(/takes no arguments, got withMean/);
    expect(refusal(() => scaler.fit(5 as never))).to.match(/expected batches or rows/);
    expect(refusal(() => scaler.fit([{ x: tensor([1, 2]), y: tensor([1]) }]))).to.match(/'x' has 2 and 'y' has 1/);
    expect(refusal(() => scaler.fit([{ x: tensor([[1]]) }]))).to.match(/must be a tensor \[rows\]/);
    expect(refusal(() => scaler.fit([{ x: [1, 2] as never }]))).to.match(/array, which holds strings, but row 0 is 1/);
    expect(refusal(() => scaler.fit([{ x: 1 }, { y: 1 }]))).to.match(/'x' must be a number/);
    expect(refusal(() => scaler.fit([{ x: 1 }, { x: 'a' }]))).to.match(/has strings and numbers/);
    expect(refusal(() => scaler.fit([{ x: tensor([1]) }, { z: tensor([1]) }]))).to.match(/'x' is missing/);
    scaler.fit(table);
    expect(refusal(() => scaler.transform({ agee: 1, price: 2 }))).to.match(/'age' is missing.*Did you mean 'agee'\?/);
    expect(refusal(() => scaler.transform({ age: 1, price: 2, more: 3 }))).to.match(/'more' was not there in fit/);
    expect(refusal(() => scaler.transform(tensor([[1, 2, 3]])))).to.match(/'age' is missing/);
    expect(refusal(() => scaler.transform(tensor(1)))).to.match(/expected a tensor of numbers/);
    expect(refusal(() => new StandardScaler({ withMeen: true } as never))).to.match(/withMean/);
    expect(refusal(() => new MinMaxScaler({ featureRange: [1, 0] }))).to.match(/rising/);
    expect(refusal(() => new RobustScaler({ quantileRange: [75, 25] }))).to.match(/rising/);
    expect(refusal(() => new RobustScaler({ quantileRange: [0, 75], unitVariance: true }))).to.match(/unitVariance/);
  });

  it('take a column of any name', () => {
    const columns = Object.fromEntries([['__proto__', tensor([1, 3])], ['constructor', tensor([2, 2])]]); // prettier-ignore
    const scaler = new StandardScaler();
    scaler.fit(columns);
    const made = scaler.transform(columns);
    expect(Object.keys(made)).to.deep.equal(['__proto__', 'constructor']);
    expect(listOf(Object.getOwnPropertyDescriptor(made, '__proto__')!.value as Tensor)).to.deep.equal([-1, 1]);
  });
});

describe('moments', () => {
  it('of parts that are merged are those of the whole, whatever is in the parts', () => {
    const whole = new Moments();
    const values = [1e9 + 4, NaN, 1e9 + 7, 1e9 + 13, 1e9 + 16];
    const column = (numbers: number[]) => tensor(numbers, { dtype: 'float64' }).unsqueeze(1);
    whole.add(column(values));
    const merged = new Moments();
    merged.add(column([]));
    merged.add(column([NaN]));
    for (const value of values) {
      const one = new Moments();
      one.add(column([value]));
      merged.merge(one);
    }
    // The known case of numbers far from zero: a variance of 30 with Bessel's correction, so squares of 90.
    for (const { counts, means, squares } of [whole, merged]) {
      expect([counts[0], means[0], squares[0]]).to.deep.equal([4, 1e9 + 10, 90]);
    }
  });
});

describe('SimpleImputer', () => {
  const x = tensor([1, NaN, 3, 3], { dtype: 'float64' });

  it('fills with mean, median, the most frequent value or a constant', () => {
    const fills = { mean: 7 / 3, median: 3, most_frequent: 3, constant: 0 } as const;
    for (const [strategy, fill] of Object.entries(fills)) {
      const imputer = new SimpleImputer({ strategy: strategy as keyof typeof fills });
      imputer.fit([{ x }]);
      expect(imputer.transform({ x: NaN }), strategy).to.deep.equal({ x: fill });
      expect(imputer.transform({ x: 9 }), strategy).to.deep.equal({ x: 9 });
    }
  });

  it('fills strings and whole numbers, the smaller of values that are as frequent', () => {
    const imputer = new SimpleImputer({ strategy: 'most_frequent', missingValues: '' });
    imputer.fit([{ city: ['Rome', '', 'Oslo'] }]);
    expect(imputer.transform({ city: ['', 'Bonn'] })).to.deep.equal({ city: ['Oslo', 'Bonn'] });
    const whole = new SimpleImputer({ missingValues: -1, strategy: 'most_frequent' });
    const n = tensor([5, -1, 5], { dtype: 'int64' });
    whole.fit({ n });
    expect((whole.transform({ n }).n as Tensor).dtype).to.equal('int64');
    expect(listOf(whole.transform({ n }).n)).to.deep.equal(tensor([5, 5, 5], { dtype: 'int64' }).tolist());
    const constant = new SimpleImputer({ strategy: 'constant', missingValues: '' });
    constant.fit({ city: [''] });
    expect(constant.transform({ city: '' })).to.deep.equal({ city: 'missing_value' });
  });

  it('tells what was missing, and makes it missing again', () => {
    const imputer = new SimpleImputer({ addIndicator: true });
    imputer.fit({ x, y: tensor([1, 2, 3, 4]) });
    expect(imputer.featureNames()).to.deep.equal(['x', 'y', 'missingindicator_x']);
    const made = imputer.transform({ x, y: tensor([1, 2, 3, 4]) });
    expect(listOf(made.missingindicator_x)).to.deep.equal([0, 1, 0, 0]);
    expect(listOf(imputer.inverseTransform(made).x)).to.deep.equal([1, NaN, 3, 3]);
    const silent = new SimpleImputer();
    silent.fit({ x });
    expect(refusal(() => silent.inverseTransform({ x: 1 }))).to.match(/addIndicator: true/);
  });

  it('refuses a column without anything, and strategies that do not fit', () => {
    const empty = { x: tensor([NaN, NaN]) };
    expect(refusal(() => new SimpleImputer().fit(empty))).to.match(/'x' misses everything.*keepEmptyFeatures/);
    const kept = new SimpleImputer({ keepEmptyFeatures: true });
    kept.fit(empty);
    expect(kept.transform({ x: NaN })).to.deep.equal({ x: 0 });
    expect(refusal(() => new SimpleImputer().fit({ x: ['a'] }))).to.match(/have no mean/);
    expect(refusal(() => new SimpleImputer({ fillValue: 3 }))).to.match(/goes with strategy: 'constant'/);
    expect(refusal(() => new SimpleImputer({ strategy: 'constant', fillValue: 'a' }).fit({ x }))).to.match(/fillValue is 'a'/); // prettier-ignore
    expect(refusal(() => new SimpleImputer().fit({ x: tensor([Infinity, 1]) }))).to.match(/infinite/);
  });
});

describe('KBinsDiscretizer', () => {
  it('puts numbers into bins, those beyond into the outer ones, and gives their middles back', () => {
    const bins = new KBinsDiscretizer({ nBins: 3, encode: 'ordinal', strategy: 'uniform' });
    bins.fit({ x: tensor([0, 3]) });
    expect(listOf(bins.transform({ x: tensor([-9, 0, 1, 2.5, 3, 9]) }).x)).to.deep.equal([0, 0, 1, 2, 2, 2]);
    expect(bins.inverseTransform({ x: 1 })).to.deep.equal({ x: 1.5 });
    expect(refusal(() => bins.inverseTransform({ x: 3 }))).to.match(/bins from 0 to 2/);
    expect(refusal(() => bins.transform({ x: NaN }))).to.match(/'x' has NaN.*SimpleImputer/);
  });

  it('makes columns of bins', () => {
    const bins = new KBinsDiscretizer({ nBins: 2 });
    bins.fit({ x: tensor([0, 1, 2, 3]), constant: tensor([5, 5, 5, 5]) });
    expect(bins.featureNames()).to.deep.equal(['x_0', 'x_1', 'constant_0']);
    expect(bins.transform({ x: 3, constant: 5 })).to.deep.equal({ x_0: 0, x_1: 1, constant_0: 1 });
    expect(refusal(() => new KBinsDiscretizer({ nBins: 1 }))).to.match(/2 or more/);
  });
});

describe('a tensor', () => {
  it('is refused where it is not a dense one of the CPU, or of complex numbers', () => {
    const scaler = new StandardScaler();
    expect(refusal(() => scaler.fit({ x: tensor([1, 2]).to('meta') }))).to.match(/'x' must be a dense one on the CPU/);
    expect(refusal(() => scaler.fit(tensor([[1, 2]]).toSparse()))).to.match(/dense one on the CPU/);
    expect(refusal(() => scaler.fit({ x: tensor([1]).to('complex64') }))).to.match(/of real numbers/);
  });
});
