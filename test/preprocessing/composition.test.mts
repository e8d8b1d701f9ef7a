import { tensor, type Tensor } from 'aiforge';
import * as preprocessing from 'aiforge/preprocessing';
import * as transforms from 'aiforge/transforms';
import { expect } from 'chai';

import { refusalOf } from '../support/refusal.mjs';

const refusal = (work: () => unknown): string => refusalOf(work).message;

const { ColumnTransformer, OneHotEncoder, OrdinalEncoder, Pipeline, SimpleImputer, StandardScaler, TargetEncoder } =
  preprocessing;

const table = {
  age: tensor([20, NaN, 40, 60], { dtype: 'float64' }),
  city: ['Oslo', 'Rome', 'Oslo', 'Bonn'],
  price: tensor([1.5, 2.5, 3.5, 4.5], { dtype: 'float64' }),
  note: ['-', '-', '-', '-'],
};

const numbers = () =>
  new Pipeline([
    ['fill', new SimpleImputer({ addIndicator: true })],
    ['scale', new StandardScaler()],
  ]);

describe('lists with holes', () => {
  it('are refused as any other missing item', () => {
    const holes = new Array<never>(2);
    expect(refusal(() => new Pipeline(holes))).to.match(/steps must be an array of steps/);
    expect(refusal(() => new ColumnTransformer(holes))).to.match(/transformers must be an array of parts/);
    expect(refusal(() => new ColumnTransformer([['a', new StandardScaler(), holes]]))).to.match(/array of parts/);
    expect(refusal(() => preprocessing.padSequences([holes]))).to.match(/array of whole numbers/);
    expect(refusal(() => new preprocessing.Vocabulary().fit([holes]))).to.match(/array of tokens/);
    expect(refusal(() => new transforms.Compose(holes))).to.match(/array of transforms/);
    expect(refusal(() => new transforms.Pad(holes))).to.match(/padding must be/);
  });
});

describe('promises that were not awaited', () => {
  it('are refused, and what they are rejected with does not end the process', async () => {
    const late = (): never => Promise.reject(new Error('late')) as never;
    const errors = [
      () => new StandardScaler().fit(late()),
      () => new StandardScaler().fit([late()]),
      () => new StandardScaler().fit([{ x: late() }]),
      () => new StandardScaler(late()),
      () => new transforms.Resize(3).forward(late()),
      () => new transforms.Resize(3, { maxSize: late() }),
    ].map((attempt) => refusalOf(attempt));
    await new Promise((resolve) => setImmediate(resolve));
    for (const { code, message } of errors.slice(0, 3).concat(errors.slice(4)))
      expect([code, message])
        .to.deep.include('INVALID_ARGUMENT')
        .and.to.satisfy(() => /rejected: Error: late/.test(message));
  });
});

describe('what would take all memory', () => {
  it('is refused: sequences padded to any length, by options and by the file of a tokenizer', () => {
    const { padSequences, Tokenizer, trainBpe, writeTokenizer } = preprocessing;
    const options = { maxLength: Number.MAX_SAFE_INTEGER, padding: 'max_length' } as const;
    expect(refusal(() => padSequences([[1]], options))).to.match(/more than 2\^31-1 numbers/);
    const content = trainBpe(['low'], { vocabSize: 256 });
    const padding = { strategy: { Fixed: 1e9 }, pad_id: 0, pad_token: '!', pad_type_id: 0, direction: 'Right' };
    expect(refusal(() => new Tokenizer({ ...content, padding }))).to.match(/padding\.strategy/);
    const looped: Record<string, unknown> = { ...content };
    looped.self = looped;
    expect(refusal(() => writeTokenizer('/tmp/none.json', looped))).to.match(/JSON does not keep/);
  });
});

describe('Pipeline', () => {
  it('fits each step to what those before it give, and goes back through all', () => {
    const pipeline = numbers();
    pipeline.fit([{ age: table.age }]);
    expect(pipeline.featureNames()).to.deep.equal(['age', 'missingindicator_age']);
    const { age } = pipeline.transform({ age: table.age }) as preprocessing.TableColumns;
    const scale = Math.sqrt(200);
    expect((age as Tensor).tolist()).to.deep.equal([-20 / scale, 0, 0, 20 / scale]);
    const back = pipeline.inverseTransform(pipeline.transform({ age: table.age })) as { age: Tensor };
    expect(back.age.tolist()).to.deep.equal([20, NaN, 40, 60]);
    expect(pipeline.transform({ age: NaN })).to.have.property('age', 0);
  });

  it('goes over the items once for each step, and says so of an iterator', async () => {
    let times = 0;
    const items = {
      *[Symbol.iterator]() {
        times += 1;
        yield { age: table.age };
      },
    };
    numbers().fit(items);
    expect(times).to.equal(2);
    expect(refusal(() => numbers().fit(items[Symbol.iterator]()))).to.match(/goes 2 times over the items/);
    expect(times).to.equal(2);
    const later = {
      async *[Symbol.asyncIterator]() {
        yield await Promise.resolve({ age: table.age });
      },
    };
    const [own, other] = [numbers(), numbers()];
    await own.fit(later);
    other.fit({ age: table.age });
    expect(own.state()).to.deep.equal(other.state());
  });

  it('hands a target on to the step that needs it', () => {
    const pipeline = new Pipeline([
      ['fill', new SimpleImputer({ strategy: 'constant', missingValues: '' })],
      ['encode', new TargetEncoder({ target: 'price', smooth: 0 })],
    ]);
    pipeline.fit({ city: ['a', '', 'a'], price: tensor([1.5, 2, 2.5]) });
    expect(pipeline.transform({ city: 'a' })).to.deep.equal({ city: 2 });
    expect(pipeline.transform({ city: '' })).to.deep.equal({ city: 2 });
  });

  it('is unfitted where a fit fails, and refuses steps that are none', () => {
    const pipeline = numbers();
    pipeline.fit({ age: table.age });
    expect(refusal(() => pipeline.fit({ age: ['a'] }))).to.match(/SimpleImputer.fit/);
    expect(refusal(() => pipeline.transform({ age: 1 }))).to.match(/learnt nothing yet/);
    const scaler = new StandardScaler();
    expect(refusal(() => new Pipeline([['a', scaler], ['b', scaler]]))).to.match(/of another step too/); // prettier-ignore
    expect(refusal(() => new Pipeline([['a', scaler], ['a', new StandardScaler()]]))).to.match(/two parts are called/); // prettier-ignore
    expect(refusal(() => new Pipeline([['a__b', scaler]]))).to.match(/without '__'/);
    expect(refusal(() => new Pipeline([]))).to.match(/an array of steps/);
    expect(refusal(() => new Pipeline([['a', {} as never]]))).to.match(/an array of steps/);
  });
});

describe('ColumnTransformer', () => {
  const make = (options?: preprocessing.ColumnTransformerOptions) =>
    new ColumnTransformer(
      [
        ['numbers', numbers(), ['age']],
        ['texts', new OneHotEncoder(), ['city']],
        ['as', 'passthrough', ['price']],
        ['not', 'drop', ['note']],
      ],
      options,
    );

  it('makes one float32 matrix with names, and goes back', () => {
    const columns = make();
    columns.fit([table]);
    expect(columns.featureNames()).to.deep.equal([
      ...['numbers__age', 'numbers__missingindicator_age'],
      ...['texts__city_Bonn', 'texts__city_Oslo', 'texts__city_Rome', 'as__price'],
    ]);
    const made = columns.transform(table);
    expect([made.dtype, made.shape]).to.deep.equal(['float32', [4, 6]]);
    const row = columns.transform({ age: 40, city: 'Rome', price: 3 });
    expect(row.tolist()).to.deep.equal([0, made.select(1, 1).select(0, 0).item(), 0, 0, 1, 3]);
    const back = columns.inverseTransform(made) as preprocessing.TableColumns;
    expect(Object.keys(back)).to.deep.equal(['age', 'city', 'price']);
    expect(back.city).to.deep.equal(table.city);
    expect((back.age as Tensor).tolist()).to.deep.equal([20, NaN, 40, 60]);
    expect(columns.inverseTransform(row)).to.deep.equal({ age: 40, city: 'Rome', price: 3 });
  });

  it('leaves out or gives what no part names', () => {
    const parts = [['texts', new OrdinalEncoder(), ['city']]] as const;
    const { note: _, ...rest } = table;
    const dropping = new ColumnTransformer(parts);
    dropping.fit(rest);
    expect(dropping.featureNames()).to.deep.equal(['texts__city']);
    expect(dropping.transform({ city: 'Rome' }).tolist()).to.deep.equal([2]);
    const passing = new ColumnTransformer([['texts', new OrdinalEncoder(), ['city']]], {
      remainder: 'passthrough',
      verboseFeatureNamesOut: false,
    });
    passing.fit(rest);
    expect(passing.featureNames()).to.deep.equal(['city', 'age', 'price']);
    expect(passing.transform({ price: 2, age: 1, city: 'Oslo' }).tolist()).to.deep.equal([1, 1, 2]);
    expect(refusal(() => passing.transform({ price: 2, age: 1, city: 'Oslo', more: 1 }))).to.match(
      /'more' was not there/,
    );
    expect(refusal(() => passing.transform({ price: 2, city: 'Oslo' }))).to.match(/'age' is missing/);
  });

  it('needs a target in fit only', () => {
    const columns = new ColumnTransformer([['mean', new TargetEncoder({ target: 'price', smooth: 0 }), ['city']]], {
      remainder: 'passthrough',
    });
    columns.fit({ city: table.city, price: table.price });
    expect(columns.featureNames()).to.deep.equal(['mean__city']);
    expect(columns.transform({ city: 'Oslo' }).tolist()).to.deep.equal([2.5]);
  });

  it('may be a step of a pipeline, whose result is a matrix then', () => {
    const pipeline = new Pipeline([
      ['columns', make()],
      ['scale', new StandardScaler()],
    ]);
    pipeline.fit([table]);
    const made = pipeline.transform(table) as Tensor;
    expect(made.shape).to.deep.equal([4, 6]);
    expect(made.mean(0).abs().max().item()).to.be.below(1e-6);
    const back = pipeline.inverseTransform(made) as preprocessing.TableColumns;
    expect(back.city).to.deep.equal(table.city);
  });

  it('refuses what does not go into a matrix, columns that are not there, and names that are the same', () => {
    expect(refusal(() => make({ remainder: 'passthrough' }).fit({ ...table, more: table.city }))).to.match(/'more' is of strings/); // prettier-ignore
    const texts = new ColumnTransformer([['fill', new SimpleImputer({ strategy: 'constant' }), ['city']]]);
    texts.fit(table);
    expect(refusal(() => texts.transform(table))).to.match(/the part 'fill' gives the column 'city' of strings/);
    const wrong = new ColumnTransformer([['a', new StandardScaler(), ['prise']]]);
    expect(refusal(() => wrong.fit(table))).to.match(/'a' names the column 'prise'.*Did you mean 'price'\?/);
    const twice = new ColumnTransformer(
      [['a', new StandardScaler(), ['price']], ['b', 'passthrough', ['price']]], // prettier-ignore
      { verboseFeatureNamesOut: false },
    );
    expect(refusal(() => twice.fit(table))).to.match(/two columns would be called 'price'/);
    expect(refusal(() => make().transform(table))).to.match(/learnt nothing yet/);
    expect(refusal(() => new ColumnTransformer([['a', 'keep' as never, ['x']]]))).to.match(/'passthrough' \| 'drop'/);
    expect(refusal(() => make({ remaynder: 'drop' } as never))).to.match(/remainder/);
  });
});
