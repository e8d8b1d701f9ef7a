import { z } from 'zod';

import { either, kind as kindOf, oneOf, orNull, whole } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { tensor, zerosLike, type Tensor } from '../../tensor/index.js';
import { refusal, type Column, type Frame } from '../tables/frame.js';
import type { Plain } from '../tables/tablePreprocessor.js';
import {
  categoriesProblem,
  categoriesSchema,
  codesOf,
  missingPlaceOf,
  refuseUnknown,
  valuesAt,
  type Categories,
} from './categories.js';
import { CategoryEncoder } from './categoryEncoder.js';
import { categoriesFor, categoriesKind, plainCategories, type GivenCategories } from './givenCategories.js';

const missing = kindOf<number>('NaN', (value) => Number.isNaN(value));

export interface OrdinalEncoderOptions {
  /** The categories of each column in their order, or 'auto', those of fit, sorted; default 'auto'. */
  categories?: 'auto' | GivenCategories;
  /** What a value is that was not there in fit: an error, or `unknownValue`; default 'error'. */
  handleUnknown?: 'error' | 'use_encoded_value';
  /** What stands for values that were not there in fit: a whole number that is no category's place, or NaN; default null, nothing. */
  unknownValue?: number | null;
  /** What stands for numbers that are missing: a whole number or NaN; default NaN. */
  encodedMissingValue?: number;
}

const takes = signature<OrdinalEncoderOptions>(
  {},
  {
    categories: categoriesKind,
    handleUnknown: oneOf('error', 'use_encoded_value'),
    unknownValue: orNull(either(whole, missing)),
    encodedMissingValue: either(whole, missing),
  },
);

const schema = z.strictObject({ categories: z.array(categoriesSchema) });
type Learnt = z.infer<typeof schema>;

const plain = (value: number | null): number | 'NaN' | null => (Number.isNaN(value) ? 'NaN' : value);

/**
 * The place of each value among its column's categories, 0, 1, …, float64. As `sklearn.preprocessing.OrdinalEncoder`.
 *
 * @example
 * import { OrdinalEncoder } from 'aiforge/preprocessing';
 * const encoder = new OrdinalEncoder({ categories: { size: ['small', 'large'] } });
 * encoder.fit({ size: ['large', 'small'] });
 * encoder.transform({ size: 'large' }).size; // 1
 */
export class OrdinalEncoder extends CategoryEncoder<Learnt> {
  protected override readonly kind = 'OrdinalEncoder';
  protected override readonly options: Plain;
  protected override readonly schema = schema;
  readonly #given: 'auto' | GivenCategories;
  readonly #unknown: number | null;
  readonly #missing: number;

  constructor(options: OrdinalEncoderOptions = {}) {
    takes.check('OrdinalEncoder', arguments);
    super();
    const { categories = 'auto', handleUnknown = 'error', unknownValue = null, encodedMissingValue = NaN } = options;
    if ((handleUnknown === 'error') !== (unknownValue === null)) {
      throw refusal(
        'OrdinalEncoder',
        `unknownValue goes with handleUnknown: 'use_encoded_value', and must be given then, got ${show(unknownValue)} with '${handleUnknown}'`,
      );
    }
    this.#given = categories;
    this.#unknown = unknownValue;
    this.#missing = encodedMissingValue;
    this.options = {
      ...{ categories: plainCategories(categories), handleUnknown },
      ...{ unknownValue: plain(unknownValue), encodedMissingValue: plain(encodedMissingValue) },
    };
  }

  protected override conclude(names: readonly string[]): Learnt {
    const unknown = this.#unknown === null ? 'refused' : 'allowed';
    const categories = categoriesFor(`${this.kind}.fit`, names, this.seen, this.#given, unknown);
    categories.forEach(({ values }, i) => {
      for (const [option, value] of Object.entries({
        unknownValue: this.#unknown,
        encodedMissingValue: this.#missing,
      })) {
        const isPlace = value !== null && value >= 0 && value < values.length && values[value] !== null;
        if (!isPlace || (option === 'encodedMissingValue' && !values.includes(null as never))) continue;
        throw refusal(
          `${this.kind}.fit`,
          `${option} ${value} is the place of a category of '${names[i]!}': take another`,
        );
      }
    });
    return { categories };
  }

  protected override problemOf({ categories }: Learnt, names: readonly string[]): string | undefined {
    return categoriesProblem(categories, names);
  }

  protected override namesOut(names: readonly string[]): readonly string[] {
    return names;
  }

  protected override applied(frame: Frame, { categories }: Learnt): Frame {
    const who = `${this.kind}.transform`;
    const columns = frame.columns.map((column, i) => {
      const known = categories[i]!;
      const codes = codesOf(who, frame.names[i]!, column, known);
      if (this.#unknown === null) refuseUnknown(who, frame.names[i]!, column, codes, known);
      const isUnknown = codes.lt(0);
      const places = codes.to('float64').maskedFill(isUnknown, this.#unknown ?? NaN);
      const missingPlace = missingPlaceOf(known.values);
      return missingPlace < 0 ? places : places.maskedFill(codes.eq(missingPlace), this.#missing);
    });
    return frame.with(frame.names, columns);
  }

  protected override undone(frame: Frame, { categories }: Learnt): Frame {
    const columns = frame.columns.map((column, i): Column => {
      if (Array.isArray(column)) throw refusal(this.kind, `the column '${frame.names[i]!}' must be of numbers`);
      return this.#decoded(column.to('float64'), categories[i]!, frame.names[i]!);
    });
    return frame.with(frame.names, columns);
  }

  #decoded(places: Tensor, known: Categories, name: string): Column {
    const count = known.values.length;
    const missingPlace = missingPlaceOf(known.values);
    const nowhere = zerosLike(places, { dtype: 'bool' });
    const isUnknown = this.#unknown === null ? nowhere : equals(places, this.#unknown);
    const isMissing = missingPlace < 0 ? nowhere : equals(places, this.#missing);
    const isPlace = places.ge(0).logicalAnd(places.lt(count)).logicalAnd(places.eq(places.floor()));
    const isWrong = isPlace.logicalOr(isUnknown).logicalOr(isMissing).logicalNot();
    if (isWrong.any().item()) {
      const row = Number(isWrong.to('int64').argmax().item());
      const found = show(places.select(0, row).item());
      throw refusal(
        `${this.kind}.inverseTransform`,
        `row ${row} of '${name}' is ${found}, which is no place of ${count} categories`,
      );
    }
    const codes = places.maskedFill(isUnknown, -1).maskedFill(isMissing, missingPlace);
    return valuesAt(codes.to('int64'), known);
  }
}

const equals = (values: Tensor, value: number): Tensor =>
  Number.isNaN(value) ? values.isnan() : values.eq(tensor(value, { dtype: 'float64' }));
