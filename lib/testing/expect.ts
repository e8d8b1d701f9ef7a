import { func, kind, type Kind } from '../kinds.js';
import { signature } from '../signature.js';
import { tensor } from '../tensor/creation.js';
import type { NestedArray } from '../tensor/tensor.js';
import { Tensor } from '../tensor/tensor.js';
import { mismatchOf, type AssertCloseOptions } from './assertClose.js';
import { exactly } from './assertEqual.js';

/** The matchers that `extendExpect` adds, for the declaration by which a test runner's types learn of them. */
export interface TensorMatchers<R = unknown> {
  /** The same shape, dtype, device and elements, where NaN equals NaN; nested arrays stand for a tensor of the received dtype. */
  toEqualTensor(expected: Tensor | NestedArray): R;
  /** The same shape, dtype and device, and elements that are close, as `assertClose` has it. */
  toBeCloseToTensor(expected: Tensor | NestedArray, options?: AssertCloseOptions): R;
}

/** The `expect` of jest or vitest. */
export interface Expect {
  extend(matchers: Record<string, Matcher>): void;
  addEqualityTesters(testers: ((a: unknown, b: unknown) => boolean | undefined)[]): void;
  addSnapshotSerializer(serializer: typeof tensorSerializer): void;
}

type Matcher = (received: unknown, ...given: unknown[]) => { pass: boolean; message: () => string };

/** Prints tensors in snapshots: dtype and shape, and the elements as `toString()` rounds them. */
const tensorSerializer = {
  test: (value: unknown): boolean => Tensor.isTensor(value),
  serialize: (value: Tensor, _config?: unknown, indentation = ''): string =>
    value.isDisposed ? 'disposed tensor' : snapshotOf(value).replaceAll('\n', `\n${indentation}`),
};

function snapshotOf(value: Tensor): string {
  return `${value.constructor.name} ${value.dtype}[${value.shape.join(', ')}]\n${Tensor.prototype.toString.call(value)}`;
}

function matcher(name: string, fixed: AssertCloseOptions = {}): Matcher {
  return (received, expected, options = {}) => {
    const isList = Tensor.isTensor(received) && Array.isArray(expected);
    const other = isList ? tensor(expected, { dtype: received.dtype, device: received.device }) : expected;
    const problem = mismatchOf(name, received, other, { ...(options as AssertCloseOptions), ...fixed });
    return { pass: problem === undefined, message: () => problem ?? `${name}: the tensors do not differ.` };
  };
}

function areEqual(a: unknown, b: unknown): boolean | undefined {
  if (!Tensor.isTensor(a) && !Tensor.isTensor(b)) return undefined;
  return Tensor.isTensor(a) && Tensor.isTensor(b) && a[Symbol.toStringTag] === b[Symbol.toStringTag];
}

const isExpect: Kind<Expect> = kind(
  'the `expect` of jest or vitest',
  (value) =>
    typeof value === 'function' &&
    ['extend', 'addEqualityTesters', 'addSnapshotSerializer'].every((name) =>
      func().accepts((value as unknown as Record<string, unknown>)[name]),
    ),
);
const extendTakes = signature({ expect: isExpect });

/**
 * Teaches the `expect` of jest or vitest tensors, in a setup file: the matchers `toEqualTensor` and `toBeCloseToTensor`,
 * comparison by content in `toEqual` and all that compares deeply, and snapshots that show the elements.
 *
 * @example
 * import { extendExpect, type Expect } from 'aiforge/testing';
 * declare const expect: Expect; // import { expect } from 'vitest', or jest's global
 * if (typeof expect !== 'undefined') extendExpect(expect);
 */
export function extendExpect(expect: Expect): void {
  extendTakes.check('extendExpect', arguments);
  expect.extend({
    toEqualTensor: matcher('toEqualTensor', exactly),
    toBeCloseToTensor: matcher('toBeCloseToTensor'),
  });
  expect.addEqualityTesters([areEqual]);
  expect.addSnapshotSerializer(tensorSerializer);
}
