/** The names of LibTorch's dtypes, as PyTorch writes them. */
export const dtypes = [
  'float32',
  'float64',
  'float16',
  'bfloat16',
  'int64',
  'int32',
  'int16',
  'int8',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'bool',
  'complex32',
  'complex64',
  'complex128',
  'float8_e4m3fn',
  'float8_e4m3fnuz',
  'float8_e5m2',
  'float8_e5m2fnuz',
  'float8_e8m0fnu',
  'float4_e2m1fn_x2',
  'qint8',
  'quint8',
  'qint32',
] as const;

export type DType = (typeof dtypes)[number];

/** A device such as `'cpu'`, `'cuda'` or `'cuda:1'`. */
export type Device = 'cpu' | 'cuda' | `cuda:${number}` | 'meta';

export type MemoryFormat = 'contiguous_format' | 'preserve_format' | 'channels_last' | 'channels_last_3d';

export type Layout =
  'strided' | 'sparse_coo' | 'sparse_csr' | 'sparse_csc' | 'sparse_bsr' | 'sparse_bsc' | '_mkldnn' | 'jagged';

export interface Complex {
  re: number;
  im: number;
}

/** A number for LibTorch: a whole JavaScript number is an integer, as Python's literal `2` is. */
export type Scalar = number | bigint | boolean | Complex;

const known: ReadonlySet<string> = new Set(dtypes);

export function isDType(value: unknown): value is DType {
  return typeof value === 'string' && known.has(value);
}

const devicePattern = /^(cpu|cuda|meta|mps|xpu)(?::(0|[1-9]\d{0,2}))?$/;

export function isDevice(value: unknown): value is Device {
  return typeof value === 'string' && devicePattern.test(value);
}

/** The number in a GPU's name: 1 of `'cuda:1'`; undefined where it has none, or is no name of a GPU. */
export function cudaIndex(device: unknown): number | undefined {
  const [, type, index] = typeof device === 'string' ? (devicePattern.exec(device) ?? []) : [];
  return type === 'cuda' && index !== undefined ? Number(index) : undefined;
}

/** Typed arrays that hold a tensor's data. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

/** A `Float16Array`, which Node has from version 24 on; the types of older ones do not know it. */
export interface Float16Elements extends ArrayLike<number> {
  readonly [Symbol.toStringTag]: 'Float16Array';
  readonly buffer: ArrayBufferLike;
  readonly byteOffset: number;
  readonly byteLength: number;
}

interface TypedArrayClass {
  new (buffer: ArrayBuffer): TypedArray;
  readonly BYTES_PER_ELEMENT: number;
}

// Complex numbers come as pairs; half-precision numbers, which JavaScript has no array of, as their 16 bits.
const arrayOf: Record<DType, TypedArrayClass> = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
  complex32: Uint16Array,
  complex64: Float32Array,
  complex128: Float64Array,
  float8_e4m3fn: Uint8Array,
  float8_e4m3fnuz: Uint8Array,
  float8_e5m2: Uint8Array,
  float8_e5m2fnuz: Uint8Array,
  float8_e8m0fnu: Uint8Array,
  float4_e2m1fn_x2: Uint8Array,
  qint8: Int8Array,
  quint8: Uint8Array,
  qint32: Int32Array,
};

/** The typed array over `buffer` that fits a dtype. */
export function typedArrayOver(buffer: ArrayBuffer, dtype: DType): TypedArray {
  return new arrayOf[dtype](buffer);
}

/** The bytes of an element. */
export function bytesOf(dtype: DType): number {
  const isPair = dtype.startsWith('complex');
  return arrayOf[dtype].BYTES_PER_ELEMENT * (isPair ? 2 : 1);
}

const dtypeOf = new Map<string, DType>([
  ['Float32Array', 'float32'],
  ['Float64Array', 'float64'],
  ['Float16Array', 'float16'],
  ['Int8Array', 'int8'],
  ['Int16Array', 'int16'],
  ['Int32Array', 'int32'],
  ['BigInt64Array', 'int64'],
  ['Uint8Array', 'uint8'],
  ['Uint8ClampedArray', 'uint8'],
  ['Uint16Array', 'uint16'],
  ['Uint32Array', 'uint32'],
  ['BigUint64Array', 'uint64'],
]);

// The getters of typed arrays themselves: a subclass may have put others in their place.
const prototype = Object.getPrototypeOf(Uint8Array.prototype) as object;
function getter<T>(name: PropertyKey): (array: unknown) => T {
  const get = Reflect.get(Object.getOwnPropertyDescriptor(prototype, name)!, 'get') as () => unknown;
  return (array) => Reflect.apply(get, array, []) as T;
}
const tagOf = getter<string | undefined>(Symbol.toStringTag);

/** The memory that a typed array is over, whatever its class says. */
export const bufferOf = getter<ArrayBuffer | SharedArrayBuffer>('buffer');
export const byteOffsetOf = getter<number>('byteOffset');
export const byteLengthOf = getter<number>('byteLength');
export const lengthOf = getter<number>('length');

export function isTypedArray(value: unknown): value is TypedArray {
  return ArrayBuffer.isView(value) && tagOf(value) !== undefined;
}

/** The dtype that a typed array's elements have. */
export function dtypeOfTypedArray(array: TypedArray): DType | undefined {
  return dtypeOf.get(tagOf(array) ?? '');
}
