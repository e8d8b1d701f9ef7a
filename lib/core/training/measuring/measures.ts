import { full, keep, Tensor } from '../../../tensor/index.js';
import { RunningSum, type Measured } from './runningSum.js';

/** How the values of a pass's batches become one: a mean weighted as the loss is, or one of the others. */
export type Reduce = 'mean' | 'sum' | 'min' | 'max';

export const reductions = ['mean', 'sum', 'min', 'max'] as const satisfies Reduce[];

/** The values of one name over a pass. Its numbers are added up over ranks where it is a mean or a sum. */
interface Measure {
  readonly reduce: Reduce;
  add(value: Measured, weight: number): void;
  readonly value: number;
  /** All that it consists of, for a checkpoint and for other ranks. */
  numbers(): number[];
}

class Mean implements Measure {
  readonly reduce = 'mean';
  readonly #sum: RunningSum;
  #weight: number;

  constructor([sum = 0, weight = 0]: readonly number[]) {
    this.#sum = new RunningSum(sum);
    this.#weight = weight;
  }

  add(value: Measured, weight: number): void {
    if (weight > 0) this.#sum.add(value, weight);
    this.#weight += weight;
  }

  get value(): number {
    return this.#sum.value / this.#weight;
  }

  numbers(): number[] {
    return [this.#sum.value, this.#weight];
  }
}

class Sum implements Measure {
  readonly reduce = 'sum';
  readonly #sum: RunningSum;

  constructor([sum = 0]: readonly number[]) {
    this.#sum = new RunningSum(sum);
  }

  add(value: Measured): void {
    this.#sum.add(value, 1);
  }

  get value(): number {
    return this.#sum.value;
  }

  numbers(): number[] {
    return [this.value];
  }
}

/** The least or the largest, kept where the values are: a GPU goes on until it is read. */
class Extreme implements Measure {
  #number: number;
  #onDevice: Tensor | undefined;

  constructor(
    readonly reduce: 'min' | 'max',
    [number = reduce === 'min' ? Infinity : -Infinity]: readonly number[],
  ) {
    this.#number = number;
  }

  add(value: Measured): void {
    if (!Tensor.isTensor(value)) {
      this.#number = Math[this.reduce](this.#number, value);
      return;
    }
    this.#onDevice ??= keep(full([], this.#number, { dtype: 'float64', device: value.device }));
    const given = value.reshape([]).to('float64');
    this.#onDevice.copy_(this.reduce === 'min' ? this.#onDevice.minimum(given) : this.#onDevice.maximum(given));
  }

  get value(): number {
    return this.#onDevice === undefined ? this.#number : this.#onDevice.item<number>();
  }

  numbers(): number[] {
    return [this.value];
  }
}

function measure(reduce: Reduce, numbers: readonly number[] = []): Measure {
  if (reduce === 'mean') return new Mean(numbers);
  return reduce === 'sum' ? new Sum(numbers) : new Extreme(reduce, numbers);
}

const sizes: Record<Reduce, number> = { mean: 2, sum: 1, min: 1, max: 1 };

const combine: Record<Reduce, (a: number, b: number) => number> = {
  mean: (a, b) => a + b,
  sum: (a, b) => a + b,
  min: Math.min,
  max: Math.max,
};

/** What the steps of a pass measure beside the loss, by name. */
export class Measures {
  readonly #all = new Map<string, Measure>();

  add(name: string, reduce: Reduce, value: Measured, weight: number): void {
    const known = this.#all.get(name) ?? measure(reduce);
    this.#all.set(name, known);
    known.add(value, weight);
  }

  /** How a name's values become one; undefined for one that was not measured. */
  reduceOf(name: string): Reduce | undefined {
    return this.#all.get(name)?.reduce;
  }

  get names(): string[] {
    return [...this.#all.keys()];
  }

  /** The value of one name; undefined for one that was not measured. */
  value(name: string): number | undefined {
    return this.#all.get(name)?.value;
  }

  values(): Record<string, number> {
    return Object.fromEntries([...this.#all].map(([name, { value }]) => [name, value]));
  }

  /** Its names with how each is reduced, as `restore` takes them. */
  get keys(): string[] {
    return [...this.#all].map(([name, { reduce }]) => `${name}:${reduce}`);
  }

  /** The numbers of these keys, in their order; those that say nothing where a name was not measured here. */
  numbers(keys: readonly string[]): number[] {
    return keys.flatMap((key) => {
      const [name, reduce] = parse(key);
      return this.#all.get(name)?.numbers() ?? (sizes[reduce] === 2 ? [0, 0] : measure(reduce).numbers());
    });
  }

  /** Takes what `numbers` gave for these keys. */
  static restore(keys: readonly string[], numbers: readonly number[]): Measures {
    const made = new Measures();
    let at = 0;
    for (const key of keys) {
      const [name, reduce] = parse(key);
      made.#all.set(name, measure(reduce, numbers.slice(at, (at += sizes[reduce]))));
    }
    return made;
  }

  /** What several ranks gave by `numbers` for these keys, as one. */
  static combine(keys: readonly string[], ranks: readonly (readonly number[])[]): Measures {
    const owners = keys.flatMap((key) => {
      const [, reduce] = parse(key);
      return new Array<Reduce>(sizes[reduce]).fill(reduce);
    });
    const numbers = owners.map((reduce, i) => ranks.map((own) => own[i]!).reduce(combine[reduce]));
    return Measures.restore(keys, numbers);
  }

  /** How many numbers these keys have. */
  static size(keys: readonly string[]): number {
    return keys.reduce((sum, key) => sum + sizes[parse(key)[1]], 0);
  }
}

function parse(key: string): [string, Reduce] {
  const at = key.lastIndexOf(':');
  return [key.slice(0, at), key.slice(at + 1) as Reduce];
}
