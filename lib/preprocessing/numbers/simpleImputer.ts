import { z } from 'zod';

import { boolean, count, either, kind as kindOf, number, oneOf, orNull, string } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { tensor, zerosLike, type Tensor } from '../../tensor/index.js';
import { CategoryCounts, sortedCategories } from '../categories/categories.js';
import { refusal, type Column, type Frame } from '../tables/frame.js';
import { SameFormPreprocessor } from '../tables/sameFormPreprocessor.js';
import type { Plain } from '../tables/tablePreprocessor.js';
import { presentIn } from './matrix.js';
import { Moments } from './moments.js';
import { EXACT, Quantiles } from './quantiles.js';

export interface SimpleImputerOptions {
  /** What a missing value is: a number, NaN, or a string; default NaN. */
  missingValues?: number | string;
  /** What is put in its place; default 'mean'. 'mean' and 'median' are of numbers alone. */
  strategy?: 'mean' | 'median' | 'most_frequent' | 'constant';
  /** What is put in its place by 'constant'; default null, which is 0 for numbers and 'missing_value' for strings. */
  fillValue?: number | string | null;
  /** Whether columns `missingindicator_NAME` say what was missing, for columns that missed something in fit; default false. */
  addIndicator?: boolean;
  /** Whether a column that misses everything in fit is filled with 0 or `fillValue`, and is no error; default false. */
  keepEmptyFeatures?: boolean;
  /** Up to how many rows the median is exact, 8 bytes each and column; beyond, a sketch. Default 1,000,000. */
  exactRows?: number;
}

const takes = signature<SimpleImputerOptions>(
  {},
  {
    missingValues: kindOf<number | string>('a number, NaN or a string', (value) =>
      ['number', 'string'].includes(typeof value),
    ),
    strategy: oneOf('mean', 'median', 'most_frequent', 'constant'),
    fillValue: orNull(either(number, string)),
    addIndicator: boolean,
    keepEmptyFeatures: boolean,
    exactRows: count,
  },
);

const schema = z.strictObject({
  fills: z.array(z.union([z.number(), z.string()])),
  missed: z.array(z.boolean()),
});
type Learnt = z.infer<typeof schema>;

/** What is known of a column so far. */
class Seen {
  present = 0;
  missed = false;
  kind: 'string' | 'number' | null = null;
  readonly counts = new CategoryCounts();
  readonly moments = new Moments();
  readonly quantiles: Quantiles;

  constructor(exactRows: number) {
    this.quantiles = new Quantiles(exactRows);
  }
}

/**
 * Puts a value in the place of missing ones, column by column. A column that misses everything in fit is an error unless
 * `keepEmptyFeatures`; scikit-learn leaves it out. With `addIndicator`, `inverseTransform` makes them missing again. As
 * `sklearn.impute.SimpleImputer`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { SimpleImputer } from 'aiforge/preprocessing';
 * const imputer = new SimpleImputer({ strategy: 'median' });
 * imputer.fit({ age: tensor([20, NaN, 40, 60]) });
 * imputer.transform({ age: NaN }).age; // 40
 */
export class SimpleImputer extends SameFormPreprocessor<Learnt> {
  protected override readonly kind = 'SimpleImputer';
  protected override readonly options: { [name: string]: Plain; addIndicator: boolean };
  protected override readonly schema = schema;
  readonly #missing: number | string;
  readonly #strategy: NonNullable<SimpleImputerOptions['strategy']>;
  readonly #fill: number | string | null;
  readonly #keepsEmpty: boolean;
  readonly #exactRows: number;
  #seen: Seen[] = [];

  constructor(options: SimpleImputerOptions = {}) {
    takes.check('SimpleImputer', arguments);
    super();
    const {
      missingValues = NaN,
      strategy = 'mean',
      fillValue = null,
      addIndicator = false,
      keepEmptyFeatures = false,
      exactRows = EXACT,
    } = options;
    if (fillValue !== null && strategy !== 'constant') {
      throw refusal(
        'SimpleImputer',
        `fillValue goes with strategy: 'constant', got ${show(fillValue)} with '${strategy}'`,
      );
    }
    this.#missing = missingValues;
    this.#strategy = strategy;
    this.#fill = fillValue;
    this.#keepsEmpty = keepEmptyFeatures;
    this.#exactRows = exactRows;
    const missing = Number.isFinite(missingValues) || typeof missingValues === 'string' ? missingValues : [String(missingValues)]; // prettier-ignore
    this.options = { missingValues: missing, strategy, fillValue, addIndicator, keepEmptyFeatures, exactRows };
  }

  protected override begin(): void {
    this.#seen = [];
  }

  protected override learn(frame: Frame): void {
    frame.columns.forEach((column, i) => {
      const seen = (this.#seen[i] ??= new Seen(this.#exactRows));
      if (Array.isArray(column)) this.#learnTexts(seen, frame.names[i]!, column);
      else this.#learnNumbers(seen, frame.names[i]!, column);
    });
  }

  protected override conclude(names: readonly string[]): Learnt {
    return {
      fills: this.#seen.map((seen, i) => this.#fillOf(seen, names[i]!)),
      missed: this.#seen.map(({ missed }) => missed),
    };
  }

  protected override problemOf({ fills, missed }: Learnt, names: readonly string[]): string | undefined {
    if (fills.length === names.length && missed.length === names.length) return undefined;
    return `learnt has ${fills.length} and ${missed.length} items for ${names.length} columns`;
  }

  protected override namesOut(names: readonly string[], { missed }: Learnt): readonly string[] {
    if (!this.options.addIndicator) return names;
    return [...names, ...names.filter((_, i) => missed[i]).map((name) => `missingindicator_${name}`)];
  }

  protected override applied(frame: Frame, learnt: Learnt): Frame {
    const filled = frame.columns.map((column, i) => this.#filled(column, learnt.fills[i]!, frame.names[i]!));
    if (!this.options.addIndicator) return frame.with(frame.names, filled);
    const indicators = frame.columns.flatMap((column, i) => (learnt.missed[i] ? [this.#indicator(column)] : []));
    return frame.with(this.namesOut(frame.names, learnt), [...filled, ...indicators]);
  }

  protected override undone(frame: Frame, { missed }: Learnt): Frame {
    if (!this.options.addIndicator) {
      throw refusal(
        `${this.kind}.inverseTransform`,
        'what was missing is not known any more: make it with addIndicator: true',
      );
    }
    const names = this.columns();
    let at = names.length;
    const columns = names.map((_, i): Column => {
      const column = frame.columns[i]!;
      if (!missed[i]) return column;
      const indicator = frame.columns[at++]!;
      if (Array.isArray(indicator)) throw refusal(this.kind, `the column '${frame.names[at - 1]!}' must be of numbers`);
      // It may have been scaled and back since.
      const wasMissing = indicator.gt(0.5);
      if (!Array.isArray(column)) return column.maskedFill(wasMissing, this.#missing as number);
      const missing = wasMissing.tolist<boolean[]>();
      return column.map((value, row) => (missing[row] ? (this.#missing as string) : value));
    });
    return frame.with(names, columns);
  }

  #learnTexts(seen: Seen, name: string, column: readonly string[]): void {
    if (this.#strategy === 'mean' || this.#strategy === 'median') {
      throw refusal(
        `${this.kind}.fit`,
        `the column '${name}' is of strings, which have no ${this.#strategy}: take strategy 'most_frequent' or 'constant'`,
      );
    }
    const present = column.filter((value) => value !== this.#missing);
    this.#note(seen, name, 'string', present.length, column.length);
    if (this.#strategy === 'most_frequent') seen.counts.add(`${this.kind}.fit`, name, present);
  }

  #learnNumbers(seen: Seen, name: string, column: Tensor): void {
    const isThere = this.#isMissing(column).logicalNot();
    const present = column.maskedSelect(isThere);
    this.#note(seen, name, 'number', present.numel(), column.numel());
    if (this.#strategy === 'constant') return;
    if (this.#strategy === 'most_frequent') return seen.counts.add(`${this.kind}.fit`, name, present);
    const matrix = present.to('float64').unsqueeze(1);
    if (matrix.isfinite().logicalNot().any().item()) {
      throw refusal(
        `${this.kind}.fit`,
        `the column '${name}' has numbers that are infinite, or NaN that is not missingValues`,
      );
    }
    if (this.#strategy === 'mean') seen.moments.add(matrix);
    else seen.quantiles.add(presentIn(matrix)[0]!);
  }

  #note(seen: Seen, name: string, kind: 'string' | 'number', present: number, rows: number): void {
    if (seen.kind !== null && seen.kind !== kind) {
      throw refusal(
        `${this.kind}.fit`,
        `the column '${name}' is of ${seen.kind}s in one batch and of ${kind}s in another`,
      );
    }
    seen.kind = kind;
    seen.present += present;
    if (present < rows) seen.missed = true;
  }

  #fillOf(seen: Seen, name: string): number | string {
    const isText = seen.kind === 'string';
    const constant = this.#fill ?? (isText && this.#strategy === 'constant' ? 'missing_value' : isText ? '' : 0);
    if ((typeof constant === 'string') !== isText) {
      throw refusal(
        `${this.kind}.fit`,
        `the column '${name}' is of ${seen.kind!}s, and fillValue is ${show(constant)}`,
      );
    }
    if (this.#strategy === 'constant') return constant;
    if (seen.present === 0) {
      if (this.#keepsEmpty) return constant;
      throw refusal(
        `${this.kind}.fit`,
        `the column '${name}' misses everything, so it has no ${this.#strategy}: leave it out, or give keepEmptyFeatures: true`,
      );
    }
    if (this.#strategy === 'mean') return seen.moments.means[0]!;
    if (this.#strategy === 'median') return seen.quantiles.at([0.5], 'linear')[0]!;
    let most = 0;
    for (const times of seen.counts.counts.values()) most = Math.max(most, times);
    const values = [...seen.counts.counts].flatMap(([value, times]) => (times === most ? [value] : []));
    return sortedCategories(values)[0] as number | string;
  }

  #isMissing(column: Tensor): Tensor {
    if (typeof this.#missing === 'string') return zerosLike(column, { dtype: 'bool' });
    return Number.isNaN(this.#missing) ? column.isnan() : column.eq(this.#missing);
  }

  #filled(column: Column, fill: number | string, name: string): Column {
    if (Array.isArray(column) !== (typeof fill === 'string')) {
      throw refusal(
        `${this.kind}.transform`,
        `the column '${name}' is of ${Array.isArray(column) ? 'strings' : 'numbers'}, and was not in fit`,
      );
    }
    if (Array.isArray(column)) return column.map((value) => (value === this.#missing ? (fill as string) : value));
    const isMissing = this.#isMissing(column);
    const isFloat = column.dtype.startsWith('float') || column.dtype.startsWith('bfloat');
    // Whole numbers stay so where the fill is one of them.
    const wide = isFloat || Number.isInteger(fill) ? column : column.to('float64');
    return wide.where(isMissing.logicalNot(), tensor(fill as number, { dtype: wide.dtype }));
  }

  #indicator(column: Column): Tensor {
    if (!Array.isArray(column)) return this.#isMissing(column).to('float32');
    return tensor(column.map((value) => Number(value === this.#missing)), { dtype: 'float32' }); // prettier-ignore
  }
}
