import type { Tensor } from '../../tensor/tensor.js';
import * as operators from '../operators.js';
import { named, type Rest } from './arguments.js';

export interface LayerNormFunctionOptions {
  /** What the normalised values are multiplied with, of shape `normalizedShape`. Default: none. */
  weight?: Tensor | null;
  /** What is added to them. Default: none. */
  bias?: Tensor | null;
  /** Added to the variance. Default: 1e-5. */
  eps?: number;
}

/**
 * Normalises over the last dimensions, whose sizes are `normalizedShape`. As `torch.nn.functional.layer_norm`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.layerNorm(tensor([[0, 2.5]]), [2], { eps: 0 }).tolist(); // [[-1, 1]]
 */
export function layerNorm(
  input: Tensor,
  normalizedShape: readonly number[],
  ...rest: Rest<LayerNormFunctionOptions, ['weight', 'bias', 'eps']>
): Tensor {
  const defaults = { weight: null, bias: null, eps: 1e-5 };
  const { weight, bias, eps } = named<LayerNormFunctionOptions>('layerNorm', rest, defaults);
  return operators.layerNorm(input, normalizedShape, weight, bias, eps);
}
