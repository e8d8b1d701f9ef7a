import { AssertionError } from 'node:assert';

import { anything, optional } from '../kinds.js';
import { signature } from '../signature.js';
import { mismatchOf } from './assertClose.js';

const assertEqualTakes = signature({ actual: optional(anything), expected: optional(anything) });

/**
 * Asserts that tensors, or arrays and objects of them, are equal: one shape, dtype, device and layout, and the same elements,
 * where NaN equals NaN.
 *
 * @throws AssertionError that says how many elements differ, by how much and where.
 * @example
 * import { assertEqual } from 'aiforge/testing';
 * import { arange, tensor } from 'aiforge';
 * assertEqual(arange(3), tensor([0, 1, 2]));
 */
export function assertEqual(actual: unknown, expected: unknown): void {
  assertEqualTakes.check('assertEqual', arguments);
  const message = mismatchOf('assertEqual', actual, expected, exactly);
  if (message !== undefined) throw new AssertionError({ message, stackStartFn: assertEqual });
}

/** No difference is allowed. */
export const exactly = { rtol: 0, atol: 0, equalNan: true } as const;
