import { arange, tensor } from 'aiforge';
import * as preprocessing from 'aiforge/preprocessing';
import { expect } from 'chai';

import { timesAsLong } from '../support/growth.mjs';

const { ColumnTransformer, OneHotEncoder, OrdinalEncoder, SimpleImputer, StandardScaler, TargetEncoder, Vocabulary } =
  preprocessing;

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `c${i}`);

const often = (work: () => unknown) => (): void => {
  for (let i = 0; i < 20; ++i) work();
};

describe('preprocessors of large tables', () => {
  it('transform a row in the same time, however many categories there are', async () => {
    const ordinal = (count: number) => {
      const encoder = new OrdinalEncoder();
      encoder.fit({ city: names(count), size: arange(count).to('float64') });
      return often(() => encoder.transform({ city: 'c7', size: 7 }));
    };
    const target = (count: number) => {
      const encoder = new TargetEncoder({ target: 'price', targetType: 'continuous' });
      encoder.fit({ city: names(count), price: arange(count).to('float64') });
      return often(() => encoder.transform({ city: 'c7' }));
    };
    for (const work of [ordinal, target]) expect(await timesAsLong(work, { from: 500, to: 50_000 })).to.be.below(10);
  });

  it('name the columns of many categories in time that grows with them', async () => {
    const work = (count: number) => {
      const encoder = new OneHotEncoder();
      encoder.fit({ city: names(count) });
      return () => encoder.featureNames();
    };
    expect(await timesAsLong(work, { from: 1000, to: 32_000 })).to.be.below(150);
  });

  it('take many columns in time that grows with them', async () => {
    const work = (count: number) => {
      const table = Object.fromEntries(names(count).map((name) => [name, tensor([1, 2])]));
      const columns = new ColumnTransformer([['first', new StandardScaler(), ['c0']]], { remainder: 'passthrough' });
      return () => {
        columns.fit(table);
        columns.transform(table);
      };
    };
    expect(await timesAsLong(work, { from: 200, to: 3200 })).to.be.below(60);
  });

  it('take a column with a value for each of many rows', () => {
    const imputer = new SimpleImputer({ strategy: 'most_frequent', missingValues: '' });
    imputer.fit({ city: ['', ...names(200_000)] });
    expect(imputer.transform({ city: '' })).to.deep.equal({ city: 'c0' });
  });

  it('give the tokens of a vocabulary without a copy, which nobody can change', () => {
    const vocabulary = new Vocabulary();
    vocabulary.fit([names(3)]);
    expect(vocabulary.tokens).to.equal(vocabulary.tokens);
    expect(() => (vocabulary.tokens as string[]).push('other')).to.throw(TypeError);
  });
});
