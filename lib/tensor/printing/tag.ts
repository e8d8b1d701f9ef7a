import type { Handle } from '../../native.js';
import type { Complex } from '../dtype.js';
import type { NestedArray, Tensor } from '../tensor.js';
import { digest } from './digest.js';

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

/** The tag of a tensor; of one whose elements nobody can read, such as a sparse one or a batch of `vmap`, one that no other has. */
export function tagOf(tensor: Tensor, handle: Handle): string {
  try {
    const { dtype, device, shape } = tensor;
    const elements =
      tensor.numel() <= WRITTEN ? write(tensor.tolist<NestedArray>()) : digest(handle, tensor.dtype, tensor.numel());
    return `Tensor ${dtype}[${shape.join(', ')}]${device === 'cpu' ? '' : ` on ${device}`} ${elements}`;
  } catch {
    return `Tensor ${handle}`;
  }
}
