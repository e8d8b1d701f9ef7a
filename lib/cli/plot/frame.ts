import type { Colors } from 'picocolors/types.js';

import { dotsAcross, dotsDown, type Cell } from './canvas.js';
import { ticksBetween, type Ticks } from './ticks.js';

export interface Range {
  least: number;
  most: number;
}

/** What finite values span; undefined where there are none. */
export function rangeOf(values: readonly number[]): Range | undefined {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return undefined;
  return finite.reduce(({ least, most }, value) => ({ least: Math.min(least, value), most: Math.max(most, value) }), { least: Infinity, most: -Infinity }); // prettier-ignore
}

/** The dot, of so many, at which a value lies. Means of wider places than the range was taken of may lie beside it. */
export function place(value: number, { least, most }: Range, dots: number): number {
  if (most <= least) return Math.floor(dots / 2);
  return Math.round(Math.min(1, Math.max(0, (value - least) / (most - least))) * (dots - 1));
}

/** The rows of the plot with the values beside them. */
export function framed(
  cells: Cell[][],
  ticks: Ticks,
  ys: Range,
  margin: number,
  paint: (text: string, curve: number) => string,
  colors: Colors,
): string[] {
  const dots = cells.length * dotsDown;
  const rowOf = (value: number) => Math.floor((dots - 1 - place(value, ys, dots)) / dotsDown);
  const labels = new Map(ticks.values.map((value, i) => [rowOf(value), ticks.labels[i]!]));
  return cells.map((row, i) => {
    const label = labels.get(i);
    const edge = colors.dim(`${(label ?? '').padStart(margin - 1)} ${label === undefined ? '│' : '┤'}`);
    const text = row.map((cell) => (cell.curve === undefined ? cell.text : paint(cell.text, cell.curve))).join('');
    return edge + text.trimEnd();
  });
}

/** The axis below the plot, with whole numbers where they fit. */
export function axis(xs: Range, columns: number, margin: number, colors: Colors): string[] {
  const { least, most } = xs;
  const fitting = Math.floor(columns / (String(Math.round(most)).length + 3));
  const { values, labels } =
    least < most
      ? ticksBetween(least, most, Math.min(Math.max(2, fitting), 8), true)
      : { values: [least], labels: [String(least)] };
  const line = new Array<string>(columns).fill('─');
  const text = new Array<string>(columns + margin + 1).fill(' ');
  let free = 0;
  values.forEach((value, i) => {
    const column = Math.floor(place(value, xs, columns * dotsAcross) / dotsAcross);
    line[column] = '┬';
    const label = labels[i]!;
    const start = Math.min(Math.max(0, column + margin + 1 - Math.floor(label.length / 2)), text.length - label.length);
    if (start < free) return;
    [...label].forEach((character, k) => (text[start + k] = character));
    free = start + label.length + 1;
  });
  return [`${' '.repeat(margin)}└${line.join('')}`, text.join('').trimEnd()].map((each) => colors.dim(each));
}
