import { z } from 'zod';

import { oneOf, orNull } from '../../kinds.js';
import { signature } from '../../signature.js';
import { cat, tensor, type Tensor } from '../../tensor/index.js';
import { firstRepeated } from '../../repeated.js';
import { refusal, type Column, type Frame } from '../tables/frame.js';
import type { Plain } from '../tables/tablePreprocessor.js';
import {
  categoriesProblem,
  categoriesSchema,
  codesOf,
  refuseUnknown,
  valuesAt,
  type Categories,
  type Category,
} from './categories.js';
import { CategoryEncoder } from './categoryEncoder.js';
import { categoriesFor, categoriesKind, plainCategories, type GivenCategories } from './givenCategories.js';

export interface OneHotEncoderOptions {
  /** The categories of each column in their order, or 'auto', those of fit, sorted; default 'auto'. */
  categories?: 'auto' | GivenCategories;
  /** The category of each column that has no column of its own: the first, or that of columns with two; default null, none. */
  drop?: 'first' | 'if_binary' | null;
  /** What a value is that was not there in fit: an error, or zeros in all columns; default 'error'. */
  handleUnknown?: 'error' | 'ignore';
}

const takes = signature<OneHotEncoderOptions>(
  {},
  { categories: categoriesKind, drop: orNull(oneOf('first', 'if_binary')), handleUnknown: oneOf('error', 'ignore') },
);

const schema = z.strictObject({ categories: z.array(categoriesSchema) });
type Learnt = z.infer<typeof schema>;

/**
 * A column of 0 and 1 (float32) for each category of each column, called `column_category`. NaN is a category where fit saw it. As
 * `sklearn.preprocessing.OneHotEncoder` with `sparse_output=False`.
 *
 * @example
 * import { OneHotEncoder } from 'aiforge/preprocessing';
 * const encoder = new OneHotEncoder({ handleUnknown: 'ignore' });
 * encoder.fit({ colour: ['red', 'green', 'red'] });
 * encoder.featureNames(); // [ 'colour_green', 'colour_red' ]
 * encoder.transform({ colour: 'red' }).colour_red; // 1
 */
export class OneHotEncoder extends CategoryEncoder<Learnt> {
  protected override readonly kind = 'OneHotEncoder';
  protected override readonly options: { [name: string]: Plain; drop: 'first' | 'if_binary' | null };
  protected override readonly schema = schema;
  readonly #given: 'auto' | GivenCategories;

  constructor(options: OneHotEncoderOptions = {}) {
    takes.check('OneHotEncoder', arguments);
    super();
    const { categories = 'auto', drop = null, handleUnknown = 'error' } = options;
    this.#given = categories;
    this.options = { categories: plainCategories(categories), drop, handleUnknown };
  }

  protected override conclude(names: readonly string[]): Learnt {
    const unknown = this.options.handleUnknown === 'error' ? 'refused' : 'allowed';
    const categories = categoriesFor(`${this.kind}.fit`, names, this.seen, this.#given, unknown);
    if (categories.every((known) => this.#shown(known).length === 0)) {
      throw refusal(`${this.kind}.fit`, "each column has one category, and drop: 'first' leaves none of them");
    }
    return { categories };
  }

  protected override problemOf({ categories }: Learnt, names: readonly string[]): string | undefined {
    return categoriesProblem(categories, names);
  }

  protected override namesOut(names: readonly string[], { categories }: Learnt): readonly string[] {
    const all = names.flatMap((name, i) => this.#shown(categories[i]!).map((value) => `${name}_${value ?? 'nan'}`));
    const twice = firstRepeated(all);
    if (twice !== undefined) {
      throw refusal(this.kind, `two columns would be called '${twice}': rename a column, or its categories`);
    }
    return all;
  }

  protected override applied(frame: Frame, learnt: Learnt): Frame {
    const who = `${this.kind}.transform`;
    const blocks = frame.columns.map((column, i) => {
      const known = learnt.categories[i]!;
      const codes = codesOf(who, frame.names[i]!, column, known);
      if (this.options.handleUnknown === 'error') refuseUnknown(who, frame.names[i]!, column, codes, known);
      return this.#hot(codes, known);
    });
    return frame.with(this.namesOut(frame.names, learnt), cat(blocks, 1).unbind(1));
  }

  protected override undone(frame: Frame, learnt: Learnt): Frame {
    const matrix = frame.numbers(this.kind);
    let at = 0;
    const columns = learnt.categories.map((known, i): Column => {
      const width = this.#shown(known).length;
      const block = matrix.narrow(1, at, width);
      at += width;
      return valuesAt(this.#codes(block, known, this.columns()[i]!), known);
    });
    return frame.with(this.columns(), columns);
  }

  /** The place of the category without a column; -1 where each has one. */
  #dropped({ values }: Categories): number {
    const { drop } = this.options;
    return drop === 'first' || (drop === 'if_binary' && values.length === 2) ? 0 : -1;
  }

  #shown(known: Categories): Category[] {
    const dropped = this.#dropped(known);
    return (known.values as Category[]).filter((_, place) => place !== dropped);
  }

  #hot(codes: Tensor, known: Categories): Tensor {
    const dropped = this.#dropped(known);
    const places = known.values.flatMap((_, place) => (place === dropped ? [] : [place]));
    return codes
      .unsqueeze(1)
      .eq(tensor(places, { dtype: 'int64' }))
      .to('float32');
  }

  /** The place of the largest number of each row; the dropped category, or none, where all are 0. */
  #codes(block: Tensor, known: Categories, name: string): Tensor {
    const dropped = this.#dropped(known);
    const count = block.size(1);
    if (count === 0) return block.sum(1).to('int64');
    const isNone = block.eq(0).all(1);
    if (dropped < 0 && this.options.handleUnknown === 'error' && isNone.any().item()) {
      const row = Number(isNone.to('int64').argmax().item());
      throw refusal(`${this.kind}.inverseTransform`, `row ${row} has 0 in all columns of '${name}', so no category`);
    }
    const best = block.argmax(1);
    return (dropped < 0 ? best : best.add(1)).maskedFill(isNone, dropped);
  }
}
