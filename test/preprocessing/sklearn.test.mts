import { tensor, type Tensor } from 'aiforge';
import * as preprocessing from 'aiforge/preprocessing';
import { murmurHash3 } from '#lib/preprocessing/categories/murmurHash.js';
import { expect } from 'chai';

import { reference } from '../support/reference.mjs';

type Matrix = (number | null)[][];
interface Both {
  transformed: Matrix;
  back: Matrix;
}
interface Cross {
  transformed: Matrix;
  cross: Matrix;
}
interface Table {
  numbers: Matrix;
  gaps: Matrix;
  cities: string[];
  sizes: number[];
  target: number[];
  binary: number[];
  classes: string[];
}

const float64 = (values: readonly unknown[]): Tensor =>
  tensor(JSON.parse(JSON.stringify(values), (_, value: unknown) => value ?? NaN) as number[], { dtype: 'float64' });

/** The largest difference, as a share of the numbers' size; infinite where only one is NaN. */
function distance(got: unknown, expected: Matrix): number {
  const [own, theirs] = [(got as number[][]).flat(), expected.flat()];
  expect(own.length).to.equal(theirs.length);
  return own.reduce((most, value, i) => {
    const other = theirs[i] ?? NaN;
    if (Number.isNaN(value) || Number.isNaN(other)) return Number.isNaN(value) && Number.isNaN(other) ? most : Infinity;
    return Math.max(most, Math.abs(value - other) / Math.max(1, Math.abs(other)));
  }, 0);
}

/** Rows without one of their columns. */
const others = (rows: Matrix, without: number | undefined): Matrix =>
  rows.map((row) => row.filter((_, column) => column !== without));

/** Rows of columns, of those that there are. */
const rowsOf = (columns: preprocessing.TableColumns): unknown[][] => {
  const lists = Object.values(columns).map((column) => (Array.isArray(column) ? column : column.tolist<number[]>()));
  return lists[0]!.map((_, row) => lists.map((list) => list[row]));
};

describe('preprocessing beside scikit-learn', () => {
  let python: Record<string, unknown>;
  let table: Table;
  let categories: { city: string[]; size: string[] };

  before(function () {
    this.timeout(120_000);
    python = JSON.parse(reference(this, 'preprocessing.py')) as Record<string, unknown>;
    table = python['table'] as Table;
    categories = { city: table.cities, size: table.sizes.map((size) => size.toFixed(1)) };
  });

  /** Fitted to all rows at once, and to batches of them. */
  function likePython(
    name: string,
    make: () => preprocessing.TablePreprocessor,
    input: 'gaps' | 'numbers',
    tolerance: number,
    without: { there?: number; back?: number } = {},
  ): void {
    it(`${name}: the same numbers, there and back, also of batches`, () => {
      const matrix = float64(table[input]);
      const { transformed, back: before } = python[name] as Both;
      const expected = { transformed: others(transformed, without.there), back: others(before, without.back) };
      for (const batches of [[matrix], matrix.split(37)]) {
        const own = make();
        own.fit(batches);
        const made = own.transform(matrix) as Tensor;
        const there = others(made.tolist<number[][]>(), without.there);
        expect(distance(there, expected.transformed), 'transformed').to.be.at.most(tolerance);
        const back = others((own.inverseTransform(made) as Tensor).tolist<number[][]>(), without.back);
        expect(distance(back, expected.back), 'back').to.be.at.most(tolerance);
      }
    });
  }

  likePython('standard', () => new preprocessing.StandardScaler(), 'gaps', 2 ** -49, { there: 1 });
  likePython('centred', () => new preprocessing.StandardScaler({ withStd: false }), 'gaps', 1e-9);
  likePython('minMax', () => new preprocessing.MinMaxScaler({ featureRange: [-1, 2] }), 'gaps', 0);
  likePython('robust', () => new preprocessing.RobustScaler(), 'gaps', 0);
  likePython(
    'robust unit',
    () => new preprocessing.RobustScaler({ quantileRange: [10, 80], unitVariance: true }),
    'gaps',
    2 ** -52,
  );
  // Of a column that is constant Python gives NaN back, and here it is the constant.
  const constant = { back: 3 };
  likePython('bins', () => new preprocessing.KBinsDiscretizer({ encode: 'ordinal' }), 'numbers', 0, constant);
  likePython(
    'bins linear',
    () => new preprocessing.KBinsDiscretizer({ encode: 'ordinal', quantileMethod: 'linear', nBins: 7 }),
    'numbers',
    0,
    constant,
  );
  likePython(
    'bins lower',
    () => new preprocessing.KBinsDiscretizer({ encode: 'ordinal', quantileMethod: 'inverted_cdf', nBins: 4 }),
    'numbers',
    0,
    constant,
  );
  likePython('bins uniform', () => new preprocessing.KBinsDiscretizer({ strategy: 'uniform' }), 'numbers', 0, constant);

  it('StandardScaler: nearer to the numbers than Python for a deviation of 1e-2 beside a mean of 1e6', () => {
    const matrix = float64(table.gaps);
    const only = (rows: Matrix): Matrix => rows.map((row) => [row[1]!]);
    const exact = only(python['standard exact'] as Matrix);
    const theirs = distance(only((python['standard'] as Both).transformed), exact);
    for (const batches of [[matrix], matrix.split(37)]) {
      const scaler = new preprocessing.StandardScaler();
      scaler.fit(batches);
      const own = distance(only(scaler.transform(matrix).tolist<number[][]>()), exact);
      expect(own).to.be.below(theirs).and.below(3e-8);
    }
  });

  it('StandardScaler: the same of float32, within its rounding', () => {
    const matrix = float64(table.gaps).to('float32');
    const scaler = new preprocessing.StandardScaler();
    scaler.fit(matrix);
    expect(scaler.transform(matrix).dtype).to.equal('float32');
    // The second column has three digits there: Python takes the mean away in float32.
    const got = others(scaler.transform(matrix).tolist<number[][]>(), 1);
    expect(distance(got, others(python['standard float32'] as Matrix, 1))).to.be.at.most(3e-7);
  });

  for (const strategy of ['mean', 'median', 'most_frequent', 'constant'] as const) {
    it(`SimpleImputer: the same by ${strategy}`, () => {
      const matrix = float64(table.gaps);
      const imputer = new preprocessing.SimpleImputer({
        strategy,
        addIndicator: strategy === 'median',
        fillValue: strategy === 'constant' ? -1 : null,
      });
      imputer.fit(matrix.split(64));
      const got = imputer.transform(matrix).tolist();
      expect(distance(got, python[`impute ${strategy}`] as Matrix)).to.be.at.most(strategy === 'mean' ? 2 ** -50 : 0);
    });
  }

  it('OneHotEncoder and OrdinalEncoder: the same categories, names and codes', () => {
    const hot = new preprocessing.OneHotEncoder();
    hot.fit(categories);
    expect(hot.featureNames()).to.deep.equal(python['categories']);
    expect(distance(rowsOf(hot.transform(categories)), python['one hot'] as Matrix)).to.equal(0);
    const first = new preprocessing.OneHotEncoder({ drop: 'first' });
    first.fit(categories);
    expect(distance(rowsOf(first.transform(categories)), python['one hot first'] as Matrix)).to.equal(0);
    const ordinal = new preprocessing.OrdinalEncoder();
    ordinal.fit(categories);
    expect(distance(rowsOf(ordinal.transform(categories)), python['ordinal'] as Matrix)).to.equal(0);
    const gaps = { x: float64(table.gaps).select(1, 4) };
    const missing = new preprocessing.OrdinalEncoder({ encodedMissingValue: -1 });
    missing.fit(gaps);
    expect(distance(rowsOf(missing.transform(gaps)), python['ordinal gaps'] as Matrix)).to.equal(0);
  });

  const targets: Record<string, [() => Tensor | string[], Partial<preprocessing.TargetEncoderOptions>]> = {
    'target continuous': [() => float64(table.target), {}],
    'target smooth': [() => float64(table.target), { smooth: 5 }],
    'target binary': [() => tensor(table.binary), {}],
    'target classes': [() => table.classes, {}],
  };
  for (const [name, [target, options]] of Object.entries(targets)) {
    it(`TargetEncoder: the same encodings of a ${name}, by all rows and by the other parts`, () => {
      const columns = { ...categories, y: target() };
      const encoder = new preprocessing.TargetEncoder({ target: 'y', shuffle: false, ...options });
      const { transformed, cross } = python[name] as Cross;
      expect(distance(rowsOf(encoder.crossFit(columns)), cross), 'cross').to.be.at.most(2e-15);
      expect(distance(rowsOf(encoder.transform(categories)), transformed), 'all').to.be.at.most(2e-15);
    });
  }

  it('FeatureHasher: the same hashes, places and signs', () => {
    expect((python['texts'] as string[]).map(murmurHash3)).to.deep.equal(python['hashes']);
    const columns = { city: table.cities, n: float64(table.numbers).select(1, 0) };
    const hashed = new preprocessing.FeatureHasher({ nFeatures: 16 }).transform(columns);
    expect(distance(rowsOf(hashed), python['hashed'] as Matrix)).to.equal(0);
    const unsigned = new preprocessing.FeatureHasher({ nFeatures: 7, alternateSign: false }).transform(columns);
    expect(distance(rowsOf(unsigned), python['hashed plain'] as Matrix)).to.equal(0);
  });
});
