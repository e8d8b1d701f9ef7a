import { AiforgeError } from '../../errors.js';
import { anything, boolean, listOf, size, type Kinds, optional } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { native, type Handle } from '../../native.js';
import { isAnyArrayBuffer, isSharedArrayBuffer } from '../../realms.js';
import { enterContext } from '../context/context.js';
import {
  bufferOf,
  byteLengthOf,
  byteOffsetOf,
  bytesOf,
  dtypeOfTypedArray,
  isTypedArray,
  lengthOf,
  type DType,
  type Float16Elements,
  type TypedArray,
} from '../dtype.js';
import { dtypeKind } from '../dtypeKinds.js';
import { wrapHandle, type Tensor } from '../tensor.js';

export interface MemoryOptions {
  /** Default: one dimension. */
  shape?: readonly number[];
  /**
   * Takes the memory over without a copy: the ArrayBuffer is detached, so that it and every array over it are empty
   * afterwards, and nobody but the tensor has the memory. Default: false.
   */
  transfer?: boolean;
  /** Copies a `SharedArrayBuffer` too. Default: false. */
  copy?: boolean;
}

export interface TypedArrayOptions extends MemoryOptions {
  /** Default: the array's own dtype. A `Uint16Array` may be given as float16 or bfloat16 bits, pairs of floats as complex numbers. */
  dtype?: DType;
}

export interface BufferOptions extends MemoryOptions {
  /** What the bytes are. Default: `'uint8'`. */
  dtype?: DType;
  /** The byte to begin with. Default: 0. */
  offset?: number;
  /** How many elements to take. Default: all that are left. */
  count?: number;
}

const memoryOptions: Kinds<MemoryOptions> = { shape: listOf(size), transfer: boolean, copy: boolean };

const typedArrayTakes = signature<TypedArrayOptions>(
  { array: optional(anything) },
  { dtype: dtypeKind, ...memoryOptions },
);
const bufferTakes = signature<BufferOptions>(
  { source: anything },
  { dtype: dtypeKind, count: size, offset: size, ...memoryOptions },
);

const sameBits: Partial<Record<DType, readonly DType[]>> = {
  uint16: ['float16', 'bfloat16', 'complex32'],
  uint8: [
    'bool',
    'float8_e4m3fn',
    'float8_e4m3fnuz',
    'float8_e5m2',
    'float8_e5m2fnuz',
    'float8_e8m0fnu',
    'float4_e2m1fn_x2',
  ],
  float32: ['complex64'],
  float64: ['complex128'],
};

// As it was when the library was loaded: what comes out of it belongs to us alone.
const { structuredClone } = globalThis;

function refuse(name: string, message: string, cause?: unknown): AiforgeError {
  return new AiforgeError('INVALID_ARGUMENT', `${name}: ${message}`, cause === undefined ? {} : { cause });
}

/** The bytes of a part of some memory. */
interface Bytes {
  buffer: ArrayBuffer | SharedArrayBuffer;
  offset: number;
  length: number;
}

// It asks whether the array lies within its memory, which its length does not tell: that is 0 outside.
const visit: unknown = Reflect.get(Uint8Array.prototype, 'keys');

const outside = 'the view lies outside its ArrayBuffer, which was resized or transferred.';

function bytesWithin(array: TypedArray, name: string): Bytes {
  const buffer = bufferOf(array);
  if ((buffer as { resizable?: boolean }).resizable === true) {
    try {
      Reflect.apply(visit as () => void, array, []);
    } catch (cause) {
      throw refuse(name, outside, cause);
    }
  }
  return { buffer, offset: byteOffsetOf(array), length: byteLengthOf(array) };
}

function view({ buffer, offset, length }: Bytes, name: string): Uint8Array {
  try {
    return new Uint8Array(buffer, offset, length);
  } catch (cause) {
    throw refuse(name, 'the ArrayBuffer is detached: it was transferred elsewhere.', cause);
  }
}

/** Throws for a typed array whose memory is gone: it was transferred, or resized to less. */
export function requireMemory(array: TypedArray, name: string): void {
  view(bytesWithin(array, name), name);
}

/**
 * The memory as a tensor that alone has it. Detaching the caller's buffer is what makes this safe: memory that someone
 * else could detach, resize or write while a kernel runs must not be under a tensor.
 */
function takeOver(bytes: Bytes, dtype: DType, shape: readonly number[], name: string): Handle {
  const fixed = 'this memory cannot be transferred (that of a small Buffer, of WebAssembly or of a tensor); copy it.';
  let buffer: ArrayBuffer;
  try {
    buffer = structuredClone(bytes.buffer as ArrayBuffer, { transfer: [bytes.buffer as ArrayBuffer] });
  } catch (cause) {
    throw refuse(name, fixed, cause);
  }
  // Node 20 copies such memory in silence.
  if (bytes.buffer.byteLength > 0) throw refuse(name, fixed);
  return native.adoptTypedArray(new Uint8Array(buffer, bytes.offset, bytes.length), dtype, shape);
}

/** The tensor over or with a copy of some bytes; `dtype` is what they are. */
function fromBytes(bytes: Bytes, dtype: DType, options: MemoryOptions, name: string): Tensor {
  const { transfer = false, copy = false } = options;
  const size = bytesOf(dtype);
  const shape = options.shape ?? [bytes.length / size];
  const source = view(bytes, name);
  const isAligned = bytes.offset % size === 0;
  enterContext();
  if (isSharedArrayBuffer(bytes.buffer)) {
    if (transfer)
      throw refuse(name, 'a SharedArrayBuffer cannot be transferred; it is shared without a copy as it is.');
    if (!copy && isAligned) return wrapHandle(native.shareTypedArray(source, dtype, shape));
  } else if (transfer) {
    if (!isAligned)
      throw refuse(name, `byte ${bytes.offset} is no multiple of the ${size} bytes of ${dtype}; copy it.`);
    return wrapHandle(takeOver(bytes, dtype, shape, name));
  }
  return wrapHandle(native.fromTypedArray(source, dtype, shape));
}

/** Bytes other than 0 and 1 are no booleans to LibTorch. */
function toBooleans(bytes: Tensor): Tensor {
  try {
    return bytes.to('bool');
  } finally {
    bytes.dispose();
  }
}

/**
 * A tensor from a typed array: a copy, at the speed of memcpy; of a `SharedArrayBuffer` without a copy, since such memory
 * can be neither moved nor detached; and with `{ transfer: true }` without a copy of any memory, which is taken from the
 * caller.
 *
 * @throws AiforgeError INVALID_ARGUMENT when the shape does not match the length, and for memory that cannot be transferred.
 * @example
 * import { fromTypedArray } from 'aiforge';
 * fromTypedArray(Float32Array.of(1, 2, 3, 4), { shape: [2, 2] });
 * const large = new Float32Array(1_000_000);
 * fromTypedArray(large, { transfer: true }).numel(); // 1000000
 * large.length; // 0
 */
export function fromTypedArray(array: TypedArray | Float16Elements, options: TypedArrayOptions = {}): Tensor {
  typedArrayTakes.check('fromTypedArray', arguments);
  const own = isTypedArray(array) ? dtypeOfTypedArray(array) : undefined;
  if (own === undefined) {
    const shown = show(array);
    throw refuse('fromTypedArray', `expected a typed array, got ${shown}; use fromBuffer() for other memory.`);
  }
  const { dtype } = options;
  const bytes = bytesWithin(array as TypedArray, 'fromTypedArray');
  // A copy's bytes other than 0 and 1 are turned into booleans; bytes taken as they are are not.
  const isTaken = options.transfer === true || (isSharedArrayBuffer(bytes.buffer) && options.copy !== true);
  const isReinterpreted =
    dtype !== undefined && (sameBits[own]?.includes(dtype) ?? false) && (dtype !== 'bool' || isTaken);
  const stored = isReinterpreted ? dtype : own;
  const made = fromBytes(bytes, stored, options, 'fromTypedArray');
  if (dtype === undefined || dtype === stored) return made;
  if (dtype === 'bool') return toBooleans(made);
  try {
    return made.to(dtype);
  } finally {
    made.dispose();
  }
}

function memoryOf(source: unknown): Bytes {
  if (isTypedArray(source)) return bytesWithin(source, 'fromBuffer');
  if (ArrayBuffer.isView(source)) {
    const bytes = dataViewBytes(source as DataView);
    return { buffer: bytes.buffer, offset: bytes.byteOffset, length: bytes.byteLength };
  }
  if (isAnyArrayBuffer(source)) {
    const whole = new Uint8Array(source);
    return { buffer: bufferOf(whole), offset: 0, length: lengthOf(whole) };
  }
  const shown = show(source);
  throw refuse('fromBuffer', `expected an ArrayBuffer, a SharedArrayBuffer, a Buffer or a view of one, got ${shown}.`);
}

// Only typed arrays have brand-checked getters within reach; a DataView's are read once and checked by what they make.
function dataViewBytes(source: DataView): Uint8Array<ArrayBuffer | SharedArrayBuffer> {
  const { buffer, byteOffset, byteLength } = source;
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/**
 * A tensor from raw memory: an ArrayBuffer, a SharedArrayBuffer, a Node `Buffer`, a typed array or a DataView, whose bytes
 * are taken as elements of `dtype` in the machine's byte order. Copied or not as in `fromTypedArray`; shared memory that
 * begins at no multiple of an element's size is copied. As `torch.frombuffer`.
 *
 * @throws AiforgeError INVALID_ARGUMENT when offset, count and shape do not fit the memory.
 * @example
 * import { fromBuffer } from 'aiforge';
 * const bytes = Buffer.from([0, 0, 128, 63, 0, 0, 0, 64]);
 * fromBuffer(bytes, { dtype: 'float32' }).tolist(); // [1, 2]
 */
export function fromBuffer(
  source: ArrayBuffer | SharedArrayBuffer | NodeJS.ArrayBufferView,
  options: BufferOptions = {},
): Tensor {
  bufferTakes.check('fromBuffer', arguments);
  const { dtype = 'uint8', offset = 0, count } = options;
  const memory = memoryOf(source);
  const size = bytesOf(dtype);
  const left = memory.length - offset;
  const length = count === undefined ? left : count * size;
  if (!Number.isSafeInteger(offset) || offset < 0 || left < 0 || !Number.isSafeInteger(length) || length < 0) {
    throw refuse('fromBuffer', `an offset of ${offset} and a count of ${count} do not fit ${memory.length} bytes.`);
  }
  if (length > left || length % size !== 0) {
    throw refuse(
      'fromBuffer',
      `${left} bytes from byte ${offset} on are not ${count ?? 'whole'} elements of ${dtype}.`,
    );
  }
  const bytes = { buffer: memory.buffer, offset: memory.offset + offset, length };
  if (dtype !== 'bool') return fromBytes(bytes, dtype, options, 'fromBuffer');
  const isTaken = options.transfer === true || (isSharedArrayBuffer(bytes.buffer) && options.copy !== true);
  if (isTaken) return fromBytes(bytes, 'bool', options, 'fromBuffer');
  return toBooleans(fromBytes(bytes, 'uint8', options, 'fromBuffer'));
}
