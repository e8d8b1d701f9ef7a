import { constants } from 'node:buffer';

import { AiforgeError } from '../../errors.js';
import type { Complex } from '../dtype.js';
import { requireHeapRoom } from '../memory/heapRoom.js';
import { exponential, fixed, special } from './numberText.js';
import { getPrintOptions, type PrintOptions } from './printOptions.js';
import type { NestedArray, Tensor } from '../tensor.js';

type Element = number | bigint | boolean | Complex;

/** How the elements of a tensor are written: all in one way, padded to a width. */
interface Style {
  width: number;
  write(value: Element): string;
}

function floatStyle(values: number[], { precision, sciMode }: PrintOptions): Style {
  const counted = values.filter((v) => Number.isFinite(v) && v !== 0);
  let [min, max] = [Infinity, 0];
  for (const value of counted) {
    min = Math.min(min, Math.abs(value));
    max = Math.max(max, Math.abs(value));
  }
  const hasRange = max / min > 1000 || max > 1e8 || min < 1e-4;
  const isScientific = counted.length > 0 && (sciMode ?? hasRange);
  const isWhole = counted.every(Number.isInteger);
  const finite = (v: number) => {
    if (isScientific) return exponential(v, precision);
    return isWhole ? `${fixed(v, 0)}.` : fixed(v, precision);
  };
  const width = counted.reduce((widest, v) => Math.max(widest, finite(v).length), 1);
  return { width, write: (v) => (special(v as number) ?? finite(v as number)).padStart(width) };
}

function complexStyle(values: Complex[], options: PrintOptions): Style {
  const re = floatStyle(
    values.map((v) => v.re),
    options,
  );
  const im = floatStyle(
    values.map((v) => v.im),
    options,
  );
  const write = (value: Element) => {
    const { re: real, im: imaginary } = value as Complex;
    const text = `${im.write(imaginary)}j`.trimStart();
    return `${re.write(real)}${text.startsWith('-') ? '' : '+'}${text}`;
  };
  return { width: re.width + im.width + 1, write };
}

function exactStyle(values: Element[]): Style {
  const text = (v: Element) => (typeof v === 'boolean' ? (v ? 'True' : 'False') : (v as number | bigint).toString());
  const width = values.reduce<number>((widest, v) => Math.max(widest, text(v).length), 1);
  return { width, write: (v) => text(v).padStart(width) };
}

function styleOf(values: Element[], dtype: string, options: PrintOptions): Style {
  if (dtype.startsWith('complex')) return complexStyle(values as Complex[], options);
  return /^b?float/.test(dtype) ? floatStyle(values as number[], options) : exactStyle(values);
}

/** The elements that are shown: of a long dimension its edges only, side by side. */
function shownElements(tensor: Tensor, isCut: boolean[], edgeItems: number): NestedArray<Element> {
  let shown = tensor.detach();
  for (const [dim, cut] of isCut.entries()) {
    if (!cut) continue;
    // Two windows, one at each end, laid into their dimension again.
    const windows = shown.unfold(dim, edgeItems, shown.size(dim) - edgeItems);
    const rows = windows.movedim(-1, dim + 1);
    const edges = rows.flatten(dim, dim + 1);
    for (const step of [shown, windows, rows]) step.dispose();
    shown = edges;
  }
  try {
    return shown.tolist();
  } finally {
    shown.dispose();
  }
}

function leaves(nested: NestedArray<Element>): Element[] {
  return Array.isArray(nested) ? nested.flatMap(leaves) : [nested];
}

function layOutNested(
  nested: NestedArray<Element>,
  style: Style,
  isCut: boolean[],
  indent: number,
  options: PrintOptions,
): string {
  if (!Array.isArray(nested)) return style.write(nested);
  const parts = nested.map((item) => layOutNested(item, style, isCut.slice(1), indent + 1, options));
  const isVector = isCut.length === 1;
  if (isCut[0]) parts.splice(options.edgeitems, 0, isVector ? ' ...' : '...');
  const margin = ' '.repeat(indent + 1);
  if (!isVector) return `[${parts.join(`,${'\n'.repeat(isCut.length - 1)}${margin}`)}]`;
  const perLine = Math.max(1, Math.floor((options.linewidth - indent) / (style.width + 2)));
  if (perLine >= parts.length) return `[${parts.join(', ')}]`;
  const lines: string[] = [];
  for (let i = 0; i < parts.length; i += perLine) lines.push(parts.slice(i, i + perLine).join(', '));
  return `[${lines.join(`,\n${margin}`)}]`;
}

// An element, the list of all, its text, and the text of its line.
const SHOWN_BYTES = 80;
const SHORTEST_TEXT = 3;

/** Refuses to print what no text holds, or no heap: `sizes` are those shown. */
function requireTextRoom(sizes: number[]): void {
  const elements = sizes.reduce((product, size) => product * size, 1);
  const instead = 'Show less: setPrintOptions({ threshold: 1000 }), or at() for a part.';
  requireHeapRoom('toString', { elements, longest: sizes.at(-1) ?? 1, bytes: SHOWN_BYTES }, instead);
  if (elements * SHORTEST_TEXT < constants.MAX_STRING_LENGTH) return;
  throw new AiforgeError(
    'OUT_OF_MEMORY',
    `toString: the text of ${elements} elements is too long for JavaScript. ${instead}`,
  );
}

/** The elements of a dense tensor in brackets, as PyTorch lays them out `indent` characters from the left. */
export function layOut(tensor: Tensor, indent: number): string {
  if (tensor.numel() === 0) return '[]';
  const options = getPrintOptions();
  const { shape } = tensor;
  const isLong = tensor.numel() > options.threshold;
  if (isLong && options.edgeitems === 0 && shape.length > 0) return '[...]';
  const isCut = shape.map((size) => isLong && size > 2 * options.edgeitems);
  requireTextRoom(shape.map((size, dim) => (isCut[dim] ? 2 * options.edgeitems : size)));
  const nested = shownElements(tensor, isCut, options.edgeitems);
  return layOutNested(nested, styleOf(leaves(nested), tensor.dtype, options), isCut, indent, options);
}
