/** A tick of an axis: where it stands, from 0 (below) to 1, and what it says. */
export interface Tick {
  place: number;
  text: string;
}

/** An axis of parallel coordinates. */
export interface Axis {
  name: string;
  ticks: Tick[];
  /** Where a value stands, from 0 to 1. */
  placeOf: (value: unknown) => number;
}

const mostTicks = 8;
/** Beyond such a ratio the small ones of given values would lie on each other. */
const wideRatio = 20;

/** The axis of values: of numbers a scale, of anything else a place for each. */
export function axisOf(name: string, values: readonly unknown[], isLog: boolean): Axis {
  const numbers = values.filter((value) => typeof value === 'number');
  const isNumeric = numbers.length === values.length && new Set(numbers).size > 1;
  return isNumeric ? numericAxis(name, numbers, isLog) : categoricAxis(name, values);
}

function numericAxis(name: string, values: readonly number[], isLog: boolean): Axis {
  const distinct = [...new Set(values)].sort((a, b) => a - b);
  const [min, max] = [distinct[0]!, distinct.at(-1)!];
  const isFew = distinct.length <= mostTicks;
  const logarithmic = min > 0 && (isLog || (isFew && max / min >= wideRatio));
  const scale = (value: number) => (logarithmic ? Math.log(value) : value);
  const [low, high] = [scale(min), scale(max)];
  const placeOf = (value: unknown) => (scale(value as number) - low) / (high - low);
  const at = (place: number) => {
    const value = low + place * (high - low);
    return logarithmic ? Math.exp(value) : value;
  };
  const shown = isFew && isApart(distinct.map(placeOf)) ? distinct : [min, at(0.25), at(0.5), at(0.75), max];
  return { name, placeOf, ticks: shown.map((value) => ({ place: placeOf(value), text: shortNumber(value) })) };
}

/** Whether texts at these places do not lie on each other. */
const isApart = (places: readonly number[]): boolean =>
  places.every((place, index) => index === 0 || place - places[index - 1]! > 0.06);

function categoricAxis(name: string, values: readonly unknown[]): Axis {
  const texts = values.map(textOf);
  const distinct = [...new Set(texts)];
  const place = (index: number) => (distinct.length === 1 ? 0.5 : index / (distinct.length - 1));
  const every = Math.ceil(distinct.length / (2 * mostTicks));
  const ticks = distinct.flatMap((text, index) => (index % every === 0 ? [{ place: place(index), text }] : []));
  return { name, ticks, placeOf: (value) => place(distinct.indexOf(textOf(value))) };
}

const textOf = (value: unknown): string =>
  value === undefined ? '–' : typeof value === 'string' ? value : JSON.stringify(value);

/** As a person reads it: 0.0012, 12,300, 3.1e-7. */
export function shortNumber(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e7) return value.toExponential(1).replace('.0e', 'e').replace('e+', 'e');
  if (Number.isInteger(value)) return value.toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}
