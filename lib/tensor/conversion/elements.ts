import { inspect } from 'node:util';

import { AiforgeError } from '../../errors.js';
import { show } from '../../show.js';
import { native } from '../../native.js';
import { dtypeOfTypedArray, isTypedArray, type Complex, type DType, type TypedArray } from '../dtype.js';
import { Tensor, type TensorData } from '../tensor.js';
import { requireMemory } from './typedArrays.js';

const maxDims = 64;

const kindBool = 1;
const kindInt = 2;
const kindFloat = 4;
const kindComplex = 8;

function refuse(message: string): AiforgeError {
  return new AiforgeError('INVALID_ARGUMENT', `tensor: ${message}`);
}

// Beyond 2^53 a number stands for a range of integers, as Python's 1e300 does: a float.
function kindOf(value: number): number {
  return Number.isSafeInteger(value) && !Object.is(value, -0) ? kindInt : kindFloat;
}

function isRow(value: unknown): value is TensorData[] | TypedArray {
  return Array.isArray(value) || isTypedArray(value);
}

function allocate(shape: number[]): Float64Array {
  const total = shape.reduce((product, size) => product * size, 1);
  try {
    return new Float64Array(total);
  } catch (cause) {
    throw new AiforgeError('OUT_OF_MEMORY', `tensor: arrays of the sizes [${shape.join(', ')}] are too large.`, {
      cause,
    });
  }
}

/** The sizes along the first item of each array. */
function sizesOf(data: TensorData): number[] {
  const sizes: number[] = [];
  let inner: unknown = data;
  while (isRow(inner)) {
    if (sizes.length === maxDims) throw refuse(`arrays nested more than ${maxDims} deep.`);
    sizes.push(inner.length);
    if (inner.length === 0 || !Array.isArray(inner)) break;
    inner = (inner as unknown[])[0];
  }
  return sizes;
}

/**
 * The numbers in nested arrays, row by row. Each is read once, so that an array whose reading runs code cannot change
 * between two looks.
 */
export class Elements {
  readonly shape: number[];
  /** The elements, or their real parts. */
  readonly numbers: Float64Array;
  /** The imaginary parts, once there is a complex number. */
  imaginary: Float64Array | undefined;
  /** Integers that no number holds exactly, by position. */
  integers: Map<number, bigint> | undefined;
  #kinds = 0;
  // The dtypes of tensors and typed arrays among the elements.
  #dtypes: Set<DType> | undefined;
  #count = 0;

  constructor(data: TensorData) {
    this.shape = sizesOf(data);
    this.numbers = allocate(this.shape);
    if (this.shape.length === 0) this.#put(data);
    else this.#readRow(data, 0);
  }

  /** The dtype that torch.tensor gives. */
  inferDType(): DType {
    const kinds = this.#kinds;
    let dtype: DType | undefined;
    if (kinds & kindComplex) dtype = 'complex64';
    else if (kinds & kindFloat) dtype = 'float32';
    else if (kinds & kindInt) dtype = 'int64';
    else if (kinds & kindBool) dtype = 'bool';
    for (const other of this.#dtypes ?? []) {
      dtype = dtype === undefined ? other : (native.promoteTypes(dtype, other) as DType);
    }
    return dtype ?? 'float32';
  }

  /** Where an element stands, such as `data[1][0]`. */
  place(position: number, dims = this.shape.length): string {
    const indices: number[] = [];
    let rest = position;
    for (let dim = this.shape.length - 1; dim >= 0; --dim) {
      const size = this.shape[dim]!;
      indices.unshift(size === 0 ? 0 : rest % size);
      rest = size === 0 ? 0 : Math.floor(rest / size);
    }
    return `data${indices
      .slice(0, dims)
      .map((index) => `[${index}]`)
      .join('')}`;
  }

  /** An element as it was given, for an error. */
  show(position: number): string {
    const integer = this.integers?.get(position);
    if (integer !== undefined) return String(integer);
    const re = this.numbers[position]!;
    return this.imaginary === undefined ? String(re) : inspect({ re, im: this.imaginary[position] });
  }

  #readRow(row: unknown, dim: number): void {
    const size = this.shape[dim]!;
    const isLast = dim === this.shape.length - 1;
    if (!isRow(row) || row.length !== size) throw this.#ragged(row, dim);
    if (!Array.isArray(row)) {
      if (!isLast) throw this.#ragged(row, dim);
      this.#putAll(row);
    } else if (isLast) {
      for (let i = 0; i < size; ++i) this.#put(row[i]);
    } else {
      for (let i = 0; i < size; ++i) this.#readRow(row[i], dim + 1);
    }
  }

  #ragged(found: unknown, dim: number): AiforgeError {
    const what = isRow(found) ? `has ${found.length} items` : `is ${show(found)}`;
    return refuse(
      `a ragged array: expected ${this.place(this.#count, dim)} to be an array of ${this.shape[dim]} items, ` +
        `as those before it, but it ${what}.`,
    );
  }

  #putAll(row: TypedArray): void {
    const dtype = dtypeOfTypedArray(row);
    if (dtype === undefined) throw refuse(`a typed array of an unknown kind in ${this.place(this.#count)}.`);
    (this.#dtypes ??= new Set()).add(dtype);
    requireMemory(row, 'tensor');
    if (dtype === 'int64' || dtype === 'uint64') {
      for (const value of row as BigInt64Array) this.#putBigInt(value);
    } else {
      this.numbers.set(row as Float64Array, this.#count);
      this.#count += row.length;
    }
  }

  #put(value: unknown): void {
    if (typeof value === 'number') {
      this.#kinds |= kindOf(value);
      this.numbers[this.#count++] = value;
    } else if (typeof value === 'boolean') {
      this.#kinds |= kindBool;
      this.numbers[this.#count++] = value ? 1 : 0;
    } else if (typeof value === 'bigint') {
      this.#kinds |= kindInt;
      this.#putBigInt(value);
    } else {
      this.#putObject(value);
    }
  }

  #putBigInt(value: bigint): void {
    const number = Number(value);
    if (!Number.isSafeInteger(number)) (this.integers ??= new Map()).set(this.#count, value);
    this.numbers[this.#count++] = number;
  }

  #putObject(value: unknown): void {
    if (Tensor.isTensor(value)) return this.#putTensor(value);
    if (isRow(value)) {
      throw refuse(`a ragged array: expected ${this.place(this.#count)} to be a number, but it is an array.`);
    }
    if (typeof value === 'object' && value !== null) {
      const { re, im } = value as Partial<Complex>;
      if (typeof re === 'number' && typeof im === 'number') {
        this.#kinds |= kindComplex;
        return this.#putComplex(re, im);
      }
    }
    const shown = show(value);
    throw refuse(
      `expected numbers, bigints, booleans or { re, im }, found ${shown} in ${this.place(this.#count)}; ` +
        'a tensor may stand for a number where it has no dimensions.',
    );
  }

  #putComplex(re: number, im: number): void {
    this.imaginary ??= new Float64Array(this.numbers.length);
    this.imaginary[this.#count] = im;
    this.numbers[this.#count++] = re;
  }

  #putTensor(tensor: Tensor): void {
    if (this.shape.length === 0 || tensor.ndim !== 0) {
      throw refuse(
        `expected numbers, bigints, booleans or { re, im }, found a tensor of the sizes [${tensor.shape.join(', ')}]` +
          `${this.shape.length === 0 ? '; use clone()' : ` in ${this.place(this.#count)}; use stack() or cat()`}.`,
      );
    }
    (this.#dtypes ??= new Set()).add(tensor.dtype);
    const value = tensor.item<number | bigint | boolean | Complex>();
    if (typeof value === 'bigint') this.#putBigInt(value);
    else if (typeof value === 'object') this.#putComplex(value.re, value.im);
    else this.numbers[this.#count++] = Number(value);
  }
}
