import { isGradEnabled } from '../autograd/modes.js';
import { AiforgeError } from '../errors.js';
import type { Handles } from '../native.js';
import { pow } from '../tensor/generated/functions.js';
import { scope } from '../tensor/memory/scope.js';
import { handleOf, Tensor } from '../tensor/tensor.js';
import * as ops from './operators.js';

/**
 * A number, or a tensor of one element in its place, as Python allows for a learning rate. Arithmetic follows Python's
 * rounding: numbers are float64, and with a tensor the result is a tensor of its dtype.
 */
export type Scalar = number | Tensor;

/** @throws AiforgeError INVALID_ARGUMENT for a tensor that is recorded: its gradient would be lost. */
export function valueOf(scalar: Scalar): number {
  if (typeof scalar === 'number') return scalar;
  if (scalar.requiresGrad && isGradEnabled()) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      'This optimizer takes an option as a number where it steps, which passes no gradient to a Tensor: detach() it.',
    );
  }
  return scalar.item();
}

/** A tensor of one element without its dimensions. */
export function withoutDimensions(scalar: Scalar): Scalar {
  return typeof scalar === 'number' || scalar.ndim === 0 ? scalar : scalar.squeeze();
}

export function plus(a: Scalar, b: Scalar): Scalar {
  if (typeof a === 'number') return typeof b === 'number' ? a + b : b.add(a);
  return a.add(b as number);
}

export function minus(a: Scalar, b: Scalar): Scalar {
  if (typeof a === 'number') return typeof b === 'number' ? a - b : b.neg().add(a);
  return a.sub(b as number);
}

export function times(a: Scalar, b: Scalar): Scalar {
  if (typeof a === 'number') return typeof b === 'number' ? a * b : b.mul(a);
  return a.mul(b as number);
}

// Python divides a number by a tensor through the tensor's reciprocal.
export function over(a: Scalar, b: Scalar): Scalar {
  if (typeof a === 'number') return typeof b === 'number' ? a / b : b.reciprocal().mul(a);
  return a.div(b as number);
}

export function power(base: Scalar, exponent: Scalar): Scalar {
  if (typeof base === 'number') return typeof exponent === 'number' ? ops.pow(base, exponent) : pow(base, exponent);
  return base.pow(exponent as number);
}

/** A list divided by a number, or by the one element of a tensor, which nothing reads back. */
export function divideBy_(self: Handles, divisor: Scalar): void {
  if (typeof divisor === 'number') ops.divide_(self, divisor);
  else ops.divideTensor_(self, handleOf(divisor));
}

/** A list multiplied likewise. */
export function multiplyBy_(self: Handles, factor: Scalar): void {
  if (typeof factor === 'number') ops.multiply_(self, factor);
  else ops.multiplyTensor_(self, handleOf(factor));
}

/** `a < b`; a number is rounded to the tensor's dtype before it is compared. */
export function isLess(a: Scalar, b: Scalar): boolean {
  if (typeof a === 'number') return typeof b === 'number' ? a < b : b.gt(a).item<boolean>();
  return a.lt(b as number).item<boolean>();
}

export function isAtMost(a: Scalar, b: Scalar): boolean {
  if (typeof a === 'number') return typeof b === 'number' ? a <= b : b.ge(a).item<boolean>();
  return a.le(b as number).item<boolean>();
}

/** Python's `min` and `max`: of equal ones the first. */
export const least = (a: Scalar, b: Scalar): Scalar => (isLess(b, a) ? b : a);
export const greatest = (a: Scalar, b: Scalar): Scalar => (isLess(a, b) ? b : a);

export const absolute = (a: Scalar): Scalar => (typeof a === 'number' ? Math.abs(a) : a.abs());

/** What an option holds, for checks: its number, whatever it is given as. */
export function checkScalar(name: string, scalar: unknown): number {
  if (!Tensor.isTensor(scalar)) return scalar as number;
  if (scalar.numel() !== 1) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `${name}: a Tensor must have 1 element, got the shape [${scalar.shape.join(', ')}].`,
    );
  }
  return scope(() => scalar.item());
}
