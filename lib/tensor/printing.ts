import type { Complex } from './dtype.js';
import type { NestedArray, Tensor } from './tensor.js';

// The defaults of torch.set_printoptions: above the threshold only the edges of each dimension are shown.
const threshold = 1000;
const edgeItems = 3;
const precision = 4;
const lineWidth = 80;

type Element = number | bigint | boolean | Complex;

/** How the elements of a tensor are written: all in one way and, where the width is known, padded to it. */
interface Style {
  width: number;
  write(value: Element): string;
}

// Python rounds a tie to the even digit, JavaScript to the greater one.
function withEvenTies(rounded: string, exact: string): string {
  const tie = new RegExp(`^(\\d+\\.\\d{${precision - 1}}[02468])50*(e|$)`).exec(exact);
  if (tie === null) return rounded;
  return tie[1]! + (/e.*$/.exec(exact)?.[0] ?? '');
}

function fixed(value: number): string {
  const size = Math.abs(value);
  const text = withEvenTies(size.toFixed(precision), size.toFixed(100));
  return value < 0 || Object.is(value, -0) ? `-${text}` : text;
}

function exponential(value: number): string {
  const size = Math.abs(value);
  const text = withEvenTies(size.toExponential(precision), size.toExponential(100));
  const padded = text.replace(/e([+-])(\d)$/, 'e$10$2');
  return value < 0 || Object.is(value, -0) ? `-${padded}` : padded;
}

function whole(value: number): string {
  return `${Object.is(value, -0) ? '-' : ''}${BigInt(value)}.`;
}

function special(value: number): string | undefined {
  if (Number.isNaN(value)) return 'nan';
  return Number.isFinite(value) ? undefined : value > 0 ? 'inf' : '-inf';
}

function floatStyle(values: number[]): Style {
  const counted = values.filter((v) => Number.isFinite(v) && v !== 0);
  let [min, max] = [Infinity, 0];
  for (const value of counted) {
    min = Math.min(min, Math.abs(value));
    max = Math.max(max, Math.abs(value));
  }
  const isScientific = counted.length > 0 && (max / min > 1000 || max > 1e8 || min < 1e-4);
  const finite = isScientific ? exponential : counted.every(Number.isInteger) ? whole : fixed;
  const width = counted.reduce((widest, v) => Math.max(widest, finite(v).length), 1);
  return { width, write: (v) => (special(v as number) ?? finite(v as number)).padStart(width) };
}

function complexStyle(values: Complex[]): Style {
  const re = floatStyle(values.map((v) => v.re));
  const im = floatStyle(values.map((v) => v.im));
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

function styleOf(values: Element[], dtype: string): Style {
  if (dtype.startsWith('complex')) return complexStyle(values as Complex[]);
  return /^b?float/.test(dtype) ? floatStyle(values as number[]) : exactStyle(values);
}

/** The elements that are shown: of a long dimension its edges only, side by side. */
function shownElements(tensor: Tensor, isCut: boolean[]): NestedArray<Element> {
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

function layOut(nested: NestedArray<Element>, style: Style, isCut: boolean[], indent: number): string {
  if (!Array.isArray(nested)) return style.write(nested);
  const parts = nested.map((item) => layOut(item, style, isCut.slice(1), indent + 1));
  const isVector = isCut.length === 1;
  if (isCut[0]) parts.splice(edgeItems, 0, isVector ? ' ...' : '...');
  const margin = ' '.repeat(indent + 1);
  if (!isVector) return `[${parts.join(`,${'\n'.repeat(isCut.length - 1)}${margin}`)}]`;
  const perLine = Math.max(1, Math.floor((lineWidth - indent) / (style.width + 2)));
  const lines: string[] = [];
  for (let i = 0; i < parts.length; i += perLine) lines.push(parts.slice(i, i + perLine).join(', '));
  return `[${lines.join(`,\n${margin}`)}]`;
}

const prefix = 'tensor(';

function body(tensor: Tensor): string {
  if (tensor.device === 'meta') return '...';
  if (tensor.numel() === 0) return '[]';
  const isLong = tensor.numel() > threshold;
  const isCut = tensor.shape.map((size) => isLong && size > 2 * edgeItems);
  const nested = shownElements(tensor, isCut);
  return layOut(nested, styleOf(leaves(nested), tensor.dtype), isCut, prefix.length);
}

/** What is told of a tensor beside its elements, where it is not the usual. */
function notes(tensor: Tensor): string[] {
  const { device, dtype, shape, gradFn, requiresGrad } = tensor;
  const isEmpty = device === 'meta' || tensor.numel() === 0;
  const usual = isEmpty ? ['float32'] : ['float32', 'int64', 'bool', 'complex64'];
  const all: string[] = [];
  if (device !== 'cpu') all.push(`device='${device}'`);
  if (device === 'meta' || (isEmpty && shape.length !== 1)) {
    all.push(`size=(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`);
  }
  if (!usual.includes(dtype)) all.push(`dtype=torch.${dtype}`);
  if (gradFn !== null) all.push(`grad_fn=<${gradFn}>`);
  else if (requiresGrad) all.push('requires_grad=True');
  return all;
}

/** A tensor as PyTorch prints it: `tensor([[1., 2.],\n        [3., 4.]])`. */
export function formatTensor(tensor: Tensor): string {
  if (tensor.isDisposed) return 'tensor(<disposed>)';
  const layout = tensor.layout;
  if (layout !== 'strided') return `tensor(<${tensor.dtype}[${tensor.shape.join(', ')}]>, layout=torch.${layout})`;
  let text = prefix + body(tensor);
  let lastLine = text.length - text.lastIndexOf('\n') + 1;
  for (const note of notes(tensor)) {
    const isOverlong = lastLine + note.length + 2 > lineWidth;
    text += isOverlong ? `,\n${' '.repeat(prefix.length)}${note}` : `, ${note}`;
    lastLine = isOverlong ? prefix.length + note.length : lastLine + note.length + 2;
  }
  return `${text})`;
}
