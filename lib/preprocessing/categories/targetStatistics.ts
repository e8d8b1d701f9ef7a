import { zeros, type Tensor } from '../../tensor/index.js';
import { refusal, type Column, type Frame } from '../tables/frame.js';
import {
  CategoryCounts,
  codesOf,
  countsOf,
  numbersIn,
  sortedCategories,
  type Categories,
  type Category,
} from './categories.js';

export type TargetType = 'continuous' | 'binary' | 'multiclass';

/** Count, mean and sum of squared distances from it. */
export interface Spread {
  count: number;
  mean: number;
  squares: number;
}

const none: Spread = { count: 0, mean: 0, squares: 0 };

function merged(a: Spread, b: Spread): Spread {
  if (a.count === 0 || b.count === 0) return a.count === 0 ? b : a;
  const count = a.count + b.count;
  const delta = b.mean - a.mean;
  return {
    count,
    mean: a.mean + (delta * b.count) / count,
    squares: a.squares + b.squares + (delta * delta * a.count * b.count) / count,
  };
}

/** The spread of what is 1 for `hits` of `count` rows and 0 for the others. */
const spreadOfHits = (count: number, hits: number): Spread =>
  count === 0 ? none : { count, mean: hits / count, squares: (hits * (count - hits)) / count };

/** What is known of the target's values beside each category of one column. */
class ColumnStatistics {
  readonly seen = new CategoryCounts();
  readonly spreads = new Map<Category, Spread>();
  readonly classes = new Map<Category, Map<Category, number>>();

  add(who: string, name: string, column: Column, target: Target): void {
    this.seen.add(who, name, column);
    const batch = { kind: this.seen.kind!, values: sortedCategories(countsOf(who, name, column).keys()) } as Categories;
    const codes = codesOf(who, name, column, batch);
    const count = batch.values.length;
    if (target.numbers !== null) this.#addNumbers(codes, batch.values, target.numbers);
    if (target.classes === null) return;
    const width = target.classes.values.length;
    const pairs = codes
      .mul(width)
      .add(target.codes)
      .bincount({ minlength: count * width })
      .tolist<number[]>();
    batch.values.forEach((category, i) => {
      const counts = this.classes.get(category) ?? new Map<Category, number>();
      target.classes!.values.forEach((each, j) => {
        const times = Number(pairs[i * width + j]);
        if (times > 0) counts.set(each, (counts.get(each) ?? 0) + times);
      });
      this.classes.set(category, counts);
    });
  }

  /** The spread of the target beside a category: of its numbers, or of being of a class. */
  spread(category: Category, of: Category | undefined): Spread {
    if (of === undefined) return this.spreads.get(category) ?? none;
    const counts = this.classes.get(category);
    return spreadOfHits(sum(counts), counts?.get(of) ?? 0);
  }

  #addNumbers(codes: Tensor, categories: readonly Category[], numbers: Tensor): void {
    const size = [categories.length];
    const counts = zeros(size, { dtype: 'float64' }).indexAdd(0, codes, numbers.mul(0).add(1));
    const means = zeros(size, { dtype: 'float64' }).indexAdd(0, codes, numbers).div(counts);
    const distances = numbers.sub(means.indexSelect(0, codes)).square();
    const squares = zeros(size, { dtype: 'float64' }).indexAdd(0, codes, distances);
    const [count, mean, square] = [counts, means, squares].map((each) => each.tolist<number[]>());
    categories.forEach((category, i) => {
      const batch = { count: count![i]!, mean: mean![i]!, squares: square![i]! };
      this.spreads.set(category, merged(this.spreads.get(category) ?? none, batch));
    });
  }
}

const sum = (counts: ReadonlyMap<Category, number> | undefined): number =>
  [...(counts?.values() ?? [])].reduce((total, each) => total + each, 0);

/** A batch of the target. */
interface Target {
  numbers: Tensor | null;
  classes: Categories | null;
  codes: Tensor;
}

/** What is known of a target's values, and of those beside each category of each column. */
export class TargetStatistics {
  readonly columns: ColumnStatistics[] = [];
  #all: Spread = none;
  readonly #classes = new CategoryCounts();
  #isWhole = true;

  constructor(
    private readonly who: string,
    private readonly type: 'auto' | TargetType,
  ) {}

  /** Takes a batch. Memory grows with the categories, and with the target's classes where it has classes. */
  add(frame: Frame, name: string, column: Column): void {
    if (frame.rows === 0) return;
    const target = this.#target(name, column);
    frame.columns.forEach((each, i) =>
      (this.columns[i] ??= new ColumnStatistics()).add(this.who, frame.names[i]!, each, target),
    );
  }

  /** What the target is: as it was said, or by its values, as scikit-learn tells. */
  targetType(): TargetType {
    if (this.type !== 'auto') return this.type;
    if (!this.#isWhole) return 'continuous';
    return this.#classes.counts.size > 2 ? 'multiclass' : 'binary';
  }

  /** The target's classes that have an encoding of their own: of two only the second. */
  classes(): Category[] {
    const all = sortedCategories(this.#classes.counts.keys());
    if (this.targetType() === 'multiclass') return all;
    if (all.length > 2) throw refusal(this.who, `the target has ${all.length} values, and a binary one has two`);
    return [all[1] ?? all[0]!];
  }

  get isTextual(): boolean {
    return this.#classes.kind === 'string';
  }

  /** The spread of the target: of its numbers, or of being of a class. */
  spread(of: Category | undefined): Spread {
    if (of === undefined) return this.#all;
    return spreadOfHits(sum(this.#classes.counts), this.#classes.counts.get(of) ?? 0);
  }

  #target(name: string, column: Column): Target {
    const isText = Array.isArray(column);
    const numbers = isText ? null : numbersIn(this.who, name, column);
    if (numbers?.isfinite().logicalNot().any().item()) {
      throw refusal(this.who, `the target '${name}' has numbers that are not finite`);
    }
    if (this.type === 'continuous' && isText) {
      throw refusal(this.who, `the target '${name}' is of strings, and a continuous one has numbers`);
    }
    if (numbers !== null) this.#note(numbers);
    if (this.type === 'continuous' || (this.type === 'auto' && !this.#isWhole)) {
      this.#classes.counts.clear();
      this.columns.forEach(({ classes }) => classes.clear());
      return { numbers, classes: null, codes: numbers! };
    }
    this.#classes.add(this.who, name, column);
    const values = sortedCategories(countsOf(this.who, name, column).keys());
    const classes = { kind: isText ? 'string' : 'number', values } as Categories;
    return { numbers, classes, codes: codesOf(this.who, name, column, classes) };
  }

  #note(numbers: Tensor): void {
    const mean = numbers.mean();
    const squares = numbers.sub(mean).square().sum().item<number>();
    this.#all = merged(this.#all, { count: numbers.numel(), mean: mean.item<number>(), squares });
    if (numbers.ne(numbers.floor()).any().item()) this.#isWhole = false;
  }
}
