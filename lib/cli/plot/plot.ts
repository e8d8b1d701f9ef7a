import type { Colors } from 'picocolors/types.js';

import { Canvas, dotsAcross, dotsDown } from './canvas.js';
import { gapsIn, piecesOf, type Curve, type Point } from './curve.js';
import { axis, framed, place, rangeOf, type Range } from './frame.js';
import { ticksBetween } from './ticks.js';

export interface PlotOptions {
  title: string;
  /** What `x` counts, such as `epochs`. */
  across: string;
  /** Characters in a line, all in all. */
  width: number;
  /** Lines of the plot itself, without title and axis. Default: 10. */
  height?: number;
  colors: Colors;
}

const leastWidth = 30;
const hues = ['cyan', 'yellow', 'magenta', 'green', 'blue', 'red'] as const;
/** What tells curves apart where there are no colours. */
const marks = ['●', '○', '×', '+', '▲', '△', '■', '□'] as const;
const lone = '•';

/** Curves in characters, with title, legend and axes; what cannot be drawn is told below. */
export function plot(curves: readonly Curve[], options: PlotOptions): string {
  const { title, across, height = 10, colors } = options;
  const width = Math.max(options.width, leastWidth);
  const style = styleOf(curves.length, colors);
  const heading = [`${colors.bold(title)} ${colors.dim(`over ${across}`)}`, ...legend(curves, style, width)];
  const xs = rangeOf(curves.flatMap(({ points }) => points.map(([x]) => x)));
  const drawn = (columns: number) => curves.map((curve) => piecesOf(curve, xs?.least ?? 0, xs?.most ?? 0, columns));
  const ys = rangeOf(drawn(width * dotsAcross).flat(2).map(([, y]) => y)); // prettier-ignore
  if (xs === undefined || ys === undefined) return [...heading, colors.dim('  nothing to draw: no value is finite')].join('\n'); // prettier-ignore
  const isLevel = ys.least === ys.most;
  const padded = isLevel ? around(ys.least) : ys;
  const ticks = isLevel
    ? { values: [ys.least], labels: [String(Number(ys.least.toPrecision(4)))] }
    : ticksBetween(ys.least, ys.most, Math.ceil(height / 2));
  const margin = Math.max(...ticks.labels.map((label) => label.length)) + 1;
  const canvas = new Canvas(width - margin - 1, height);
  drawn(canvas.columns * dotsAcross).forEach((pieces, curve) => draw(canvas, pieces, curve, { xs, ys: padded }, style));
  return [
    ...heading,
    ...framed(canvas.cells(), ticks, padded, margin, style.paint, colors),
    ...axis(xs, canvas.columns, margin, colors),
    ...gapsOf(curves, width, colors),
  ].join('\n');
}

interface Style {
  /** A character for each curve in place of its dots; undefined where colours tell them apart. */
  markOf: (curve: number) => string | undefined;
  paint: (text: string, curve: number) => string;
}

function styleOf(count: number, colors: Colors): Style {
  if (colors.isColorSupported) {
    return { markOf: () => undefined, paint: (text, curve) => colors[hues[curve % hues.length]!](text) };
  }
  return {
    markOf: (curve) => (count > 1 ? marks[curve % marks.length] : undefined),
    paint: (text) => text,
  };
}

/** The names of the curves, in as many lines as they need; none where the title says it. */
function legend(curves: readonly Curve[], { markOf, paint }: Style, width: number): string[] {
  if (curves.length < 2) return [];
  const lines: { text: string; length: number }[] = [];
  curves.forEach(({ name }, curve) => {
    const most = Math.max(1, width - 4);
    const shown = cutStart(name, most);
    const entry = `  ${paint(markOf(curve) ?? '━', curve)} ${shown}`;
    const last = lines.at(-1);
    const length = 4 + shown.length;
    if (last === undefined || last.length + length > width) lines.push({ text: entry, length });
    else Object.assign(last, { text: last.text + entry, length: last.length + length });
  });
  return lines.map(({ text }) => text);
}

/** A value with room above and below. */
function around(value: number): Range {
  const room = Math.abs(value) / 2 || 1;
  return { least: value - room, most: value + room };
}

function draw(
  canvas: Canvas,
  pieces: readonly Point[][],
  curve: number,
  { xs, ys }: { xs: Range; ys: Range },
  style: Style,
) {
  const [across, down] = [canvas.columns * dotsAcross, canvas.rows * dotsDown];
  const at = ([x, y]: Point) => [place(x, xs, across), down - 1 - place(y, ys, down)] as const;
  const mark = style.markOf(curve);
  for (const piece of pieces) {
    const dots = piece.map(at);
    if (mark !== undefined) markAlong(canvas, dots, curve, mark);
    else if (dots.length === 1) canvas.mark(...dots[0]!, curve, lone);
    else for (let i = 1; i < dots.length; ++i) canvas.line(dots[i - 1]!, dots[i]!, curve);
  }
}

/** One character in each column that a piece of a curve passes. */
function markAlong(canvas: Canvas, dots: readonly (readonly [number, number])[], curve: number, mark: string): void {
  canvas.mark(...dots[0]!, curve, mark);
  for (let i = 1; i < dots.length; ++i) {
    const [[x, y], [toX, toY]] = [dots[i - 1]!, dots[i]!];
    for (let next = x + dotsAcross; next < toX; next += dotsAcross)
      canvas.mark(next, Math.round(y + ((toY - y) * (next - x)) / (toX - x)), curve, mark);
    canvas.mark(toX, toY, curve, mark);
  }
}

/** What a gap in a curve was. */
function gapsOf(curves: readonly Curve[], width: number, colors: Colors): string[] {
  return curves.flatMap((curve) => {
    const gaps = gapsIn(curve);
    const text = `: ${gaps} of ${curve.points.length} are not finite`;
    return gaps === 0 ? [] : colors.dim(`  ${cutStart(curve.name, width - 2 - text.length)}${text}`);
  });
}

const cutStart = (text: string, width: number): string =>
  text.length <= width ? text : `…${text.slice(text.length - Math.max(0, width - 1))}`;
