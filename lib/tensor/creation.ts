import { AiforgeError } from '../errors.js';
import { anything, boolean } from '../kinds.js';
import { signature, isOptions } from '../signature.js';
import { native, type Handle } from '../native.js';
import { enterContext } from './context/context.js';
import { isDevice, isDType, isTypedArray, type Device, type DType, type TypedArray } from './dtype.js';
import { Elements } from './conversion/elements.js';
import { deviceKind, dtypeKind } from './kinds.js';
import { scratch } from './memory/scratch.js';
import { wrapHandle, type Tensor, type TensorData } from './tensor.js';
import { fromTypedArray } from './conversion/typedArrays.js';

const { fromScratch } = native;

export interface TensorOptions {
  /** Default: as PyTorch infers it: float32 for fractions, int64 for whole numbers, bool for booleans. */
  dtype?: DType;
  /** Default: `'cpu'`. */
  device?: Device;
  /** Default: false. */
  requiresGrad?: boolean;
}

function refuseElement(elements: Elements, position: number, dtype: DType): AiforgeError {
  const place = elements.shape.length === 0 ? '' : ` of ${elements.place(position)}`;
  return new AiforgeError(
    'INVALID_ARGUMENT',
    `tensor: ${elements.show(position)}${place} cannot be held by ${dtype}; choose another dtype.`,
  );
}

/** The least and the greatest value of an integer dtype; as in PyTorch a narrow unsigned one takes -1 for its greatest. */
function rangeOf(dtype: DType): [bigint, bigint] {
  const bits = BigInt(/\d+/.exec(dtype)![0]);
  if (!dtype.includes('u')) return [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n];
  return [bits === 64n ? 0n : 1n - 2n ** bits, 2n ** bits - 1n];
}

function checkIntegers(elements: Elements, dtype: DType): void {
  const [least, greatest] = rangeOf(dtype);
  // A float64 that is no more than 2^63 - 1, or 2^64 - 1, is less than the power of two that such a limit rounds to.
  const [low, limit] = [Number(least), Number(greatest)];
  const high = BigInt(limit) > greatest ? limit * (1 - Number.EPSILON / 2) : limit;
  const { numbers, integers } = elements;
  for (let i = 0; i < numbers.length; ++i) {
    // NaN is not between them.
    if (!(numbers[i]! >= low && numbers[i]! <= high) && !integers?.has(i)) throw refuseElement(elements, i, dtype);
  }
  for (const [i, value] of integers ?? [])
    if (value < least || value > greatest) throw refuseElement(elements, i, dtype);
  if (!dtype.startsWith('u')) return;
  // A whole number wraps around, a fraction does not.
  const fraction = numbers.findIndex((value) => value < 0 && !Number.isInteger(value));
  if (fraction >= 0) throw refuseElement(elements, fraction, dtype);
}

/** Integers of which some are beyond 2^53. */
function exactIntegers({ numbers, integers }: Elements, isSigned: boolean): TypedArray {
  const exact = isSigned ? new BigInt64Array(numbers.length) : new BigUint64Array(numbers.length);
  for (let i = 0; i < numbers.length; ++i) exact[i] = integers?.get(i) ?? BigInt(Math.trunc(numbers[i]!));
  return exact;
}

/** The handle of a tensor that holds complex numbers in double precision. */
function complexNumbers({ numbers, imaginary, shape }: Elements): Handle {
  const pairs = new Float64Array(2 * numbers.length);
  for (let i = 0; i < numbers.length; ++i) {
    pairs[2 * i] = numbers[i]!;
    pairs[2 * i + 1] = imaginary?.[i] ?? 0;
  }
  return native.fromTypedArray(pairs, 'complex128', shape);
}

function realNumbers(elements: Elements, imaginary: Float64Array, dtype: DType): Float64Array {
  if (dtype === 'bool') return elements.numbers.map((re, i) => (re !== 0 || imaginary[i] !== 0 ? 1 : 0));
  throw refuseElement(
    elements,
    Math.max(
      0,
      imaginary.findIndex((im) => im !== 0),
    ),
    dtype,
  );
}

function fromNumbers(numbers: Float64Array, dtype: DType, shape: number[]): Handle {
  if (shape.length + numbers.length > scratch.length) return native.fromNumbers(numbers, dtype, shape);
  for (let dim = 0; dim < shape.length; ++dim) scratch[dim] = shape[dim]!;
  scratch.set(numbers, shape.length);
  return fromScratch(dtype, shape.length);
}

function fromElements(data: TensorData, dtype: DType | undefined): Tensor {
  const elements = new Elements(data);
  const wanted = dtype ?? elements.inferDType();
  const { shape, imaginary, integers } = elements;
  enterContext();
  if (wanted.startsWith('complex')) {
    return converted(wrapHandle(complexNumbers(elements)), wanted === 'complex128' ? undefined : wanted);
  }
  if (/^qu?int/.test(wanted)) {
    throw new AiforgeError('INVALID_ARGUMENT', `tensor: ${wanted} has a scale; use quantizePerTensor().`);
  }
  const numbers = imaginary === undefined ? elements.numbers : realNumbers(elements, imaginary, wanted);
  if (/^u?int/.test(wanted)) {
    checkIntegers(elements, wanted);
    if (integers !== undefined) {
      return wrapHandle(native.fromTypedArray(exactIntegers(elements, wanted === 'int64'), wanted, shape));
    }
  }
  return wrapHandle(fromNumbers(numbers, wanted, shape));
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

/** Whether an object has nothing but good options: quicker than the signature, which then says what is wrong. */
function areOptions(options: TensorOptions): boolean {
  if (!isOptions(options)) return false;
  for (const name in options) if (name !== 'dtype' && name !== 'device' && name !== 'requiresGrad') return false;
  const { dtype, device, requiresGrad } = options;
  return (
    (dtype === undefined || isDType(dtype)) &&
    (device === undefined || isDevice(device)) &&
    (requiresGrad === undefined || typeof requiresGrad === 'boolean')
  );
}

/** What `tensor` takes, and `newTensor`. */
export const tensorTakes = signature<TensorOptions>(
  { data: anything },
  { dtype: dtypeKind, device: deviceKind, requiresGrad: boolean },
);

/**
 * A tensor with a copy of the data: a number, nested arrays, or a typed array (which has one dimension). The innermost
 * arrays may be typed arrays, and tensors without dimensions may stand for numbers. As `torch.tensor`: whole numbers give
 * int64, fractions float32, booleans bool, `{ re, im }` complex64; tensors and typed arrays count with their own dtypes.
 *
 * @throws AiforgeError INVALID_ARGUMENT for ragged arrays, elements that are no numbers, and numbers that the dtype does
 * not hold; each names the place.
 * @example
 * import { tensor } from 'aiforge';
 * tensor([[1, 2], [3, 4]]).shape; // [2, 2]
 * tensor([1, 2], { dtype: 'float64', requiresGrad: true });
 * tensor([Float32Array.of(1, 2), [3, 4]]).dtype; // 'float32'
 */
export function tensor(data: TensorData, options?: TensorOptions): Tensor {
  if (arguments.length > 2) tensorTakes.check('tensor', arguments);
  if (options === undefined)
    return isTypedArray(data) ? fromTypedArray(data, { copy: true }) : fromElements(data, undefined);
  if (!areOptions(options)) tensorTakes.check('tensor', [data, options]);
  const { dtype, device, requiresGrad = false } = options;
  let made = isTypedArray(data) ? fromTypedArray(data, { copy: true }) : fromElements(data, dtype);
  if (dtype !== undefined && dtype !== made.dtype) made = converted(made, dtype);
  if (device !== undefined && device !== 'cpu') {
    const onCpu = made;
    made = onCpu.to(device);
    onCpu.dispose();
  }
  return requiresGrad ? made.requiresGrad_() : made;
}
