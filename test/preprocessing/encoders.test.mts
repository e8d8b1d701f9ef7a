import { Generator, tensor, type Tensor } from 'aiforge';
import * as preprocessing from 'aiforge/preprocessing';
import { byCodePoints } from '#lib/preprocessing/categories/categories.js';
import { expect } from 'chai';

import { refusalOf } from '../support/refusal.mjs';

const refusal = (work: () => unknown): string => refusalOf(work).message;

const { FeatureHasher, OneHotEncoder, OrdinalEncoder, TargetEncoder } = preprocessing;

const listOf = (column: Tensor | string[] | undefined): unknown => (column as Tensor).tolist();
const float64 = (values: number[]): Tensor => tensor(values, { dtype: 'float64' });

describe('OneHotEncoder', () => {
  const table = { city: ['Rome', 'Oslo', 'Rome'], size: float64([2, NaN, 1]) };

  it('gives a column for each category, and the categories back', () => {
    const encoder = new OneHotEncoder();
    encoder.fit([table]);
    expect(encoder.featureNames()).to.deep.equal(['city_Oslo', 'city_Rome', 'size_1', 'size_2', 'size_nan']);
    const made = encoder.transform(table);
    expect(Object.values(made).map(listOf)).to.deep.equal([[0, 1, 0], [1, 0, 1], [0, 0, 1], [1, 0, 0], [0, 1, 0]]); // prettier-ignore
    const back = encoder.inverseTransform(made);
    expect(back.city).to.deep.equal(table.city);
    expect(listOf(back.size)).to.deep.equal([2, NaN, 1]);
    expect(encoder.transform({ city: 'Oslo', size: NaN })).to.deep.equal({ city_Oslo: 1, city_Rome: 0, size_1: 0, size_2: 0, size_nan: 1 }); // prettier-ignore
  });

  it('leaves a category out, which all zeros stand for then', () => {
    for (const [drop, names] of [
      ['first', ['city_Rome', 'size_2', 'size_nan']],
      ['if_binary', ['city_Rome', 'size_1', 'size_2', 'size_nan']],
    ] as const) {
      const encoder = new OneHotEncoder({ drop });
      encoder.fit(table);
      expect(encoder.featureNames()).to.deep.equal(names);
      expect(encoder.inverseTransform(encoder.transform(table)).city).to.deep.equal(table.city);
    }
  });

  it('refuses values that were not there in fit, or gives them zeros', () => {
    const strict = new OneHotEncoder();
    strict.fit(table);
    expect(refusal(() => strict.transform({ city: ['Rome', 'Bonn'], size: float64([1, 2]) }))).to.match(
      /row 1 of the column 'city' is 'Bonn'.*'Oslo', 'Rome'.*handleUnknown/,
    );
    expect(refusal(() => strict.transform({ city: 'Rome', size: 7 }))).to.match(/'size' is 7/);
    expect(refusal(() => strict.transform({ city: 3, size: 1 }))).to.match(/'city' is of numbers, and was of strings/);
    const zeros = { city_Oslo: 0, city_Rome: 0, size_1: 1, size_2: 0, size_nan: 0 };
    expect(refusal(() => strict.inverseTransform(zeros))).to.match(/row 0 has 0 in all columns of 'city'/);
    const lenient = new OneHotEncoder({ handleUnknown: 'ignore' });
    lenient.fit(table);
    expect(lenient.transform({ city: 'Bonn', size: 1 })).to.deep.equal(zeros);
    expect(lenient.inverseTransform(zeros)).to.deep.equal({ city: '', size: 1 });
  });

  it('takes categories that are given, in their order, and no others', () => {
    const encoder = new OneHotEncoder({ categories: { size: ['s', 'm', 'l'] } });
    encoder.fit({ size: ['l', 's'] });
    expect(encoder.featureNames()).to.deep.equal(['size_s', 'size_m', 'size_l']);
    expect(refusal(() => encoder.fit({ size: ['xl'] }))).to.match(/'xl'/);
    expect(refusal(() => encoder.fit({ other: ['s'] }))).to.match(/names the column 'size'/);
    expect(refusal(() => encoder.fit({ size: ['s'], other: ['s'] }))).to.match(/no array for the column 'other'/);
    expect(refusal(() => encoder.fit({ size: tensor([1]) }))).to.match(/of numbers, and its categories/);
    expect(refusal(() => new OneHotEncoder({ categories: { size: ['s', 's'] } }))).to.match(/each of them once/);
  });

  it('refuses names that are the same, and whole numbers that are not told apart', () => {
    const encoder = new OneHotEncoder();
    encoder.fit({ a: ['b_c'], a_b: ['c'] });
    expect(refusal(() => encoder.featureNames())).to.match(/two columns would be called 'a_b_c'/);
    const large = { id: tensor([2n ** 60n, 1n], { dtype: 'int64' }) };
    expect(refusal(() => encoder.fit(large))).to.match(/'id' has whole numbers beyond 2\^53/);
    expect(refusal(() => encoder.fit([{ a: ['x'] }, { a: tensor([1]) }]))).to.match(
      /strings in one batch and of numbers/,
    );
  });

  it('refuses infinite numbers in fit, and columns of which nothing is left', () => {
    const infinite = { x: tensor([1, Infinity]) };
    expect(refusal(() => new OneHotEncoder().fit(infinite))).to.match(/'x' has infinite numbers/);
    const encoder = new OneHotEncoder({ handleUnknown: 'ignore' });
    encoder.fit({ x: tensor([1, 2]) });
    expect(encoder.transform({ x: -Infinity })).to.deep.equal({ x_1: 0, x_2: 0 });
    expect(refusal(() => new OneHotEncoder({ drop: 'first' }).fit({ x: ['a', 'a'] }))).to.match(/leaves none/);
  });

  it('orders strings by code points, as Python does', () => {
    const texts = ['\u{1D54F}', '\uFFEE', 'a', '', 'ab'];
    expect([...texts].sort(byCodePoints)).to.deep.equal(['', 'a', 'ab', '\uFFEE', '\u{1D54F}']);
  });
});

describe('OrdinalEncoder', () => {
  it('gives places and takes them back', () => {
    const encoder = new OrdinalEncoder();
    encoder.fit({ x: ['b', 'a', 'c'], y: float64([3, NaN, 1]) });
    expect(encoder.transform({ x: 'c', y: 3 })).to.deep.equal({ x: 2, y: 1 });
    expect(encoder.transform({ x: 'a', y: NaN })).to.deep.equal({ x: 0, y: NaN });
    expect(encoder.inverseTransform({ x: 2, y: NaN })).to.deep.equal({ x: 'c', y: NaN });
    for (const x of [3, -1, 0.5, NaN])
      expect(
        refusal(() => encoder.inverseTransform({ x, y: 0 })),
        String(x),
      ).to.match(/no place of 3 categories/);
  });

  it('has a number for values that were not there', () => {
    for (const unknownValue of [-1, 99, NaN]) {
      const encoder = new OrdinalEncoder({ handleUnknown: 'use_encoded_value', unknownValue });
      encoder.fit({ x: ['a', 'b'] });
      expect(encoder.transform({ x: 'z' })).to.deep.equal({ x: unknownValue });
      expect(encoder.inverseTransform({ x: unknownValue })).to.deep.equal({ x: '' });
      expect(refusal(() => encoder.inverseTransform({ x: 5 }))).to.match(/no place/);
    }
    expect(refusal(() => new OrdinalEncoder({ unknownValue: -1 }))).to.match(/goes with handleUnknown/);
    expect(refusal(() => new OrdinalEncoder({ handleUnknown: 'use_encoded_value' }))).to.match(/must be given then/);
    const taken = new OrdinalEncoder({ handleUnknown: 'use_encoded_value', unknownValue: 1 });
    expect(refusal(() => taken.fit({ x: ['a', 'b'] }))).to.match(/is the place of a category of 'x'/);
  });
});

describe('TargetEncoder', () => {
  const table = { city: ['a', 'b', 'a', 'b', 'a', 'c'], y: float64([1, 2, 3, 4, 5.5, 7]) };

  it('gives the mean of the target, that of all for what was not there', () => {
    const encoder = new TargetEncoder({ target: 'y', smooth: 0 });
    encoder.fit(table);
    expect(encoder.transform({ city: 'b' })).to.deep.equal({ city: 3 });
    expect(encoder.transform({ city: 'z' }).city).to.be.closeTo(3.75, 1e-15);
    expect(refusal(() => encoder.inverseTransform({ city: 3 }))).to.match(/cannot be had back/);
    const smooth = new TargetEncoder({ target: 'y', smooth: 2 });
    smooth.fit([
      { city: ['a', 'b'], y: float64([1, 2]) },
      { city: ['a', 'b', 'a', 'c'], y: float64([3, 4, 5.5, 7]) },
    ]);
    expect(smooth.transform({ city: 'b' }).city).to.be.closeTo((6 + 2 * 3.75) / 4, 1e-15);
  });

  it('does not tell a row its own target in crossFit', () => {
    // Each category is of one row, so that no other row knows of it.
    const alone = { id: ['a', 'b', 'c', 'd'], y: float64([0.5, 1, 2, 4]) };
    const encoder = new TargetEncoder({ target: 'y', cv: 4, shuffle: false });
    const { id } = encoder.crossFit(alone);
    expect(listOf(id)).to.deep.equal([7 / 3, 6.5 / 3, 5.5 / 3, 3.5 / 3]);
    expect(encoder.transform({ id: 'd' }).id).to.equal(4);
  });

  it('shuffles by the generator that is given', () => {
    const rows = { id: Array.from({ length: 40 }, (_, i) => 'abcd'[i % 4]!), y: float64(Array.from({ length: 40 }, (_, i) => i * 1.5)) }; // prettier-ignore
    const cross = (seed: number) =>
      listOf(new TargetEncoder({ target: 'y' }).crossFit(rows, { generator: new Generator().manualSeed(seed) }).id);
    expect(cross(1)).to.deep.equal(cross(1));
    expect(cross(1)).not.to.deep.equal(cross(2));
  });

  it('has a column for each of several classes', () => {
    const encoder = new TargetEncoder({ target: 'y', smooth: 0 });
    encoder.fit({ city: ['a', 'a', 'b'], y: ['u', 'v', 'w'] });
    expect(encoder.transform({ city: 'a' })).to.deep.equal({ city_u: 0.5, city_v: 0.5, city_w: 0 });
    const binary = new TargetEncoder({ target: 'y', smooth: 0 });
    binary.fit({ city: ['a', 'a', 'b'], y: tensor([true, false, true]) });
    expect(binary.transform({ city: 'a' })).to.deep.equal({ city: 0.5 });
  });

  it('refuses targets that are none', () => {
    const encoder = new TargetEncoder({ target: 'y', targetType: 'continuous' });
    expect(refusal(() => encoder.fit({ city: ['a'] }))).to.match(/'y' is missing/);
    expect(refusal(() => encoder.fit({ city: ['a'], y: ['b'] }))).to.match(/continuous one has numbers/);
    expect(refusal(() => encoder.fit({ city: ['a'], y: float64([NaN]) }))).to.match(/not finite/);
    expect(refusal(() => encoder.fit({ y: float64([1]) }))).to.match(/no columns beside y/);
    expect(refusal(() => new TargetEncoder({} as never))).to.match(/target must be given/);
    expect(refusal(() => new TargetEncoder({ target: 'y' }).crossFit({ city: ['a'], y: float64([1]) }))).to.match(/5 parts/); // prettier-ignore
    const binary = new TargetEncoder({ target: 'y', targetType: 'binary' });
    expect(refusal(() => binary.fit({ city: ['a', 'a', 'b'], y: ['u', 'v', 'w'] }))).to.match(/has 3 values/);
  });
});

describe('FeatureHasher', () => {
  it('needs no fit, adds up what meets, and cannot go back', () => {
    const hasher = new FeatureHasher({ nFeatures: 1, alternateSign: false });
    expect(hasher.transform({ a: 'x', b: 'y', n: 2.5 })).to.deep.equal({ hashed_0: 4.5 });
    expect(listOf(hasher.transform({ a: ['x', ''], n: tensor([0, 1]) }).hashed_0)).to.deep.equal([1, 2]);
    expect(refusal(() => hasher.inverseTransform({ hashed_0: 1 }))).to.match(/cannot be had back/);
    expect(refusal(() => new FeatureHasher({} as never))).to.match(/nFeatures must be given/);
    expect(refusal(() => new FeatureHasher({ nFeatures: 0 }))).to.match(/above 0/);
  });
});
