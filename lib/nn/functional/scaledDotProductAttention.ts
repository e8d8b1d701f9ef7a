import type { Tensor } from '../../tensor/tensor.js';
import * as operators from '../operators.js';
import { named, type Rest } from './arguments.js';

export interface ScaledDotProductAttentionOptions {
  /** True for pairs that take part, or numbers to add. Default: none. */
  attnMask?: Tensor | null;
  /** The probability with which weights are dropped, also in evaluation. Default: 0. */
  dropoutP?: number;
  /** Whether each position sees only itself and earlier ones. Default: false. */
  isCausal?: boolean;
  /** What the products are multiplied with. Default: 1 / sqrt(features). */
  scale?: number | null;
  /** Whether keys and values may have fewer heads than queries. Default: false. */
  enableGqa?: boolean;
}

type AttentionOrder = ['attnMask', 'dropoutP', 'isCausal'];

/**
 * `softmax(query @ key.T * scale + mask) @ value` of [batch, …, length, features]. As
 * `torch.nn.functional.scaled_dot_product_attention`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * const x = randn([1, 2, 5, 4]);
 * nn.functional.scaledDotProductAttention(x, x, x, { isCausal: true }).shape; // [1, 2, 5, 4]
 */
export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  ...rest: Rest<ScaledDotProductAttentionOptions, AttentionOrder>
): Tensor {
  const defaults = { attnMask: null, dropoutP: 0, isCausal: false, scale: null, enableGqa: false };
  const given = named<ScaledDotProductAttentionOptions>('scaledDotProductAttention', rest, defaults);
  const { attnMask, dropoutP, isCausal, scale, enableGqa } = given;
  return operators.scaledDotProductAttention(query, key, value, attnMask, dropoutP, isCausal, scale, enableGqa);
}
