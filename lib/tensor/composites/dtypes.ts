import { optional } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import type { DType } from '../dtype.js';
import { dtypeKind, tensorKind } from '../kinds.js';
import { Tensor } from '../tensor.js';
import { invalid } from './named.js';

/** What a floating-point dtype can hold; of a complex dtype, what its parts can. */
export interface FloatInfo {
  dtype: DType;
  bits: number;
  /** The distance from 1 to the next number. */
  eps: number;
  max: number;
  min: number;
  /** The least positive normal number. */
  smallestNormal: number;
  /** The same as `smallestNormal`. */
  tiny: number;
  /** Ten to minus the number of decimal digits that are exact. */
  resolution: number;
}

// Bits, of them those of the mantissa, the greatest number, the least positive normal one and, where PyTorch gives another
// than the mantissa's, eps.
const floats: Partial<Record<DType, [bits: number, mantissa: number, max: number, normal: number, eps?: number]>> = {
  float64: [64, 52, Number.MAX_VALUE, 2 ** -1022],
  float32: [32, 23, (2 - 2 ** -23) * 2 ** 127, 2 ** -126],
  float16: [16, 10, 65504, 2 ** -14],
  bfloat16: [16, 7, (2 - 2 ** -7) * 2 ** 127, 2 ** -126],
  float8_e4m3fn: [8, 3, 448, 2 ** -6],
  float8_e4m3fnuz: [8, 3, 240, 2 ** -7],
  float8_e5m2: [8, 2, 57344, 2 ** -14],
  float8_e5m2fnuz: [8, 2, 57344, 2 ** -15, 2 ** -3],
  float8_e8m0fnu: [8, 0, 2 ** 127, 2 ** -127],
};

// Its numbers are powers of two alone.
const withoutSign: DType = 'float8_e8m0fnu';

const parts: Partial<Record<DType, DType>> = { complex32: 'float16', complex64: 'float32', complex128: 'float64' };

/**
 * The limits of a floating-point dtype: `torch.finfo`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a dtype that is not floating-point.
 * @example
 * import { finfo } from 'aiforge';
 * finfo('float16').max; // 65504
 */
export function finfo(dtype: DType = 'float32'): FloatInfo {
  finfoTakes.check('finfo', arguments);
  const real = parts[dtype] ?? dtype;
  const found = floats[real];
  if (found === undefined)
    throw invalid('finfo', `expected a floating-point dtype, got ${show(dtype)}; use iinfo for integers`);
  const [bits, mantissa, max, normal, eps = 2 ** -mantissa] = found;
  const digits = Math.floor(mantissa * Math.log10(2));
  const resolution = Number(`1e-${digits}`);
  const min = real === withoutSign ? normal : -max;
  return { dtype: real, bits, eps, max, min, smallestNormal: normal, tiny: normal, resolution };
}

export interface IntegerInfo {
  dtype: DType;
  bits: number;
  /** A bigint beyond 2^53. */
  max: number | bigint;
  min: number | bigint;
}

const asNumber = (value: bigint): number | bigint => (Number.isSafeInteger(Number(value)) ? Number(value) : value);

/**
 * The limits of an integer dtype: `torch.iinfo`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a dtype that is no integer.
 * @example
 * import { iinfo } from 'aiforge';
 * iinfo('int8').min; // -128
 */
export function iinfo(dtype: DType): IntegerInfo {
  iinfoTakes.check('iinfo', arguments);
  const bits = Number(/^u?int(\d+)$/.exec(dtype)?.[1]);
  if (Number.isNaN(bits))
    throw invalid('iinfo', `expected an integer dtype, got ${show(dtype)}; use finfo for floating-point`);
  const isSigned = dtype.startsWith('int');
  const range = 2n ** BigInt(isSigned ? bits - 1 : bits);
  return { dtype, bits, max: asNumber(range - 1n), min: asNumber(isSigned ? -range : 0n) };
}

const numelTakes = signature({ input: tensorKind });
const finfoTakes = signature({ dtype: optional(dtypeKind) });
const iinfoTakes = signature({ dtype: dtypeKind });

/** Whether a value is a Tensor of this library: `torch.is_tensor`. */
export function isTensor(value: unknown): value is Tensor {
  return Tensor.isTensor(value);
}

/** The number of elements: `torch.numel`. */
export function numel(input: Tensor): number {
  if (arguments.length > 1 || !Tensor.isTensor(input)) numelTakes.check('numel', arguments);
  return input.numel();
}
