/** Round numbers from `least` to `most`, about `count` of them, with what is written beside them. */
export interface Ticks {
  values: number[];
  labels: string[];
}

/** Ticks at multiples of 1, 2 or 5 times a power of ten, two of them at least; for whole numbers, at whole numbers alone. */
export function ticksBetween(least: number, most: number, count: number, isWhole = false): Ticks {
  const largest = Math.max(Math.abs(least), Math.abs(most));
  for (let step = stepOf((most - least) / Math.max(1, count - 1), isWhole); ; step = stepOf(step / 2.5, isWhole)) {
    const first = Math.ceil(least / step - 1e-9);
    const last = Math.floor(most / step + 1e-9);
    if (last <= first && !(isWhole && step === 1)) continue;
    const values = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
    return { values, labels: values.map((value) => labelOf(value, step, largest)) };
  }
}

/** The least round step that is no less. */
function stepOf(least: number, isWhole: boolean): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5].map((factor) => factor * power).find((each) => each >= least * (1 - 1e-9)) ?? 10 * power;
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
