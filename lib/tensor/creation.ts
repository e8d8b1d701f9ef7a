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

/** The sizes of a nested array; throws when it is ragged. */
function shapeOf(data: NestedArray): number[] {
  if (!Array.isArray(data)) return [];
  const inner = data.length === 0 ? [] : shapeOf(data[0]!);
  for (const item of data) {
    const size = Array.isArray(item) ? item.length : undefined;
    if (size !== inner[0]) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `tensor: a ragged array: expected every item to have ${inner[0] ?? 'no'} elements as the first, found one with ${size ?? 'none'}.`,
      );
    }
  }
  return [data.length, ...inner];
}

function flatten(data: NestedArray, into: Element[]): Element[] {
  if (Array.isArray(data)) for (const item of data) flatten(item, into);
  else into.push(data);
  return into;
}

function inferDType(values: Element[]): DType {
  let dtype: DType = values.length === 0 ? 'float32' : 'bool';
  for (const value of values) {
    if (typeof value === 'object' && value !== null && 're' in value) return 'complex64';
    if (typeof value === 'number' && (!Number.isInteger(value) || Object.is(value, -0))) dtype = 'float32';
    else if (typeof value === 'number' || typeof value === 'bigint') dtype = dtype === 'bool' ? 'int64' : dtype;
    else if (typeof value !== 'boolean') {
      throw new AiforgeError('INVALID_ARGUMENT', `tensor: expected numbers, bigints, booleans or { re, im }, found ${inspect(value)}.`);
    }
  }
  return dtype;
}

// The narrowest array that holds every value of a dtype without loss; `to` does the rest.
function pack(values: Element[], dtype: DType): { data: TypedArray; stored: DType } {
  if (dtype.startsWith('complex')) {
    const pairs = values.flatMap((v) => (typeof v === 'object' ? [v.re, v.im] : [Number(v), 0]));
    return { data: Float64Array.from(pairs), stored: 'complex128' };
  }
  if (dtype === 'bool') return { data: Uint8Array.from(values, (v) => (v ? 1 : 0)), stored: 'bool' };
  if (dtype === 'uint64') return { data: BigUint64Array.from(values, (v) => BigInt(v as number)), stored: 'uint64' };
  if (/^(u?int|qu?int)/.test(dtype)) {
    return { data: BigInt64Array.from(values, (v) => BigInt(Math.trunc(Number(v)) === v ? v : toBigInt(v))), stored: 'int64' };
  }
  if (dtype === 'float32') return { data: Float32Array.from(values as number[], Number), stored: 'float32' };
  return { data: Float64Array.from(values as number[], Number), stored: 'float64' };
}

function toBigInt(value: Element): bigint {
  if (typeof value === 'bigint') return value;
  const number = Math.trunc(Number(value));
  if (!Number.isFinite(number)) throw new AiforgeError('INVALID_ARGUMENT', `tensor: ${String(value)} is no integer.`);
  return BigInt(number);
}

function isTypedArray(data: unknown): data is TypedArray {
  return ArrayBuffer.isView(data) && !(data instanceof DataView);
}

function fromElements(data: NestedArray, dtype: DType | undefined): Tensor {
  const shape = shapeOf(data);
  const values = flatten(data, []);
  const inferred = inferDType(values);
  const wanted = dtype ?? inferred;
  const { data: packed, stored } = pack(values, wanted);
  enterContext();
  const made = wrapHandle(native.fromTypedArray(packed, stored, shape));
  return stored === wanted ? made : made.to(wanted);
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
  let made = isTypedArray(data) ? fromTypedArray(data, { dtype }) : fromElements(data, dtype);
  if (device !== undefined && device !== 'cpu') made = made.to(device);
  return requiresGrad ? made.requiresGrad_() : made;
}

export interface TypedArrayOptions {
  /** Default: one dimension. */
  shape?: readonly number[];
  /** Default: the array's own dtype. A `Uint16Array` may be given as float16 or bfloat16 bits, a `Uint8Array` as bool. */
  dtype?: DType;
}

const sameBits: Partial<Record<DType, readonly DType[]>> = {
  uint16: ['float16', 'bfloat16'],
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
  if (own === undefined) throw new AiforgeError('INVALID_ARGUMENT', `fromTypedArray: expected a typed array, got ${inspect(array, { depth: 0 })}.`);
  const isReinterpreted = dtype !== undefined && (sameBits[own]?.includes(dtype) ?? false);
  const stored = isReinterpreted ? dtype : own;
  const sizes = shape ?? [array.length];
  const create = array.buffer instanceof SharedArrayBuffer ? native.shareTypedArray : native.fromTypedArray;
  enterContext();
  const made = wrapHandle(create(array, stored, sizes));
  return dtype === undefined || dtype === stored ? made : made.to(dtype);
}
