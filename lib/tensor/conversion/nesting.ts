import { native, type Handle } from '../../native.js';
import type { Complex, DType } from '../dtype.js';
import { requireHeapRoom } from '../memory/heapRoom.js';
import { scratch } from '../memory/scratch.js';
import type { NestedArray, Tensor } from '../tensor.js';

const { readElements } = native;

type Element = number | bigint | boolean | Complex;

/** Makes the innermost array: `length` elements from `start` on. */
type ReadRow = (start: number, length: number) => Element[];

function rowsOfNumbers(data: ArrayLike<number>): ReadRow {
  return (start, length) => {
    const row = new Array<number>(length);
    for (let i = 0; i < length; ++i) row[i] = data[start + i]!;
    return row;
  };
}

function rowsOfBooleans(data: ArrayLike<number>): ReadRow {
  return (start, length) => {
    const row = new Array<boolean>(length);
    for (let i = 0; i < length; ++i) row[i] = data[start + i] !== 0;
    return row;
  };
}

function rowsOfIntegers(data: BigInt64Array | BigUint64Array): ReadRow {
  return (start, length) => {
    const row = new Array<number | bigint>(length);
    for (let i = 0; i < length; ++i) {
      const number = Number(data[start + i]!);
      row[i] = Number.isSafeInteger(number) ? number : data[start + i]!;
    }
    return row;
  };
}

/** Pairs of numbers, the first at `first`. */
function rowsOfComplex(data: Float64Array, first: number): ReadRow {
  return (start, length) => {
    const row = new Array<Complex>(length);
    for (let i = 0, at = first + 2 * start; i < length; ++i, at += 2) row[i] = { re: data[at]!, im: data[at + 1]! };
    return row;
  };
}

const asTheyAre: ReadonlySet<DType> = new Set<DType>([
  ...['float32', 'float64', 'int32', 'int16', 'int8', 'uint8', 'uint16', 'uint32'],
] as DType[]);

const ROW_BYTES = 64;
const BIGINT_BYTES = 32;
const COMPLEX_BYTES = 80;
const NUMBER_BYTES = 8;

const bytesOf = (dtype: DType): number => (dtype.startsWith('complex') ? COMPLEX_BYTES : NUMBER_BYTES);

/** Refuses to make nested arrays of a tensor's elements, so many times, where there is no room for them. */
export function requireListRoom(what: string, tensor: Tensor, copies = 1, bytes = bytesOf(tensor.dtype)): void {
  const { shape } = tensor;
  const elements = tensor.numel();
  if (elements === 0) return requireRowsRoom(what, shape.slice(0, shape.indexOf(0)), copies);
  const longest = shape.at(-1) ?? 1;
  const withRows = bytes + ROW_BYTES / longest;
  const values = { elements: elements * copies, longest, bytes: withRows };
  requireHeapRoom(what, values, 'Use toTypedArray(), or at() for a part.');
}

/** As above, for the empty arrays of a tensor without elements. */
function requireRowsRoom(what: string, sizes: number[], copies: number): void {
  const elements = sizes.reduce((product, size) => product * size, copies);
  requireHeapRoom(what, { elements, longest: Math.max(1, ...sizes), bytes: ROW_BYTES }, 'Use shape.');
}

function rowsOf(tensor: Tensor, handle: Handle): ReadRow {
  const dtype = tensor.dtype;
  if (asTheyAre.has(dtype)) return rowsOfNumbers(tensor.toTypedArray() as Float64Array);
  if (dtype === 'bool') return rowsOfBooleans(tensor.toTypedArray() as Uint8Array);
  // Null: there are integers beyond 2^53.
  const numbers = native.copyNumbers(handle);
  if (numbers === null) {
    requireListRoom('tolist', tensor, 1, BIGINT_BYTES);
    return rowsOfIntegers(tensor.toTypedArray() as BigInt64Array);
  }
  const data = new Float64Array(numbers);
  return dtype.startsWith('complex') ? rowsOfComplex(data, 0) : rowsOfNumbers(data);
}

function nest(shape: number[], dim: number, readRow: ReadRow, position: { at: number }): NestedArray {
  const size = shape[dim]!;
  if (dim === shape.length - 1) {
    const row = readRow(position.at, size);
    position.at += size;
    return row;
  }
  const rows = new Array<NestedArray>(size);
  for (let i = 0; i < size; ++i) rows[i] = nest(shape, dim + 1, readRow, position);
  return rows;
}

const enum ElementKind {
  Number,
  Boolean,
  Complex,
}

const numbersInScratch = rowsOfNumbers(scratch);
const booleansInScratch = rowsOfBooleans(scratch);

/** What `readElements` has put into the scratch memory. */
function nestScratch(dims: number): NestedArray {
  const kind = scratch[0] as ElementKind;
  const elements = dims + 1;
  // A complex number takes two places, so that its row begins elsewhere than its position says.
  const isComplex = kind === ElementKind.Complex;
  const first = isComplex ? 0 : elements;
  const readReal = kind === ElementKind.Boolean ? booleansInScratch : numbersInScratch;
  const readRow = isComplex ? rowsOfComplex(scratch, elements) : readReal;
  if (dims === 0) return readRow(first, 1)[0]!;
  if (dims === 1) return readRow(first, scratch[1]!);
  const shape: number[] = [];
  for (let dim = 1; dim <= dims; ++dim) shape.push(scratch[dim]!);
  return nest(shape, 0, readRow, { at: first });
}

/** The elements of a tensor as nested arrays, as many deep as it has dimensions. */
export function toNested(tensor: Tensor, handle: Handle): NestedArray {
  const dims = readElements(handle);
  if (dims >= 0) return nestScratch(dims);
  const { shape } = tensor;
  requireListRoom('tolist', tensor);
  const readRow = rowsOf(tensor, handle);
  return shape.length === 0 ? readRow(0, 1)[0]! : nest(shape, 0, readRow, { at: 0 });
}
