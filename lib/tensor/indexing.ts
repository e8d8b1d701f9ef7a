import { AiforgeError } from '../errors.js';
import { show } from '../show.js';
import { native } from '../native.js';
import { enterContext } from './context/context.js';
import { tensor as makeTensor } from './creation.js';
import type { Complex } from './dtype.js';
import { scratch, scratchIntegers } from './memory/scratch.js';
import { parseSlice, Slice } from './slice.js';
import { Tensor, wrapHandle, type NestedArray } from './tensor.js';

/** Nested arrays of integers or of booleans, which stand for a tensor of them. */
export type IndexArray = (number | bigint | boolean | Tensor | IndexArray)[];

/**
 * What one place between the brackets of Python's `x[…]` may hold: an integer, a slice (`'1:-1:2'` or `slice(1, -1, 2)`),
 * `null` for a new dimension, `'...'`, a boolean, a tensor of integers or booleans, or nested arrays of them.
 */
export type Index = number | bigint | boolean | string | null | Slice | Tensor | IndexArray;

/** The methods of Tensor for indexing. */
export interface TensorIndexing {
  /**
   * The part of the tensor that Python's `x[…]` gives, with the same indices: integers (negative ones count from the end),
   * slices as `'1:-1:2'` or `slice(1, -1, 2)`, `null` for a new dimension, `'...'`, booleans, boolean masks, integer
   * tensors, and nested arrays for either. Without tensors and arrays it is a view that shares the memory; with them, a copy.
   *
   * @throws AiforgeError INVALID_ARGUMENT for indices out of bounds, too many of them, and steps below 1.
   * @example
   * import { arange, slice } from 'aiforge';
   * const x = arange(12).view(3, 4);
   * x.at(1).tolist(); // [4, 5, 6, 7]
   * x.at(':', '1:-1').shape; // [3, 2]
   * x.at('...', null, slice(null, null, 2)).shape; // [3, 1, 2]
   * x.at([0, -1], [1, 2]).tolist(); // [1, 10]
   * x.at(x.gt(9)).tolist(); // [10, 11]
   */
  at(...indices: Index[]): Tensor;
  /**
   * Puts a value at the indices, as Python's `x[…] = value`, and returns the tensor. `indices` is an array of what `at()`
   * takes, or a single one that is no array. The value is broadcast: a tensor, a number, or nested arrays of numbers.
   *
   * @throws AiforgeError INVALID_ARGUMENT for wrong indices, OPERATOR_FAILED for a value that does not fit.
   * @example
   * import { zeros } from 'aiforge';
   * const x = zeros(2, 3);
   * x.set([':', 0], 1).set(-1, [7, 8, 9]).tolist(); // [[1, 0, 0], [7, 8, 9]]
   * x.set(x.gt(7), -1).tolist(); // [[1, 0, 0], [7, -1, -1]]
   */
  set(indices: Index | readonly Index[], value: Tensor | NestedArray): this;
  /**
   * The tensors along the first dimension, as `for row in x` in Python.
   *
   * @throws AiforgeError INVALID_ARGUMENT for a tensor without dimensions.
   * @example
   * import { tensor } from 'aiforge';
   * for (const row of tensor([[1, 2], [3, 4]])) row.sum().item(); // 3, then 7
   */
  [Symbol.iterator](): Generator<Tensor, void, undefined>;
}

// What native/tensors/indexing.cc reads: entries of four numbers, the first for the value to put, then one an index.
const entrySize = 4;
const maxIndices = 64;
const listsBegin = (maxIndices + 1) * entrySize;
const maxListed = scratch.length - listsBegin;
const { at: nativeAt, setAt: nativeSetAt } = native;

const enum IndexKind {
  None,
  Ellipsis,
  Int,
  BigInt,
  Bool,
  Slice,
  Tensor,
  List,
}

const enum ValueKind {
  Tensor,
  Int,
  Float,
  Bool,
  Complex,
  BigInt,
  BigUint,
}

function refuseIndex(index: unknown): AiforgeError {
  return new AiforgeError(
    'INVALID_ARGUMENT',
    `Indices are integers, slices such as '1:3', '...', null, booleans, tensors of integers or booleans and arrays of ` +
      `them, got ${show(index)}.`,
  );
}

/** A tensor of indices out of nested arrays: of booleans a mask, else of integers. */
function fromArray(array: IndexArray): Tensor {
  const made = makeTensor(array);
  if (made.dtype === 'bool' || made.dtype === 'int64') return made;
  const isEmpty = made.numel() === 0;
  const indices = isEmpty ? made.to('int64') : undefined;
  made.dispose();
  if (indices === undefined) throw refuseIndex(array);
  return indices;
}

/** A short array of integers or booleans, read and checked; the addon makes the tensor itself. */
class List {
  constructor(
    readonly numbers: readonly number[],
    readonly isMask: boolean,
  ) {}
}

function readList(array: IndexArray): List | undefined {
  const { length } = array;
  if (length > maxListed) return undefined;
  const numbers: number[] = [];
  let booleans = 0;
  for (let i = 0; i < length; ++i) {
    const item = array[i];
    if (typeof item === 'boolean') ++booleans;
    else if (!Number.isSafeInteger(item)) return undefined;
    numbers.push(Number(item));
  }
  return new List(numbers, length > 0 && booleans === length);
}

/**
 * Turns the arrays among the indices into lists and tensors, in place. Reading an array may run the caller's code, which
 * may index itself: so this comes before anything is written to the shared memory. Returns the tensors made.
 */
function readArrays(indices: (Index | List)[]): Tensor[] {
  const made: Tensor[] = [];
  let listed = 0;
  for (let i = 0; i < indices.length; ++i) {
    const index = indices[i];
    if (!Array.isArray(index)) continue;
    const list = readList(index);
    listed += list?.numbers.length ?? 0;
    if (list !== undefined && listed <= maxListed) {
      indices[i] = list;
    } else {
      const converted = fromArray(index);
      indices[i] = converted;
      made.push(converted);
    }
  }
  return made;
}

/** Writes a list behind all entries; returns where the next may begin. */
function writeList({ numbers, isMask }: List, position: number, end: number): number {
  scratch[position] = IndexKind.List;
  scratch[position + 1] = end;
  scratch[position + 2] = numbers.length;
  scratch[position + 3] = Number(isMask);
  for (const number of numbers) scratch[end++] = number;
  return end;
}

function writeBigInt(value: bigint, position: number): void {
  if (BigInt.asIntN(64, value) !== value) {
    throw new AiforgeError('INVALID_ARGUMENT', `The index ${value} has more than 64 bits.`);
  }
  scratch[position] = IndexKind.BigInt;
  scratchIntegers[position + 1] = value;
}

function writeString(text: string, position: number): void {
  if (text === '...') {
    scratch[position] = IndexKind.Ellipsis;
    return;
  }
  const slice = parseSlice(text);
  scratch[position] = IndexKind.Slice;
  Slice.write(slice, scratch, position + 1);
}

function writeObject(index: unknown, position: number): void {
  if (Slice.isSlice(index)) {
    scratch[position] = IndexKind.Slice;
    Slice.write(index, scratch, position + 1);
  } else if (Tensor.isTensor(index)) {
    scratch[position] = IndexKind.Tensor;
    scratch[position + 1] = Tensor.handleOf(index);
  } else {
    throw refuseIndex(index);
  }
}

/** Writes an index; runs no code of the caller. */
function writeIndex(index: Index, position: number): void {
  if (typeof index === 'number') {
    if (!Number.isSafeInteger(index)) throw refuseIndex(index);
    scratch[position] = IndexKind.Int;
    scratch[position + 1] = index;
  } else if (typeof index === 'string') {
    writeString(index, position);
  } else if (index === null) {
    scratch[position] = IndexKind.None;
  } else if (typeof index === 'boolean') {
    scratch[position] = IndexKind.Bool;
    scratch[position + 1] = Number(index);
  } else if (typeof index === 'bigint') {
    writeBigInt(index, position);
  } else {
    writeObject(index, position);
  }
}

function checkCount({ length }: readonly unknown[]): void {
  if (length <= maxIndices) return;
  throw new AiforgeError('INVALID_ARGUMENT', `At most ${maxIndices} indices can be given, got ${length}.`);
}

function writeIndices(indices: (Index | List)[]): void {
  checkCount(indices);
  let end = listsBegin;
  for (let i = 0; i < indices.length; ++i) {
    const index = indices[i]!;
    const position = (i + 1) * entrySize;
    if (index instanceof List) end = writeList(index, position, end);
    else writeIndex(index, position);
  }
}

function hasArray(indices: Index[]): boolean {
  for (const index of indices) if (Array.isArray(index)) return true;
  return false;
}

function disposeAll(tensors: Tensor[]): void {
  for (const made of tensors) made.dispose();
}

function at(this: Tensor, ...indices: Index[]): Tensor {
  enterContext();
  if (!hasArray(indices)) {
    writeIndices(indices);
    return wrapHandle(nativeAt(Tensor.handleOf(this), indices.length));
  }
  const made = readArrays(indices);
  try {
    writeIndices(indices);
    return wrapHandle(nativeAt(Tensor.handleOf(this), indices.length));
  } finally {
    disposeAll(made);
  }
}

function writeWholeNumber(value: number | bigint): void {
  if (typeof value === 'number') {
    scratch[0] = Number.isSafeInteger(value) && !Object.is(value, -0) ? ValueKind.Int : ValueKind.Float;
    scratch[1] = value;
    return;
  }
  const isSigned = BigInt.asIntN(64, value) === value;
  if (!isSigned && BigInt.asUintN(64, value) !== value) {
    throw new AiforgeError('INVALID_ARGUMENT', `set: the value ${value} has more than 64 bits.`);
  }
  scratch[0] = isSigned ? ValueKind.BigInt : ValueKind.BigUint;
  scratchIntegers[1] = BigInt.asIntN(64, value);
}

type Plain = Tensor | number | bigint | boolean | Complex;

/** Writes the value to put; a complex number's parts were read before. */
function writeValue(value: Plain): void {
  if (typeof value === 'number' || typeof value === 'bigint') {
    writeWholeNumber(value);
  } else if (typeof value === 'boolean') {
    scratch[0] = ValueKind.Bool;
    scratch[1] = Number(value);
  } else if (Tensor.isTensor(value)) {
    scratch[0] = ValueKind.Tensor;
    scratch[1] = Tensor.handleOf(value);
  } else {
    scratch[0] = ValueKind.Complex;
    scratch[1] = value.re;
    scratch[2] = value.im;
  }
}

/** A value that can be written without running the caller's code; arrays become tensors of `self`'s dtype. */
function plainValue(self: Tensor, value: Tensor | NestedArray, made: Tensor[]): Plain {
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return value;
  if (Tensor.isTensor(value)) return value;
  if (Array.isArray(value)) {
    const converted = makeTensor(value, { dtype: self.dtype });
    made.push(converted);
    return converted;
  }
  if (typeof value === 'object' && value !== null) {
    const { re, im } = value;
    if (typeof re === 'number' && typeof im === 'number') return { re, im };
  }
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `set: the value must be a Tensor, a number, a bigint, a boolean, { re, im } or nested arrays of them, got ${show(value)}.`,
  );
}

function set(this: Tensor, indices: Index | readonly Index[], value: Tensor | NestedArray): Tensor {
  enterContext();
  if (Array.isArray(indices)) checkCount(indices);
  const list: Index[] = Array.isArray(indices) ? Array.from(indices as Index[]) : [indices as Index];
  const made = readArrays(list);
  try {
    const plain = plainValue(this, value, made);
    writeIndices(list);
    writeValue(plain);
    nativeSetAt(Tensor.handleOf(this), list.length);
  } finally {
    disposeAll(made);
  }
  return this;
}

function* iterate(this: Tensor): Generator<Tensor, void, undefined> {
  if (this.ndim === 0) {
    throw new AiforgeError('INVALID_ARGUMENT', 'A tensor without dimensions cannot be iterated over; use item().');
  }
  const rows = this.unbind(0);
  let next = 0;
  try {
    while (next < rows.length) yield rows[next++]!;
  } finally {
    for (; next < rows.length; ++next) rows[next]!.dispose();
  }
}

const methods: [string | symbol, unknown][] = [
  ['at', at],
  ['set', set],
  [Symbol.iterator, iterate],
];
for (const [name, method] of methods) {
  Object.defineProperty(Tensor.prototype, name, { value: method, writable: true, configurable: true });
}
