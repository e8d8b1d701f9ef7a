import { tensor, Tensor } from 'aiforge';
import * as preprocessing from 'aiforge/preprocessing';
import { expect } from 'chai';
import fc from 'fast-check';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { refusalOf } from '../support/refusal.mjs';

const {
  ColumnTransformer,
  FeatureHasher,
  KBinsDiscretizer,
  MinMaxScaler,
  OneHotEncoder,
  OrdinalEncoder,
  Pipeline,
  RobustScaler,
  SimpleImputer,
  StandardScaler,
  TargetEncoder,
} = preprocessing;

type Any = preprocessing.TablePreprocessor;

const numbers = { a: tensor([1, 2.5, NaN, 9], { dtype: 'float64' }), b: tensor([3, 1, 2, 2]) };
const complete = { a: tensor([1, 2.5, 4, 9], { dtype: 'float64' }), b: tensor([3, 1, 2, 2]) };
const texts = { city: ['Oslo', 'Rome', 'Oslo', 'Bonn'], size: tensor([1, NaN, 2, 1], { dtype: 'float64' }) };
const target = { ...texts, y: tensor([0.5, 1, 2, 4]) };

const all: Record<string, [make: () => Any, table: preprocessing.TableColumns]> = {
  StandardScaler: [() => new StandardScaler(), numbers],
  MinMaxScaler: [() => new MinMaxScaler({ clip: true }), numbers],
  RobustScaler: [() => new RobustScaler(), numbers],
  SimpleImputer: [() => new SimpleImputer({ addIndicator: true }), numbers],
  'SimpleImputer of strings': [
    () => new SimpleImputer({ strategy: 'most_frequent', missingValues: '' }),
    { city: texts.city },
  ],
  KBinsDiscretizer: [() => new KBinsDiscretizer({ nBins: 2 }), complete],
  OneHotEncoder: [() => new OneHotEncoder({ drop: 'if_binary' }), texts],
  OrdinalEncoder: [
    () => new OrdinalEncoder({ handleUnknown: 'use_encoded_value', unknownValue: NaN }),
    { city: texts.city },
  ],
  TargetEncoder: [() => new TargetEncoder({ target: 'y' }), target],
  'TargetEncoder of classes': [() => new TargetEncoder({ target: 'y' }), { ...texts, y: ['u', 'v', 'w', 'u'] }],
  FeatureHasher: [() => new FeatureHasher({ nFeatures: 4 }), texts],
  Pipeline: [() => new Pipeline([['fill', new SimpleImputer()], ['scale', new StandardScaler()]]), numbers], // prettier-ignore
  ColumnTransformer: [
    () =>
      new ColumnTransformer([
        ['numbers', new Pipeline([['fill', new SimpleImputer()], ['scale', new StandardScaler()]]), ['size']], // prettier-ignore
        ['texts', new OneHotEncoder(), ['city']],
        ['target', new TargetEncoder({ target: 'y' }), ['city']],
      ]),
    target,
  ],
};

const plain = (item: preprocessing.TableItem): unknown =>
  'tolist' in item && typeof item.tolist === 'function'
    ? (item as Tensor).tolist()
    : Object.entries(item as preprocessing.TableColumns).map(([name, column]) => [name, Array.isArray(column) ? column : column.tolist()]); // prettier-ignore

describe('the state of preprocessors', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(path.join(tmpdir(), 'preprocessing-'))));
  after(() => rmSync(folder, { recursive: true }));

  const withoutTarget = ({ y: _, ...columns }: preprocessing.TableColumns) => columns;

  for (const [name, [make, table]] of Object.entries(all)) {
    it(`of ${name} is saved and loaded, to the bit`, () => {
      const fitted = make();
      fitted.fit([table]);
      const file = path.join(folder, 'state.json');
      fitted.save(file);
      const loaded = make();
      loaded.load(file);
      expect(loaded.state()).to.deep.equal(fitted.state());
      expect(loaded.featureNames()).to.deep.equal(fitted.featureNames());
      const columns = withoutTarget(table);
      expect(plain(loaded.transform(columns))).to.deep.equal(plain(fitted.transform(columns)));
    });

    it(`of ${name} knows what to make of no rows`, () => {
      const fitted = make();
      fitted.fit([table]);
      const none = Object.fromEntries(
        Object.entries(withoutTarget(table)).map(([column, values]) => [
          column,
          Array.isArray(values) ? [] : values.narrow(0, 0, 0),
        ]),
      );
      const made = fitted.transform(none);
      if (Tensor.isTensor(made)) expect(made.shape).to.deep.equal([0, fitted.featureNames().length]);
      else for (const column of Object.values(made)) expect(Array.isArray(column) ? column.length : (column as Tensor).size(0)).to.equal(0); // prettier-ignore
      expect(refusalOf(() => make().fit([])).message).to.match(/no items came/);
    });

    it(`of ${name} is refused where it is damaged, and what was learnt stays`, () => {
      const fitted = make();
      fitted.fit([table]);
      const columns = withoutTarget(table);
      const before = plain(fitted.transform(columns));
      const state = JSON.parse(JSON.stringify(fitted.state())) as Record<string, unknown>;
      const damages: unknown[] = [
        null,
        [],
        5,
        'state',
        {},
        { ...state, version: 2 },
        { ...state, preprocessor: 'Other' },
        { ...state, more: 1 },
        { ...state, columns: [] },
        { ...state, columns: ['a', 'a'] },
        { ...state, options: { other: true } },
        { ...state, learnt: null },
        { ...state, learnt: { ...(state['learnt'] as object), more: 1 } },
        JSON.parse('{"__proto__": {"preprocessor": "x"}}'),
      ];
      // The hasher learns nothing of columns.
      if (name !== 'FeatureHasher' && name !== 'Pipeline' && name !== 'ColumnTransformer') {
        damages.push({ ...state, columns: [...(state['columns'] as string[]), 'more'] });
      }
      for (const damage of damages) {
        const error = refusalOf(() => fitted.restore(damage));
        expect(error.code, JSON.stringify(damage)).to.equal('FILE_INVALID');
        expect(error.message).to.match(/Give what its state\(\) gave, or fit anew/);
      }
      expect(plain(fitted.transform(columns))).to.deep.equal(before);
    });
  }

  it('has numbers that are numbers, each in its place', () => {
    const scaler = new StandardScaler();
    scaler.fit(numbers);
    const state = scaler.state() as { learnt: object };
    for (const learnt of [
      { offset: [1, 2], scale: [1, 0] },
      { offset: [1, 2], scale: [1, -1] },
      { offset: [1, NaN], scale: [1, 1] },
      { offset: [1, null], scale: [1, 1] },
      { offset: [1, '2'], scale: [1, 1] },
      { offset: [1, 2, 3], scale: [1, 1, 1] },
      { offset: [1], scale: [1, 1] },
    ]) {
      expect(refusalOf(() => scaler.restore({ ...state, learnt })).code).to.equal('FILE_INVALID');
    }
    const bins = new KBinsDiscretizer();
    bins.fit({ x: tensor([1, 2, 3]) });
    const other = { ...(bins.state() as object), learnt: { edges: [[3, 2, 1]] } };
    expect(refusalOf(() => bins.restore(other)).message).to.match(/must be two or more that rise/);
    const hot = new OneHotEncoder();
    hot.fit({ x: ['a', 'b'] });
    const twice = { ...(hot.state() as object), learnt: { categories: [{ kind: 'string', values: ['a', 'a'] }] } };
    expect(refusalOf(() => hot.restore(twice)).message).to.match(/each once/);
    const ordinal = new OrdinalEncoder();
    ordinal.fit({ x: ['a'] });
    expect(refusalOf(() => ordinal.restore(hot.state())).message).to.match(/it is of a 'OneHotEncoder'/);
  });

  it('is of the options that were given', () => {
    const scaler = new StandardScaler({ withMean: false });
    const other = new StandardScaler();
    other.fit(numbers);
    expect(refusalOf(() => scaler.restore(other.state())).message).to.match(/made with the options .*"withMean":true/);
  });

  it('is read from a file that is there, and that is JSON', () => {
    const scaler = new StandardScaler();
    expect(refusalOf(() => scaler.load(path.join(folder, 'none.json'))).code).to.equal('FILE_NOT_FOUND');
    writeFileSync(path.join(folder, 'cut.json'), '{"preprocessor": "Stand');
    expect(refusalOf(() => scaler.load(path.join(folder, 'cut.json'))).code).to.equal('FILE_INVALID');
  });
});

describe('inverseTransform', () => {
  const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  const columns = fc
    .integer({ min: 2, max: 12 })
    .chain((rows) => fc.tuple(...[0, 1].map(() => fc.array(finite, { minLength: rows, maxLength: rows }))));

  for (const [name, make] of Object.entries<() => Any>({
    StandardScaler: () => new StandardScaler(),
    MinMaxScaler: () => new MinMaxScaler(),
    RobustScaler: () => new RobustScaler(),
    Pipeline: () => new Pipeline([['a', new RobustScaler()], ['b', new StandardScaler()], ['c', new MinMaxScaler()]]), // prettier-ignore
  })) {
    it(`of ${name} gives any numbers back, within rounding`, () => {
      fc.assert(
        fc.property(columns, ([a, b]) => {
          const table = { a: tensor(a!, { dtype: 'float64' }), b: tensor(b!, { dtype: 'float64' }) };
          const own = make();
          own.fit(table);
          const back = own.inverseTransform(own.transform(table)) as Record<string, Tensor>;
          for (const [column, values] of Object.entries(table)) {
            const most = values.abs().max().item<number>();
            const off = back[column]!.sub(values).abs().max().item<number>();
            expect(off).to.be.at.most(1e-9 * Math.max(1, most));
          }
        }),
        { numRuns: 60 },
      );
    });
  }

  for (const [name, make] of Object.entries<() => Any>({
    OneHotEncoder: () => new OneHotEncoder(),
    'OneHotEncoder without the first': () => new OneHotEncoder({ drop: 'first' }),
    OrdinalEncoder: () => new OrdinalEncoder(),
  })) {
    it(`of ${name} gives any strings and numbers back`, () => {
      const rows = fc.array(
        fc.tuple(fc.string({ unit: 'binary', maxLength: 4 }), fc.double({ noDefaultInfinity: true })),
        {
          minLength: 1,
          maxLength: 8,
        },
      );
      fc.assert(
        fc.property(rows, (given) => {
          // Without a second category, nothing is left beside the first.
          fc.pre(new Set(given.map(([text]) => text)).size > 1);
          const x = given.map(([, value]) => value).map((value) => (Object.is(value, -0) ? 0 : value));
          const table = { text: given.map(([text]) => text), x: tensor(x, { dtype: 'float64' }) };
          const own = make();
          own.fit(table);
          const back = own.inverseTransform(own.transform(table)) as preprocessing.TableColumns;
          expect(back.text).to.deep.equal(table.text);
          expect((back.x as Tensor).tolist()).to.deep.equal(x);
        }),
        { numRuns: 60 },
      );
    });
  }
});
