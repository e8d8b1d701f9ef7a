import type { Tensor } from './tensor.js';

/**
 * What structuredClone, postMessage and v8.serialize come upon in a tensor, of which they would make an empty object. The text
 * is that of V8's error: 'Symbol(a Tensor, …) could not be cloned.' One for all copies of the library, whose tensors are equal then.
 */
export const unclonable = Symbol.for(
  'a Tensor, which another thread gets by share() or transfer() and a file by save(),',
);

/** The properties that a tensor's user gave it. */
export const attributesOf = (tensor: Tensor): Map<string, unknown> =>
  new Map(Object.entries(tensor).filter(([, value]) => value !== unclonable));
