import { boolean } from '../../kinds.js';
import { signature } from '../../signature.js';
import { tensorKind } from '../kinds.js';
import { aten } from '../calls/aten.js';
import type { Tensor } from '../tensor.js';

export interface NonzeroOptions {
  /** Gives one tensor of indices a dimension, as `x.at(...)` takes them. Default: false. */
  asTuple?: boolean;
  /** Where the result is written; not with `asTuple`. */
  out?: Tensor;
}

const nonzeroTakes = signature<NonzeroOptions>({ input: tensorKind }, { asTuple: boolean, out: tensorKind });

const rows = aten('nonzero');
const rowsInto = aten('nonzero.out');
const tuple = aten<Tensor[]>('nonzero_numpy');

/**
 * The indices of the elements that are not zero, a row each; with `asTuple` a tensor for each dimension. `torch.nonzero`.
 *
 * @example
 * import { nonzero, tensor } from 'aiforge';
 * nonzero(tensor([0, 5, 7])).tolist(); // [[1], [2]]
 * nonzero(tensor([0, 5, 7]), { asTuple: true })[0].tolist(); // [1, 2]
 */
export function nonzero(input: Tensor, options: NonzeroOptions & { asTuple: true }): Tensor[];
export function nonzero(input: Tensor, options?: NonzeroOptions & { asTuple?: false }): Tensor;
export function nonzero(input: Tensor, options: NonzeroOptions): Tensor | Tensor[];
export function nonzero(input: Tensor, options: NonzeroOptions = {}): Tensor | Tensor[] {
  nonzeroTakes.check('nonzero', arguments);
  const { asTuple = false, out } = options;
  if (asTuple) return tuple(input);
  return out === undefined ? rows(input) : rowsInto(input, { out });
}
