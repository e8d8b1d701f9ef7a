import { inspect } from 'node:util';

import { AiforgeError } from '../errors.js';
import { native } from '../native.js';
import { enterContext } from './context.js';
import { dtypeOfTypedArray, type Complex, type Device, type DType, type TypedArray } from './dtype.js';
import { wrapHandle, type NestedArray, type Tensor } from './tensor.js';

export interface TensorOptions {
  /** Default: as PyTorch infers it: float32 for fractions, int64 for whole numbers, bool for booleans. */
  dtype?: DType;
  /** Default: `'cpu'`. */
  device?: Device;
  /** Default: false. */
  requiresGrad?: boolean;
}

type Element = number | bigint | boolean | Complex;

/** The sizes of a nested array, whose elements are put into `into`; throws when it is ragged. */
function flatten(data: NestedArray, into: Element[]): number[] {
  if (!Array.isArray(data)) {
    into.push(data);
    return [];
  }
  let inner: number[] | undefined;
  for (const item of data) {
    const sizes = flatten(item, into);
    inner ??= sizes;
    if (sizes.length !== inner.length || sizes.some((size, i) => size !== inner![i])) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `tensor: a ragged array: expected every item to have the sizes [${inner.join(', ')}] of the first, found [${sizes.join(', ')}].`,
      );
    }
  }
  return [data.length, ...(inner ?? [])];
}

function inferDType(values: Element[]): DType {
  let dtype: DType = values.length === 0 ? 'float32' : 'bool';
  for (const value of values) {
    if (isComplex(value)) dtype = 'complex64';
    else if (typeof value === 'bigint' || isIntegral(value)) dtype = dtype === 'bool' ? 'int64' : dtype;
    else if (typeof value === 'number') dtype = dtype === 'complex64' ? dtype : 'float32';
    else if (typeof value !== 'boolean') {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `tensor: expected numbers, bigints, booleans or { re, im }, found ${inspect(value, { depth: 0, customInspect: false })}.`,
      );
    }
  }
  return dtype;
}

// Beyond 2^53 a number stands for a range of integers, as Python's 1e300 does: a float.
function isIntegral(value: Element): boolean {
  return Number.isSafeInteger(value) && !Object.is(value, -0);
}

function isComplex(value: Element): value is Complex {
  return typeof value === 'object' && value !== null && typeof value.re === 'number' && typeof value.im === 'number';
}

// An array that holds every value of a dtype without loss; `to` does the rest.
function pack(values: Element[], dtype: DType): { data: TypedArray; stored: DType } {
  if (dtype.startsWith('complex')) {
    const pairs = values.flatMap((v) => (isComplex(v) ? [v.re, v.im] : [Number(v), 0]));
    return { data: Float64Array.from(pairs), stored: 'complex128' };
  }
  if (dtype === 'bool') return { data: Uint8Array.from(values, (v) => (isTrue(v) ? 1 : 0)), stored: 'bool' };
  if (dtype === 'uint64') return { data: BigUint64Array.from(values, (v) => toInteger(v, dtype)), stored: dtype };
  if (/^(u?int|qu?int)/.test(dtype)) {
    return { data: BigInt64Array.from(values, (v) => toInteger(v, dtype)), stored: 'int64' };
  }
  const numbers = values.map((v) => toReal(v, dtype));
  if (dtype === 'float32') return { data: Float32Array.from(numbers), stored: dtype };
  return { data: Float64Array.from(numbers), stored: 'float64' };
}

function isTrue(value: Element): boolean {
  return isComplex(value) ? value.re !== 0 || value.im !== 0 : Number.isNaN(value) || Boolean(value);
}

function refuseElement(value: Element, dtype: DType): AiforgeError {
  const text = isComplex(value) ? inspect(value) : String(value);
  return new AiforgeError('INVALID_ARGUMENT', `tensor: ${text} cannot be held by ${dtype}; choose another dtype.`);
}

function toReal(value: Element, dtype: DType): number {
  if (isComplex(value)) throw refuseElement(value, dtype);
  return Number(value);
}

/** The least and the greatest value of an integer dtype; as in PyTorch a narrow unsigned one takes -1 for its greatest. */
function rangeOf(dtype: DType): [bigint, bigint] {
  const bits = BigInt(/\d+/.exec(dtype)![0]);
  if (!dtype.includes('u')) return [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n];
  return [bits === 64n ? 0n : 1n - 2n ** bits, 2n ** bits - 1n];
}

function toInteger(value: Element, dtype: DType): bigint {
  const number = typeof value === 'bigint' ? value : Math.trunc(toReal(value, dtype));
  if (typeof number === 'number' && !Number.isFinite(number)) throw refuseElement(value, dtype);
  const integer = BigInt(number);
  const [least, greatest] = rangeOf(dtype);
  if (integer < least || integer > greatest) throw refuseElement(value, dtype);
  return integer;
}

function isTypedArray(data: unknown): data is TypedArray {
  return ArrayBuffer.isView(data) && !(data instanceof DataView);
}

function fromElements(data: NestedArray, dtype: DType | undefined): Tensor {
  const values: Element[] = [];
  const shape = flatten(data, values);
  const inferred = inferDType(values);
  const wanted = dtype ?? inferred;
  const { data: packed, stored } = pack(values, wanted);
  enterContext();
  const made = wrapHandle(native.fromTypedArray(packed, stored, shape));
  return converted(made, stored === wanted ? undefined : wanted);
}

/** A tensor in another dtype; the one that was only a step towards it is released. */
function converted(made: Tensor, dtype: DType | undefined): Tensor {
  if (dtype === undefined) return made;
  try {
    return made.to(dtype);
  } finally {
    made.dispose();
  }
}

/**
 * A tensor with a copy of the data: a number, nested arrays, or a typed array (which has one dimension). As
 * `torch.tensor`: whole numbers give int64, fractions float32, booleans bool.
 *
 * @throws AiforgeError INVALID_ARGUMENT for ragged arrays and elements that are no numbers.
 * @example
 * import { tensor } from 'aiforge';
 * tensor([[1, 2], [3, 4]]).shape; // [2, 2]
 * tensor([1, 2], { dtype: 'float64', requiresGrad: true });
 */
export function tensor(data: NestedArray | TypedArray, options: TensorOptions = {}): Tensor {
  const { dtype, device, requiresGrad = false } = options;
  let made = isTypedArray(data)
    ? fromTypedArray(data.buffer instanceof SharedArrayBuffer ? data.slice() : data)
    : fromElements(data, dtype);
  if (dtype !== made.dtype) made = converted(made, dtype);
  if (device !== undefined && device !== 'cpu') made = made.to(device);
  return requiresGrad ? made.requiresGrad_() : made;
}

export interface TypedArrayOptions {
  /** Default: one dimension. */
  shape?: readonly number[];
  /** Default: the array's own dtype. A `Uint16Array` may be given as float16 or bfloat16 bits, pairs of floats as complex numbers. */
  dtype?: DType;
}

const sameBits: Partial<Record<DType, readonly DType[]>> = {
  uint16: ['float16', 'bfloat16', 'complex32'],
  uint8: ['bool'],
  float32: ['complex64'],
  float64: ['complex128'],
};

/**
 * A tensor from a typed array. An array over a `SharedArrayBuffer` is shared without a copy: that memory can be neither
 * moved nor detached while the tensor lives. Any other is copied, at the speed of memcpy.
 *
 * @throws AiforgeError INVALID_ARGUMENT when the shape does not match the length.
 * @example
 * import { fromTypedArray } from 'aiforge';
 * fromTypedArray(Float32Array.of(1, 2, 3, 4), { shape: [2, 2] });
 */
export function fromTypedArray(array: TypedArray, { shape, dtype }: TypedArrayOptions = {}): Tensor {
  const own = isTypedArray(array) ? dtypeOfTypedArray(array) : undefined;
  if (own === undefined)
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `fromTypedArray: expected a typed array, got ${inspect(array, { depth: 0 })}.`,
    );
  const isShared = array.buffer instanceof SharedArrayBuffer;
  // A copy's bytes other than 0 and 1 are turned into booleans; shared bytes are taken as they are.
  const isReinterpreted =
    dtype !== undefined && (sameBits[own]?.includes(dtype) ?? false) && (dtype !== 'bool' || isShared);
  const stored = isReinterpreted ? dtype : own;
  const sizes = shape ?? [stored.startsWith('complex') ? array.length / 2 : array.length];
  enterContext();
  const made = wrapHandle(
    isShared ? native.shareTypedArray(array, stored, sizes) : native.fromTypedArray(array, stored, sizes),
  );
  return converted(made, dtype === stored ? undefined : dtype);
}
