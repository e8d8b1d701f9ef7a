import { noGrad } from '../autograd/modes.js';
import type { Complex } from '../tensor/dtype.js';
import * as f from '../tensor/generated/functions.js';
import { scope } from '../tensor/memory/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { numberText, tupleText } from './text.js';
import type { Tolerances } from './tolerances.js';

export interface Comparison extends Tolerances {
  equalNan: boolean;
}

const isExact = ({ rtol, atol }: Tolerances): boolean => rtol === 0 && atol === 0;

const verdict = (identifier: string, comparison: Comparison): string =>
  `${identifier} are not ${isExact(comparison) ? 'equal' : 'close'}!`;

const allowance = (tolerance: number, comparison: Comparison): string =>
  isExact(comparison) ? '' : ` (up to ${numberText(tolerance, tolerance !== 0)} allowed)`;

type Numeric = number | bigint | Complex;

function distance(a: Numeric, b: Numeric): number | bigint {
  if (typeof a === 'object' || typeof b === 'object') {
    const [left, right] = [a, b].map((v) => (typeof v === 'object' ? v : { re: Number(v), im: 0 }));
    return Math.hypot(left!.re - right!.re, left!.im - right!.im);
  }
  if (typeof a === 'number' && typeof b === 'number') return Math.abs(a - b);
  const difference = BigInt(a) - BigInt(b);
  return difference < 0n ? -difference : difference;
}

const isNan = (value: Numeric): boolean =>
  typeof value === 'object' ? Number.isNaN(value.re) || Number.isNaN(value.im) : Number.isNaN(Number(value));

/** What is wrong with a number, or undefined when it is close enough. */
export function scalarMismatch(
  actual: Numeric,
  expected: Numeric,
  comparison: Comparison,
  isFloating: boolean,
): string | undefined {
  const difference = distance(actual, expected);
  const size = Number(distance(expected, 0));
  const isSame = difference === 0 || difference === 0n || actual === expected;
  if (isSame || (comparison.equalNan && isNan(actual) && isNan(expected))) return undefined;
  // As in torch.isclose, an infinity is close to itself only.
  if (Number.isFinite(size) && Number(difference) <= comparison.atol + comparison.rtol * size) return undefined;
  const relative = size === 0 ? Infinity : Number(difference) / size;
  const text = (value: Numeric) => numberText(value, isFloating);
  return [
    verdict('Scalars', comparison),
    '',
    `Expected ${text(expected)} but got ${text(actual)}.`,
    `Absolute difference: ${numberText(difference, isFloating)}${allowance(comparison.atol, comparison)}`,
    `Relative difference: ${numberText(relative, true)}${allowance(comparison.rtol, comparison)}`,
  ].join('\n');
}

// The dtypes that LibTorch compares and subtracts.
function comparable(tensor: Tensor): Tensor {
  const { dtype } = tensor.detach();
  if (dtype.startsWith('float8')) return tensor.to('float32');
  if (dtype === 'complex32') return tensor.to('complex64');
  if (/^uint(16|32|64)$/.test(dtype)) return tensor.to('int64');
  return tensor;
}

function unravel(index: number, shape: readonly number[]): number[] {
  let rest = index;
  return shape.map((_, i) => {
    const stride = shape.slice(i + 1).reduce((product, size) => product * size, 1);
    const at = Math.floor(rest / stride);
    rest %= stride;
    return at;
  });
}

function greatest(name: string, differences: Tensor, tolerance: number, comparison: Comparison): string {
  const at = differences.flatten().argmax().item();
  const value = differences.flatten().select(0, at).item();
  const text = numberText(value, differences.isFloatingPoint());
  const index = tupleText(unravel(at, differences.shape));
  return `Greatest ${name} difference: ${text} at index ${index}${allowance(tolerance, comparison)}`;
}

/** What is wrong with a tensor, or undefined when all its elements are close enough. */
export function tensorMismatch(
  actual: Tensor,
  expected: Tensor,
  comparison: Comparison,
  identifier: string,
): string | undefined {
  return noGrad(() => scope(() => compare(comparable(actual), comparable(expected), comparison, identifier)));
}

function compare(actual: Tensor, expected: Tensor, comparison: Comparison, identifier: string): string | undefined {
  const { rtol, atol, equalNan } = comparison;
  const matches = f.isclose(actual, expected, rtol, atol, equalNan);
  if (matches.all().item<boolean>()) return undefined;
  if (actual.ndim === 0) {
    const isFloating = actual.isFloatingPoint() || actual.isComplex();
    return scalarMismatch(actual.item<Numeric>(), expected.item<Numeric>(), comparison, isFloating);
  }
  const isNumeric = actual.isFloatingPoint() || actual.isComplex();
  const [left, right] = isNumeric ? [actual, expected] : [actual.to('int64'), expected.to('int64')];
  const absolute = f.sub(left, right).abs();
  const relative = absolute.div(right.abs());
  const total = actual.numel();
  const wrong = total - matches.sum().item();
  return [
    verdict(identifier, comparison),
    '',
    `Mismatched elements: ${wrong} / ${total} (${((100 * wrong) / total).toFixed(1)}%)`,
    greatest('absolute', absolute.maskedFill(matches, 0), atol, comparison),
    greatest('relative', relative.maskedFill(matches, 0), rtol, comparison),
  ].join('\n');
}
