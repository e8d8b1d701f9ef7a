/** How a quantile is made of the two numbers between which it lies, by numpy's names. */
export type QuantileMethod = 'linear' | 'averaged_inverted_cdf' | 'inverted_cdf';

/** So many numbers of a column are kept as they are, 8 bytes each. */
export const EXACT = 1_000_000;
/** Numbers in a buffer of the sketch. */
const BUFFER = 32_768;

const concatenated = (parts: readonly Float64Array[], length: number): Float64Array => {
  const all = new Float64Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

/**
 * The quantiles of a column's numbers: exact for the first `exact` of them, and by a sketch of buffers beyond, in which a number of
 * level h stands for 2^h. Two full buffers of a level become one of the next, of every other number of both in their order. Each
 * time a rank is off by 2^h at most, so after n numbers by `n · log2(n / buffer) / (2 · buffer)` at most, for certain: 0.013 % of n for ten
 * million numbers. As Munro and Paterson, "Selection and sorting with limited storage", 1980; sketches can be merged.
 */
export class Quantiles {
  #count = 0;
  #parts: Float64Array[] = [];
  #levels: Float64Array[][] | null = null;
  // Which of two numbers stays alternates, so that what the buffers are off cancels out mostly.
  #keepsSecond = false;

  constructor(
    private readonly exact = EXACT,
    private readonly buffer = BUFFER,
  ) {}

  get count(): number {
    return this.#count;
  }

  get isExact(): boolean {
    return this.#levels === null;
  }

  /** How many ranks a quantile may be off. */
  get rankError(): number {
    return this.isExact ? 0 : (this.#count * Math.max(1, Math.log2(this.#count / this.buffer))) / (2 * this.buffer);
  }

  /** Takes numbers, none of them NaN. */
  add(values: Float64Array): void {
    if (values.length === 0) return;
    this.#count += values.length;
    this.#parts.push(values.slice());
    if (this.isExact && this.#count > this.exact) this.#levels = [];
    if (!this.isExact) this.#fillBuffers();
  }

  /** Takes what another has seen. */
  merge(other: Quantiles): void {
    other.#levels?.forEach((buffers, level) => buffers.forEach((buffer) => this.#put(buffer, level)));
    for (const part of other.#parts) this.add(part);
    this.#count += (other.#levels ?? []).reduce((sum, each, level) => sum + each.length * this.buffer * 2 ** level, 0);
  }

  /** The quantiles at these fractions, 0 to 1; NaN without numbers. */
  at(fractions: readonly number[], method: QuantileMethod): number[] {
    if (this.#count === 0) return fractions.map(() => NaN);
    if (!this.isExact) return this.#sketched(fractions);
    const sorted = concatenated(this.#parts, this.#count).sort();
    this.#parts = [sorted];
    return fractions.map((fraction) => quantileOf(sorted, fraction, method));
  }

  // Numbers of parts become full buffers; what is left over stays.
  #fillBuffers(): void {
    const waiting = this.#parts.reduce((sum, part) => sum + part.length, 0);
    if (waiting < this.buffer) return;
    const all = concatenated(this.#parts, waiting);
    let at = 0;
    for (; at + this.buffer <= waiting; at += this.buffer) this.#put(all.slice(at, at + this.buffer).sort(), 0);
    this.#parts = at < waiting ? [all.slice(at)] : [];
  }

  #put(full: Float64Array, level: number): void {
    const levels = (this.#levels ??= []);
    while (levels.length <= level) levels.push([]);
    const other = levels[level]!.pop();
    if (other === undefined) {
      levels[level]!.push(full);
      return;
    }
    const offset = this.#keepsSecond ? 1 : 0;
    this.#keepsSecond = !this.#keepsSecond;
    this.#put(everyOther(other, full, offset), level + 1);
  }

  #sketched(fractions: readonly number[]): number[] {
    const runs = this.#levels!.flatMap((buffers, level) => buffers.map((values) => runOf(values, 2 ** level)));
    runs.push(...this.#parts.map((values) => runOf(values.slice().sort(), 1)));
    const { values, weights } = runs.reduce(merged);
    let [place, before] = [0, weights[0]!];
    return [...fractions.entries()]
      .sort(([, a], [, b]) => a - b)
      .reduce<number[]>((found, [i, fraction]) => {
        const rank = fraction * (this.#count - 1);
        while (before <= rank && place + 1 < values.length) before += weights[++place]!;
        found[i] = values[place]!;
        return found;
      }, []);
  }
}

/** Numbers in their order, and how many each stands for. */
interface Run {
  values: Float64Array;
  weights: Float64Array;
}

const runOf = (values: Float64Array, weight: number): Run => ({
  values,
  weights: new Float64Array(values.length).fill(weight),
});

function merged(a: Run, b: Run): Run {
  const length = a.values.length + b.values.length;
  const [values, weights] = [new Float64Array(length), new Float64Array(length)];
  for (let at = 0, i = 0, j = 0; at < length; ++at) {
    const isFirst = j === b.values.length || (i < a.values.length && a.values[i]! <= b.values[j]!);
    values[at] = isFirst ? a.values[i]! : b.values[j]!;
    weights[at] = isFirst ? a.weights[i++]! : b.weights[j++]!;
  }
  return { values, weights };
}

/** Every other number of two buffers in their order, from the first or the second on. */
function everyOther(a: Float64Array, b: Float64Array, offset: number): Float64Array {
  const kept = new Float64Array(a.length);
  for (let at = 0, i = 0, j = 0; at < 2 * a.length; ++at) {
    const isFirst = j === b.length || (i < a.length && a[i]! <= b[j]!);
    const value = isFirst ? a[i++]! : b[j++]!;
    if (at % 2 === offset) kept[(at - offset) / 2] = value;
  }
  return kept;
}

/** A quantile of numbers in their order, rounded as numpy rounds it. */
function quantileOf(sorted: Float64Array, fraction: number, method: QuantileMethod): number {
  const count = sorted.length;
  const place = method === 'linear' ? (count - 1) * fraction : count * fraction - 1;
  if (place < 0) return sorted[0]!;
  if (place >= count - 1) return sorted[count - 1]!;
  const lower = Math.floor(place);
  const [a, b] = [sorted[lower]!, sorted[lower + 1]!];
  const share = shareOf(place - lower, method);
  return share >= 0.5 ? b - (b - a) * (1 - share) : a + (b - a) * share;
}

/** How far from the lower number to the upper the quantile is. */
function shareOf(rest: number, method: QuantileMethod): number {
  if (method === 'linear') return rest;
  if (rest > 0) return 1;
  return method === 'inverted_cdf' ? 0 : 0.5;
}
