import { native, type Handle } from '../native.js';
import type { Complex, DType } from './dtype.js';
import type { NestedArray, Tensor } from './tensor.js';

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

function rowsOfBooleans(data: Uint8Array): ReadRow {
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

function rowsOfComplex(data: Float64Array): ReadRow {
  return (start, length) => {
    const row = new Array<Complex>(length);
    for (let i = 0; i < length; ++i) row[i] = { re: data[2 * (start + i)]!, im: data[2 * (start + i) + 1]! };
    return row;
  };
}

const asTheyAre: ReadonlySet<DType> = new Set<DType>([
  ...['float32', 'float64', 'int32', 'int16', 'int8', 'uint8', 'uint16', 'uint32'],
] as DType[]);

function rowsOf(tensor: Tensor, handle: Handle): ReadRow {
  const dtype = tensor.dtype;
  if (asTheyAre.has(dtype)) return rowsOfNumbers(tensor.toTypedArray() as Float64Array);
  if (dtype === 'bool') return rowsOfBooleans(tensor.toTypedArray() as Uint8Array);
  // Null: there are integers beyond 2^53.
  const numbers = native.copyNumbers(handle);
  if (numbers === null) return rowsOfIntegers(tensor.toTypedArray() as BigInt64Array);
  const data = new Float64Array(numbers);
  return dtype.startsWith('complex') ? rowsOfComplex(data) : rowsOfNumbers(data);
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

/** The elements of a tensor as nested arrays, as many deep as it has dimensions. */
export function toNested(tensor: Tensor, handle: Handle): NestedArray {
  const few = native.tolist(handle);
  if (few !== undefined) return few as NestedArray;
  const { shape } = tensor;
  const readRow = rowsOf(tensor, handle);
  return shape.length === 0 ? readRow(0, 1)[0]! : nest(shape, 0, readRow, { at: 0 });
}
