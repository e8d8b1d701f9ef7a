/** Round numbers from `least` to `most`, no more than `count` of them, with what is written beside them. */
export interface Ticks {
  values: number[];
  labels: string[];
}

/** Ticks at multiples of 1, 2 or 5 times a power of ten; for whole numbers, at whole numbers alone. */
export function ticksBetween(least: number, most: number, count: number, isWhole = false): Ticks {
  const step = stepOf(most - least, count, isWhole);
  const first = Math.ceil(least / step - 1e-9);
  const last = Math.floor(most / step + 1e-9);
  const values = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * step);
  return { values, labels: values.map((value) => labelOf(value, step, Math.max(Math.abs(least), Math.abs(most)))) };
}

/** The least round step with which so many ticks suffice. */
function stepOf(range: number, count: number, isWhole: boolean): number {
  const least = Math.max(range / Math.max(1, count - 1), Number.MIN_VALUE);
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= least * (1 - 1e-9)) ?? 10 * power;
  return isWhole ? Math.max(1, Math.round(step)) : step;
}

/** With as many digits as tell ticks apart; in powers of ten where that is shorter. */
function labelOf(value: number, step: number, largest: number): string {
  if (value === 0) return '0';
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  if (decimals > 5 || largest >= 1e6) {
    const power = (of: number) => Math.floor(Math.log10(Math.abs(of)) + 1e-9);
    return value.toExponential(Math.min(Math.max(0, power(value) - power(step)), 6)).replace('e+', 'e');
  }
  return value.toFixed(decimals);
}
