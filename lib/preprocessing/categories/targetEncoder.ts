import { z } from 'zod';

import { anything, boolean, either, kind as kindOf, notNegative, oneOf, string } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { Generator, keep, tensor, type Tensor } from '../../tensor/index.js';
import { frameOf, refusal, type Column, type Frame, type TableColumns } from '../tables/frame.js';
import { SameFormPreprocessor } from '../tables/sameFormPreprocessor.js';
import { categoriesProblem, categoriesSchema, codesOf, madeOnce, type Category } from './categories.js';
import { foldsOf } from './folds.js';
import { TargetStatistics, type Spread, type TargetType } from './targetStatistics.js';

export interface TargetEncoderOptions {
  /** The column with the target, which only fit needs. */
  target: string;
  /** What the target is; default 'auto': classes for strings and for whole numbers, else continuous. */
  targetType?: 'auto' | TargetType;
  /** How much the target's mean counts beside a category's own, in rows; default 'auto', by the variances (empirical Bayes). */
  smooth?: 'auto' | number;
  /** Parts of `crossFit`, 2 or more; default 5. */
  cv?: number;
  /** Whether `crossFit` shuffles the rows before it divides them; default true. */
  shuffle?: boolean;
}

export interface CrossFitOptions {
  /** What draws the shuffle; default a generator with the seed 0. */
  generator?: Generator;
}

const takes = signature<TargetEncoderOptions>(
  {},
  {
    target: string,
    targetType: oneOf('auto', 'continuous', 'binary', 'multiclass'),
    smooth: either(oneOf('auto'), notNegative),
    cv: kindOf<number>('a whole number, 2 or more', (value) => Number.isSafeInteger(value) && Number(value) >= 2),
    shuffle: boolean,
  },
  ['target'],
);
const crossFitTakes = signature<CrossFitOptions>(
  { columns: anything },
  { generator: kindOf<Generator>('a Generator', (value) => value instanceof Generator) },
);

const schema = z.strictObject({
  categories: z.array(categoriesSchema),
  classes: z.array(z.union([z.string(), z.number()])).nullable(),
  /** The target's mean, of each class. */
  means: z.array(z.number()).min(1),
  /** Of each column, of each class, of each category. */
  encodings: z.array(z.array(z.array(z.number()))),
});
type Learnt = z.infer<typeof schema>;

/**
 * The mean of the target beside each category, drawn towards the mean of all (float64). With more than two classes a column has one of
 * each, `column_class`; values that were not there in fit get the mean of all. A model that is trained on the rows of fit must take
 * `crossFit`, or it sees its own targets. As `sklearn.preprocessing.TargetEncoder`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { TargetEncoder } from 'aiforge/preprocessing';
 * const encoder = new TargetEncoder({ target: 'price', smooth: 0, targetType: 'continuous' });
 * encoder.fit({ city: ['Oslo', 'Rome', 'Oslo'], price: tensor([1, 5, 2]) });
 * encoder.transform({ city: 'Oslo' }).city; // 1.5
 */
export class TargetEncoder extends SameFormPreprocessor<Learnt> {
  protected override readonly kind = 'TargetEncoder';
  protected override readonly options: Required<TargetEncoderOptions> & Record<string, string | number | boolean>;
  protected override readonly schema = schema;
  #statistics: TargetStatistics;

  constructor(options: TargetEncoderOptions) {
    takes.check('TargetEncoder', arguments);
    super();
    const { target, targetType = 'auto', smooth = 'auto', cv = 5, shuffle = true } = options;
    if (smooth === Infinity) throw refusal('TargetEncoder', "smooth must be a finite number or 'auto', got Infinity");
    this.options = { target, targetType, smooth, cv, shuffle };
    this.#statistics = new TargetStatistics('TargetEncoder.fit', targetType);
  }

  /** @internal */
  override get fitsOn(): readonly string[] {
    return [this.options.target];
  }

  /**
   * Fits, and gives each row encodings that were learnt without the part of the rows that it is in, so that it does not tell its own
   * target: for training. Parts are as `KFold` and, for classes, `StratifiedKFold` of scikit-learn make them. All rows are in memory.
   */
  crossFit(columns: TableColumns, options: CrossFitOptions = {}): TableColumns {
    crossFitTakes.check(`${this.kind}.crossFit`, arguments);
    this.fit(columns);
    return this.computed(() => this.#crossFitted(frameOf(`${this.kind}.crossFit`, columns), options));
  }

  protected override begin(): void {
    this.#statistics = new TargetStatistics(`${this.kind}.fit`, this.options.targetType);
  }

  protected override learn(frame: Frame, fitting: Frame): void {
    this.#statistics.add(frame, this.options.target, fitting.columns[0]!);
  }

  protected override conclude(names: readonly string[]): Learnt {
    if (this.#statistics.columns.length === 0) throw refusal(`${this.kind}.fit`, 'there is nothing to learn from: the batches have no rows'); // prettier-ignore
    return this.#learntFrom(this.#statistics, names);
  }

  protected override problemOf({ categories, classes, means, encodings }: Learnt, names: readonly string[]) {
    const width = classes?.length ?? 1;
    const fits =
      means.length === width &&
      encodings.length === names.length &&
      encodings.every(
        (each, i) => each.length === width && each.every((row) => row.length === categories[i]?.values.length),
      );
    return categoriesProblem(categories, names) ?? (fits ? undefined : 'the encodings do not fit the categories');
  }

  protected override namesOut(names: readonly string[], { classes }: Learnt): readonly string[] {
    if (classes === null) return names;
    return names.flatMap((name) => classes.map((each) => `${name}_${each}`));
  }

  protected override applied(frame: Frame, learnt: Learnt): Frame {
    const columns = frame.columns.flatMap((column, i) => {
      const known = learnt.categories[i]!;
      const codes = codesOf(`${this.kind}.transform`, frame.names[i]!, column, known);
      return learnt.encodings[i]!.map((encoding, j) => {
        const found = encodingOf(encoding).indexSelect(0, codes.clampMin(0));
        return found.maskedFill(codes.lt(0), learnt.means[j]!);
      });
    });
    return frame.with(this.namesOut(frame.names, learnt), columns);
  }

  protected override undone(): Frame {
    throw refusal(
      `${this.kind}.inverseTransform`,
      'several categories may have one encoding, so they cannot be had back',
    );
  }

  #learntFrom(statistics: TargetStatistics, names: readonly string[], classes = classesOf(statistics)): Learnt {
    const type = statistics.targetType();
    const wanted: (Category | undefined)[] = classes ?? [undefined];
    const categories = names.map((_, i) => statistics.columns[i]!.seen.categories());
    return {
      categories,
      classes: type === 'multiclass' ? (classes as (string | number)[]) : null,
      means: wanted.map((each) => statistics.spread(each).mean),
      encodings: categories.map(({ values }, i) =>
        wanted.map((each) => {
          const all = statistics.spread(each);
          return values.map((value) => this.#encoding(statistics.columns[i]!.spread(value, each), all));
        }),
      ),
    };
  }

  #encoding({ count, mean, squares }: Spread, all: Spread): number {
    const { smooth } = this.options;
    if (smooth !== 'auto') return (mean * count + smooth * all.mean) / (count + smooth);
    const variance = all.squares / all.count;
    const weight = (variance * count) / (variance * count + squares / count);
    return Number.isNaN(weight) ? all.mean : weight * mean + (1 - weight) * all.mean;
  }

  #crossFitted(table: Frame, { generator = new Generator().manualSeed(0) }: CrossFitOptions): TableColumns {
    const who = `${this.kind}.crossFit`;
    if (table.form !== 'columns' && table.form !== 'matrix') throw refusal(who, 'expected columns, got one row');
    const { target, cv, shuffle } = this.options;
    if (table.rows < cv) throw refusal(who, `${show(table.rows)} rows cannot be divided into ${cv} parts`);
    const column = table.select(who, [target], 'allowed').columns[0]!;
    const frame = table.select(who, this.columns(), 'allowed');
    const whole = new TargetStatistics(who, this.options.targetType);
    whole.add(frame, target, column);
    const type = whole.targetType();
    const folds = foldsOf(column, type === 'continuous', cv, shuffle ? generator : null);
    const encoded = Array.from({ length: cv }, (_, fold) => {
      const statistics = new TargetStatistics(who, type);
      const others = folds.ne(fold);
      statistics.add(rowsOf(frame, others), target, rowsOfColumn(column, others));
      return this.applied(rowsOf(frame, folds.eq(fold)), this.#learntFrom(statistics, frame.names, classesOf(whole)));
    });
    return this.#together(encoded, folds, frame).item(who) as TableColumns;
  }

  /** The rows of the parts, each in its place. */
  #together(parts: readonly Frame[], folds: Tensor, frame: Frame): Frame {
    const names = parts[0]!.names;
    const columns = names.map((_, i) => {
      const result = tensor(new Array<number>(frame.rows).fill(0), { dtype: 'float64' });
      parts.forEach((part, fold) => result.maskedScatter_(folds.eq(fold), part.columns[i] as Tensor));
      return result;
    });
    return frame.with(names, columns);
  }
}

const classesOf = (statistics: TargetStatistics): Category[] | null =>
  statistics.targetType() === 'continuous' ? null : statistics.classes();

const encodingOf = madeOnce((encoding: readonly number[]) => keep(tensor([...encoding], { dtype: 'float64' })));

const rowsOfColumn = (column: Column, wanted: Tensor): Column => {
  if (!Array.isArray(column)) return column.maskedSelect(wanted);
  const isWanted = wanted.tolist<boolean[]>();
  return column.filter((_, row) => isWanted[row]);
};

const rowsOf = (frame: Frame, wanted: Tensor): Frame => {
  const columns = frame.columns.map((column) => rowsOfColumn(column, wanted));
  return frameOf('TargetEncoder', Object.fromEntries(frame.names.map((name, i) => [name, columns[i]!])));
};
