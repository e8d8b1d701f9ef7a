import { AssertionError } from 'node:assert';
import { inspect } from 'node:util';

import { AiforgeError } from '../errors.js';
import type { Complex } from '../tensor/dtype.js';
import * as f from '../tensor/generated/functions.js';
import { ops } from '../tensor/calls/operators.js';
import { scope } from '../tensor/memory/scope.js';
import { Tensor } from '../tensor/tensor.js';
import { scalarMismatch, tensorMismatch, type Comparison } from './closeness.js';
import { tupleText } from './text.js';
import { defaultTolerances } from './tolerances.js';
import { anything, boolean, either, func, number, optional, string } from '../kinds.js';
import { signature } from '../signature.js';
import { isMap, isPlainObject } from '../realms.js';

export interface AssertCloseOptions {
  /** The difference that is allowed beside `atol`, as a part of the expected value. Default: PyTorch's for the dtype. */
  rtol?: number;
  /** The difference that is always allowed. Default: PyTorch's for the dtype; both are given or none. */
  atol?: number;
  /** Whether NaN equals NaN. Default: false. */
  equalNan?: boolean;
  /** Default: true. */
  checkDtype?: boolean;
  /** Default: true. */
  checkDevice?: boolean;
  /** Default: true. */
  checkLayout?: boolean;
  /** Default: false. */
  checkStride?: boolean;
  /** Said instead of the message; a function makes it of the message. */
  msg?: string | ((message: string) => string);
}

const assertCloseTakes = signature<AssertCloseOptions>(
  { actual: optional(anything), expected: optional(anything) },
  {
    rtol: number,
    atol: number,
    equalNan: boolean,
    checkDtype: boolean,
    checkDevice: boolean,
    checkLayout: boolean,
    checkStride: boolean,
    msg: either(string, func<(message: string) => string>()),
  },
);

type Settings = AssertCloseOptions;

const tolerancesOf = (settings: Settings, ...dtypes: Parameters<typeof defaultTolerances>): Comparison => {
  const { rtol, atol, equalNan = false } = settings;
  return { ...defaultTolerances(...dtypes), ...(rtol === undefined ? {} : { rtol, atol: atol! }), equalNan };
};

const torchName = (value: string) => `torch.${value}`;

/** The first property in which two tensors differ and must not. */
function attributeMismatch(actual: Tensor, expected: Tensor, settings: Settings): string | undefined {
  const differs = (name: string, left: string, right: string) =>
    left === right ? undefined : `The values for attribute '${name}' do not match: ${left} != ${right}.`;
  const { checkDtype = true, checkDevice = true, checkLayout = true, checkStride = false } = settings;
  const size = (tensor: Tensor) => `torch.Size([${tensor.shape.join(', ')}])`;
  return (
    differs('shape', size(actual), size(expected)) ??
    (checkLayout ? differs('layout', torchName(actual.layout), torchName(expected.layout)) : undefined) ??
    (checkDevice ? differs('device', actual.device, expected.device) : undefined) ??
    (checkDtype ? differs('dtype', torchName(actual.dtype), torchName(expected.dtype)) : undefined) ??
    (checkStride && actual.layout === 'strided' && expected.layout === 'strided'
      ? differs('stride()', tupleText(actual.stride()), tupleText(expected.stride()))
      : undefined)
  );
}

function equalised(actual: Tensor, expected: Tensor): [Tensor, Tensor] {
  let pair = [actual, expected].map((t) => (t.isQuantized ? t.dequantize() : t.detach())) as [Tensor, Tensor];
  if (actual.device !== expected.device) pair = [pair[0].to('cpu'), pair[1].to('cpu')];
  if (pair[0].layout !== pair[1].layout) pair = pair.map((t) => (t.layout === 'strided' ? t : t.toDense())) as typeof pair; // prettier-ignore
  if (pair[0].dtype !== pair[1].dtype) {
    const dtype = f.promoteTypes(pair[0].dtype, pair[1].dtype);
    pair = [pair[0].to(dtype), pair[1].to(dtype)];
  }
  return pair;
}

const compressed = {
  sparse_csr: ['CSR', 'crow_indices', 'col_indices'],
  sparse_bsr: ['BSR', 'crow_indices', 'col_indices'],
  sparse_csc: ['CSC', 'ccol_indices', 'row_indices'],
  sparse_bsc: ['BSC', 'ccol_indices', 'row_indices'],
} as const;

/** The parts of a sparse tensor that are compared, with their names. */
function partsOf(tensor: Tensor): [string, Tensor][] {
  if (tensor.layout === 'sparse_coo') {
    const whole = tensor.coalesce();
    return [['Sparse COO indices', whole.indices()], ['Sparse COO values', whole.values()]]; // prettier-ignore
  }
  const [name, outer, inner] = compressed[tensor.layout as keyof typeof compressed];
  const part = (of: string): [string, Tensor] => [`Sparse ${name} ${of}`, ops.aten(of)(tensor) as Tensor];
  return [part(outer), part(inner), part('values')];
}

function tensorsMismatch(actual: Tensor, expected: Tensor, settings: Settings): string | undefined {
  const attribute = attributeMismatch(actual, expected, settings);
  if (attribute !== undefined) return attribute;
  const comparison = tolerancesOf(settings, actual.dtype, expected.dtype);
  return scope(() => {
    const [left, right] = equalised(actual, expected);
    if (left.layout === 'strided') return tensorMismatch(left, right, comparison, 'Tensor-likes');
    const rightParts = partsOf(right);
    for (const [i, [name, part]] of partsOf(left).entries()) {
      const other = rightParts[i]![1];
      if (part.numel() !== other.numel()) {
        return `The number of specified values in sparse tensors does not match: ${part.size(-1)} != ${other.size(-1)}`;
      }
      const found = tensorMismatch(part, other, name.endsWith('values') ? comparison : { ...comparison, rtol: 0, atol: 0 }, name); // prettier-ignore
      if (found !== undefined) return found;
    }
    return undefined;
  });
}

const isComplex = (value: unknown): value is Complex =>
  typeof value === 'object' && value !== null && Object.keys(value).sort().join() === 'im,re';

const isNumber = (value: unknown): value is number | bigint | Complex =>
  typeof value === 'number' || typeof value === 'bigint' || isComplex(value);

const isMapping = (value: unknown): value is object => isMap(value) || isPlainObject(value);

const entriesOf = (value: object): Map<unknown, unknown> =>
  isMap(value) ? value : new Map<unknown, unknown>(Object.entries(value));

interface Failure {
  message: string;
  /** The way to the item, such as `[1]['weight']`. */
  path: string;
}

const fail = (message: string | undefined, path: string): Failure | undefined =>
  message === undefined ? undefined : { message, path };

function sequencesMismatch(caller: string, actual: unknown[], expected: unknown[], settings: Settings, path: string) {
  if (actual.length !== expected.length) {
    return fail(`The length of the sequences mismatch: ${actual.length} != ${expected.length}`, path);
  }
  for (let i = 0; i < actual.length; ++i) {
    const found = mismatch(caller, actual[i], expected[i], settings, `${path}[${i}]`);
    if (found !== undefined) return found;
  }
  return undefined;
}

const keyText = (key: unknown): string => (typeof key === 'string' ? `'${key}'` : inspect(key));

function mappingsMismatch(caller: string, actual: object, expected: object, settings: Settings, path: string) {
  const [left, right] = [entriesOf(actual), entriesOf(expected)];
  const list = (from: Map<unknown, unknown>, other: Map<unknown, unknown>) =>
    `[${[...from.keys()].filter((key) => !other.has(key)).map(keyText).join(', ')}]`; // prettier-ignore
  if (list(left, right) !== '[]' || list(right, left) !== '[]') {
    const lines = ['The keys of the mappings do not match:'];
    lines.push(`Missing keys in the actual mapping: ${list(right, left)}`);
    lines.push(`Additional keys in the actual mapping: ${list(left, right)}`);
    return fail(lines.join('\n'), path);
  }
  for (const [key, value] of left) {
    const found = mismatch(caller, value, right.get(key), settings, `${path}[${keyText(key)}]`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function numbersMismatch(actual: number | bigint | Complex, expected: number | bigint | Complex, settings: Settings) {
  const isWhole = [actual, expected].every((v) => typeof v === 'bigint' || Number.isInteger(v));
  const dtype = isWhole ? 'int64' : 'float64';
  return scalarMismatch(actual, expected, tolerancesOf(settings, dtype), !isWhole);
}

function mismatch(
  caller: string,
  actual: unknown,
  expected: unknown,
  settings: Settings,
  path: string,
): Failure | undefined {
  if (Tensor.isTensor(actual) && Tensor.isTensor(expected)) {
    return fail(tensorsMismatch(actual, expected, settings), path);
  }
  if (isNumber(actual) && isNumber(expected)) return fail(numbersMismatch(actual, expected, settings), path);
  if (typeof actual === 'boolean' && typeof expected === 'boolean') {
    const text = (value: boolean) => (value ? 'True' : 'False');
    return actual === expected ? undefined : fail(`Booleans mismatch: ${text(actual)} is not ${text(expected)}`, path);
  }
  if (actual === null && expected === null) return undefined;
  if (Array.isArray(actual) && Array.isArray(expected))
    return sequencesMismatch(caller, actual, expected, settings, path);
  if (isMapping(actual) && isMapping(expected)) return mappingsMismatch(caller, actual, expected, settings, path);
  const kind = (value: unknown) => (Tensor.isTensor(value) ? 'a Tensor' : inspect(value, { depth: 0 }));
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `${caller}: ${kind(actual)} and ${kind(expected)} cannot be compared; give tensors, numbers, booleans, or arrays and objects of them.`,
  );
}

/**
 * Asserts that tensors, numbers, or arrays and objects of them are close, as `torch.testing.assert_close`: they have one
 * shape, dtype, device and layout, and each element differs by at most `atol + rtol * |expected|`.
 *
 * @throws AssertionError that says how many elements differ, by how much and where.
 * @example
 * import { tensor, testing } from 'aiforge';
 * testing.assertClose(tensor([1, 2.5]).mul(3), tensor([3, 7.5]));
 * testing.assertClose({ loss: 0.1 + 0.2 }, { loss: 0.3 });
 */
export function assertClose(actual: unknown, expected: unknown, options: AssertCloseOptions = {}): void {
  assertCloseTakes.check('assertClose', arguments);
  const message = mismatchOf('assertClose', actual, expected, options);
  if (message !== undefined) throw new AssertionError({ message, stackStartFn: assertClose });
}

/** How `actual` differs from `expected`, for whoever asserts that it does not under the name `caller`. */
export function mismatchOf(
  caller: string,
  actual: unknown,
  expected: unknown,
  options: AssertCloseOptions,
): string | undefined {
  assertCloseTakes.checkOptions(caller, options);
  if ((options.rtol === undefined) !== (options.atol === undefined)) {
    const missing = options.rtol === undefined ? 'rtol' : 'atol';
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `${caller}: rtol and atol are given both or not at all; got no ${missing}.`,
    );
  }
  const failure = mismatch(caller, actual, expected, options, '');
  if (failure === undefined) return undefined;
  const where = failure.path === '' ? '' : `\n\nThe failure occurred for item ${failure.path}`;
  const { msg } = options;
  const message = failure.message + where;
  return typeof msg === 'function' ? msg(message) : (msg ?? message);
}
