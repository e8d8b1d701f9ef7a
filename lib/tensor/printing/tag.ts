import { createHash } from 'node:crypto';

import { native, type Handle } from '../../native.js';
import type { Complex } from '../dtype.js';
import type { NestedArray, Tensor } from '../tensor.js';

// What `Object.prototype.toString` calls a tensor. Every deep comparison reads it first: that of node:assert, of jest and vitest,
// of chai and lodash. So two tensors are equal to them when they have the same dtype, device, sizes and elements, and a tensor
// costs nothing for it.

// How many elements are written out, so that a failed comparison shows them; of more, there is a digest.
const WRITTEN = 64;

type Element = number | bigint | boolean | Complex;

function write(value: NestedArray<Element>): string {
  if (Array.isArray(value)) return `[${value.map(write).join(', ')}]`;
  if (typeof value === 'object') return `${write(value.re)}${value.im < 0 ? '' : '+'}${write(value.im)}j`;
  return Object.is(value, -0) ? '-0' : String(value);
}

const asBytes = new Set(['bool', 'int64', 'uint64']);

function digest(tensor: Tensor, handle: Handle): string {
  const numbers = asBytes.has(tensor.dtype) ? null : native.copyNumbers(handle);
  if (numbers === null) return createHash('sha256').update(tensor.toTypedArray()).digest('hex');
  const data = new Float64Array(numbers);
  // NaN has many bit patterns, and is NaN.
  for (let i = 0; i < data.length; ++i) if (Number.isNaN(data[i])) data[i] = NaN;
  return createHash('sha256').update(data).digest('hex');
}

/** The tag of a tensor; of one whose elements nobody can read, such as a sparse one or a batch of `vmap`, one that no other has. */
export function tagOf(tensor: Tensor, handle: Handle): string {
  try {
    const { dtype, device, shape } = tensor;
    const elements = tensor.numel() <= WRITTEN ? write(tensor.tolist<NestedArray>()) : digest(tensor, handle);
    return `Tensor ${dtype}[${shape.join(', ')}]${device === 'cpu' ? '' : ` on ${device}`} ${elements}`;
  } catch {
    return `Tensor ${handle}`;
  }
}
