import type { Complex } from './dtype.js';
import type { NestedArray, Tensor } from './tensor.js';

// As torch.set_printoptions: above the threshold only the edges of each dimension are shown.
const threshold = 1000;
const edgeItems = 3;
const precision = 4;

type Element = number | bigint | boolean | Complex;

/** Indices along a dimension that are shown; -1 stands for the gap. */
function shown(size: number, summarize: boolean): number[] {
  if (!summarize || size <= 2 * edgeItems) return Array.from({ length: size }, (_, i) => i);
  const head = Array.from({ length: edgeItems }, (_, i) => i);
  return [...head, -1, ...head.map((i) => size - edgeItems + i)];
}

function isWhole(values: number[]): boolean {
  return values.every((v) => !Number.isFinite(v) || Number.isInteger(v));
}

function useScientific(values: number[]): boolean {
  const sizes = values.filter((v) => Number.isFinite(v) && v !== 0).map(Math.abs);
  if (sizes.length === 0) return false;
  const [max, min] = [Math.max(...sizes), Math.min(...sizes)];
  return max / min > 1000 || max > 1e8 || (min < 1e-4 && !isWhole(values));
}

function exponential(value: number, digits: number): string {
  return value.toExponential(digits).replace(/e([+-])(\d)$/, 'e$10$2');
}

function special(value: number): string | undefined {
  if (Number.isNaN(value)) return 'nan';
  return Number.isFinite(value) ? undefined : value > 0 ? 'inf' : '-inf';
}

/** How the floating-point numbers of a tensor are written: all in one style, as PyTorch does. */
function floatStyle(values: number[]): (value: number) => string {
  if (isWhole(values)) {
    const large = values.some((v) => Number.isFinite(v) && Math.abs(v) > 1e8);
    return (v) => special(v) ?? (large ? exponential(v, precision) : `${Object.is(v, -0) ? '-0' : v}.`);
  }
  if (useScientific(values)) return (v) => special(v) ?? exponential(v, precision);
  return (v) => special(v) ?? (Object.is(v, -0) || (v < 0 && v > -0.00005) ? '-' + Math.abs(v).toFixed(precision) : v.toFixed(precision));
}

function style(values: Element[], isFloat: boolean): (value: Element) => string {
  if (typeof values[0] === 'object') {
    const re = floatStyle((values as Complex[]).map((v) => v.re));
    const im = floatStyle((values as Complex[]).map((v) => Math.abs(v.im)));
    return (v) => `${re((v as Complex).re)}${(v as Complex).im < 0 ? '-' : '+'}${im(Math.abs((v as Complex).im))}j`;
  }
  if (!isFloat) return (v) => (typeof v === 'boolean' ? (v ? 'True' : 'False') : String(v));
  const format = floatStyle(values as number[]);
  return (v) => format(v as number);
}

/** The elements that are shown, nested; `null` is the gap. */
function collect(tensor: Tensor, summarize: boolean): NestedArray<Element | null> {
  if (!summarize) return tensor.detach().tolist();
  if (tensor.ndim === 0) return tensor.detach().tolist();
  return shown(tensor.shape[0]!, summarize).map((i) => (i < 0 ? null : collect(tensor.select(0, i), summarize)));
}

function leaves(nested: NestedArray<Element | null>): Element[] {
  if (Array.isArray(nested)) return nested.flatMap(leaves);
  return nested === null ? [] : [nested];
}

function layOut(nested: NestedArray<Element | null>, write: (v: Element) => string, width: number, indent: number): string {
  if (!Array.isArray(nested)) return nested === null ? '...' : write(nested).padStart(width);
  const parts = nested.map((item) => layOut(item, write, width, indent + 1));
  if (!nested.some(Array.isArray)) return `[${wrapLine(parts, indent)}]`;
  const depth = depthOf(nested);
  return `[${parts.join(`,${'\n'.repeat(depth - 1)}${' '.repeat(indent + 1)}`)}]`;
}

function depthOf(nested: NestedArray<Element | null>): number {
  return Array.isArray(nested) ? 1 + Math.max(0, ...nested.map(depthOf)) : 0;
}

function wrapLine(parts: string[], indent: number): string {
  const perLine = Math.max(1, Math.floor((80 - indent) / ((parts[0]?.length ?? 0) + 2)));
  const lines: string[] = [];
  for (let i = 0; i < parts.length; i += perLine) lines.push(parts.slice(i, i + perLine).join(', '));
  return lines.join(`,\n${' '.repeat(indent + 1)}`);
}

/** A tensor as PyTorch prints it: `tensor([[1., 2.],\n        [3., 4.]])`. */
export function formatTensor(tensor: Tensor): string {
  if (tensor.isDisposed) return 'tensor(<disposed>)';
  const { dtype, shape } = tensor;
  const isFloat = /^(float|bfloat)/.test(dtype);
  const notes: string[] = [];
  const nested = collect(tensor, tensor.numel() > threshold);
  const values = leaves(nested);
  const write = style(values, isFloat);
  const width = Math.max(0, ...values.map((v) => write(v).length));
  if (tensor.numel() === 0 && shape.length !== 1) notes.push(`size=(${shape.join(', ')})`);
  if (tensor.device !== 'cpu') notes.push(`device='${tensor.device}'`);
  if (!['float32', 'int64', 'bool', 'complex64'].includes(dtype)) notes.push(`dtype=torch.${dtype}`);
  else if (tensor.numel() === 0 && dtype !== 'float32') notes.push(`dtype=torch.${dtype}`);
  const gradFn = tensor.gradFn;
  if (gradFn !== null) notes.push(`grad_fn=<${gradFn}>`);
  else if (tensor.requiresGrad) notes.push('requires_grad=True');
  const body = tensor.numel() === 0 ? '[]' : layOut(nested, write, tensor.ndim === 0 ? 0 : width, 7);
  return `tensor(${[body, ...notes].join(', ')})`;
}
