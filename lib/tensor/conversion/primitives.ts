import { AiforgeError } from '../../errors.js';
import { show } from '../../show.js';
import type { Complex } from '../dtype.js';
import type { NestedArray, Tensor } from '../tensor.js';

// What JavaScript itself makes of tensors, in its operators and in JSON.

/** The number of a tensor of one element. */
export function asNumber(tensor: Tensor): number {
  if (tensor.numel() === 1) {
    const value = tensor.item<number | bigint | boolean | Complex>();
    if (typeof value !== 'object') return Number(value);
  }
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `${show(tensor)} is no number: JavaScript's operators do not compute with tensors. Use its methods, such as x.add(y), ` +
      'x.mul(y), x.lt(y) and x.eq(y); in text write `${x}`.',
  );
}

const MOST_IN_JSON = 1_000_000;

/** A model or a data set that came into a log or an answer by mistake must not stop the process for seconds. */
export function refuseLarge(tensor: Tensor): void {
  if (tensor.numel() <= MOST_IN_JSON) return;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `toJSON: ${show(tensor)} has more than ${MOST_IN_JSON} elements: save it by save() or saveSafetensors(), send it as ` +
      'toTypedArray(), or write tolist() if it has to be JSON.',
  );
}

/** Nested arrays as JSON can hold them. */
export function forJson(value: NestedArray): NestedArray<number | boolean | Complex> {
  if (Array.isArray(value)) return value.map(forJson);
  if (typeof value !== 'bigint') return value;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `toJSON: the numbers of JSON do not hold ${value} exactly; write to('float64'), or the elements as strings.`,
  );
}
