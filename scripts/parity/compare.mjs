// Compares what aiforge gave with what Python gave, by torch.testing.assert_close's default tolerances.
import { ops, Tensor } from '../../dist/lib/index.js';
import { camelCase } from '../../dist/lib/tensor/calls/schema.js';
import { storageArray } from './values.mjs';

// relative, absolute
const tolerances = {
  float16: [1e-3, 1e-5],
  bfloat16: [1.6e-2, 1e-5],
  float32: [1.3e-6, 1e-5],
  float64: [1e-7, 1e-7],
  complex32: [1e-3, 1e-5],
  complex64: [1.3e-6, 1e-5],
  complex128: [1e-7, 1e-7],
};

/** How many tensors were compared, and how many of them have the very bits of Python's. */
export class Tally {
  tensors = 0;
  identical = 0;
}

/**
 * The first difference as text, or null. Where values are undefined (`empty`), only kinds, dtypes and shapes count; with
 * `exact` every bit does.
 */
export function difference(
  frame,
  expected,
  actual,
  tally,
  { ignoreValues = false, exact = false, where = 'output' } = {},
) {
  const options = (suffix) => ({ ignoreValues, exact, where: `${where}${suffix}` });
  if (expected === null || typeof expected !== 'object') return differentScalar(expected, actual, where);
  if (Array.isArray(expected)) return differentList(frame, expected, actual, tally, options);
  switch (expected.$) {
    case 'tensor':
      return differentTensor(frame, frame.header.tensors[expected.index], actual, tally, options(''));
    case 'tuple':
      return differentList(frame, expected.items, actual, tally, options) ?? missingName(expected.names, actual, where);
    case 'packed':
      return differentList(frame, expected.items, packedParts(actual), tally, options);
    case 'float':
      return differentScalar(Number(String(expected.value).replace('inf', 'Infinity')), actual, where);
    case 'complex':
      return (
        differentScalar(expected.re, actual?.re, `${where}.re`) ??
        differentScalar(expected.im, actual?.im, `${where}.im`)
      );
    case 'int':
      return differentScalar(BigInt(expected.value), actual, where);
    default:
      return differentScalar(expected.name, actual, where);
  }
}

/** A packed sequence's parts, in the order in which Python's has them. */
export const packedParts = (value) => [value?.data, value?.batchSizes, value?.sortedIndices, value?.unsortedIndices];

function differentList(frame, expected, actual, tally, options) {
  const { where } = options('');
  if (!Array.isArray(actual)) return `${where}: expected ${expected.length} items, got ${describe(actual)}`;
  if (actual.length !== expected.length) return `${where}: expected ${expected.length} items, got ${actual.length}`;
  for (let i = 0; i < expected.length; ++i) {
    const found = difference(frame, expected[i], actual[i], tally, options(`[${i}]`));
    if (found !== null) return found;
  }
  return null;
}

function missingName(names, actual, where) {
  const missing = names.find((name) => actual[camelCase(name)] === undefined);
  return missing === undefined ? null : `${where}: has no item named ${camelCase(missing)}`;
}

function differentScalar(expected, actual, where) {
  if (Object.is(expected, actual)) return null;
  return `${where}: expected ${String(expected)}, got ${describe(actual)}`;
}

function differentTensor(frame, expected, actual, tally, { ignoreValues, exact, where }) {
  if (!Tensor.isTensor(actual)) return `${where}: expected a tensor, got ${describe(actual)}`;
  if (actual.dtype !== expected.dtype) return `${where}: expected dtype ${expected.dtype}, got ${actual.dtype}`;
  if (String(actual.shape) !== String(expected.shape)) {
    return `${where}: expected shape [${expected.shape.join(', ')}], got [${actual.shape.join(', ')}]`;
  }
  if (expected.storage === undefined) return differentSparse(frame, expected, actual, tally, { exact, where });
  if (actual.layout !== 'strided') return `${where}: expected layout strided, got ${actual.layout}`;
  if (String(actual.stride()) !== String(expected.stride)) {
    return `${where}: expected strides [${expected.stride.join(', ')}], got [${actual.stride().join(', ')}]`;
  }
  tally.tensors += 1;
  if (ignoreValues) {
    tally.identical += 1;
    return null;
  }
  const ours = actual.toTypedArray();
  const theirs = storageArray(frame, expected).subarray(0, ours.length);
  if (Buffer.compare(bytes(ours), bytes(theirs)) === 0) {
    tally.identical += 1;
    return null;
  }
  const [a, b] = [toNumbers(ours, expected.dtype), toNumbers(theirs, expected.dtype)];
  const found = differentElement(a, b, exact ? 'bits' : expected.dtype, where);
  return found === null && exact ? `${where}: zeros of other signs, or other NaNs` : found;
}

function differentSparse(frame, expected, actual, tally, { exact, where }) {
  if (actual.layout !== expected.layout) return `${where}: expected layout ${expected.layout}, got ${actual.layout}`;
  const parts = partsOf[expected.layout].map((name) => ops.aten(name)(actual.detach()));
  return differentList(frame, expected.parts, parts, tally, (suffix) => ({ exact, where: `${where}.parts${suffix}` }));
}

const partsOf = {
  sparse_coo: ['_indices', '_values'],
  sparse_csr: ['crow_indices', 'col_indices', 'values'],
  sparse_bsr: ['crow_indices', 'col_indices', 'values'],
  sparse_csc: ['ccol_indices', 'row_indices', 'values'],
  sparse_bsc: ['ccol_indices', 'row_indices', 'values'],
};

const bytes = ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength);

function toNumbers(array, dtype) {
  if (dtype === 'float16' || dtype === 'complex32') return Array.from(array, float16);
  if (dtype === 'bfloat16') return new Float32Array(Uint32Array.from(array, (bits) => bits * 65536).buffer);
  return array;
}

function float16(bits) {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

function differentElement(ours, theirs, dtype, where) {
  if (ours.length !== theirs.length) return `${where}: expected ${theirs.length} elements, got ${ours.length}`;
  const [relative, absolute] = tolerances[dtype] ?? [0, 0];
  const step = dtype.startsWith('complex') ? 2 : 1;
  let wrong = 0;
  let first;
  for (let i = 0; i < ours.length; i += step) {
    if (
      step === 1 ? isClose(ours[i], theirs[i], relative, absolute) : isCloseComplex(ours, theirs, i, relative, absolute)
    )
      continue;
    first ??= i;
    ++wrong;
  }
  if (wrong === 0) return null;
  const text = (array) => (step === 1 ? String(array[first]) : `${array[first]} + ${array[first + 1]}j`);
  return `${where}: ${wrong} of ${ours.length / step} elements differ, element ${first / step}: expected ${text(theirs)}, got ${text(ours)}`;
}

function isClose(ours, theirs, relative, absolute) {
  if (ours === theirs || (Number.isNaN(ours) && Number.isNaN(theirs))) return true;
  if (typeof ours === 'bigint') return false;
  return Number.isFinite(theirs) && Math.abs(ours - theirs) <= absolute + relative * Math.abs(theirs);
}

// As torch.isclose: a complex number is NaN when a part is, and the distance is that in the plane.
function isCloseComplex(ours, theirs, i, relative, absolute) {
  const [a, b, c, d] = [ours[i], ours[i + 1], theirs[i], theirs[i + 1]];
  if (a === c && b === d) return true;
  if ([a, b].some(Number.isNaN) || [c, d].some(Number.isNaN)) {
    return [a, b].some(Number.isNaN) && [c, d].some(Number.isNaN);
  }
  return Number.isFinite(c) && Number.isFinite(d) && Math.hypot(a - c, b - d) <= absolute + relative * Math.hypot(c, d);
}

function describe(value) {
  if (Tensor.isTensor(value)) return `${value.dtype}[${value.shape.join(', ')}]`;
  if (Array.isArray(value)) return `${value.length} items`;
  return String(value);
}
