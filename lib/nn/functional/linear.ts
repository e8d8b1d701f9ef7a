import type { Tensor } from '../../tensor/tensor.js';
import * as operators from '../operators.js';
import { anything, optional } from '../../kinds.js';
import { signature } from '../../signature.js';

export { bilinear } from '../../tensor/generated/functions.js';

const linearTakes = signature({ input: anything, weight: anything, bias: optional(anything) });

/**
 * `input @ weight.T + bias`, from [..., inFeatures] to [..., outFeatures]. As `torch.nn.functional.linear`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.linear(tensor([1, 2.5]), tensor([[2, 0.5]])).tolist(); // [3.25]
 */
export function linear(input: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  if (arguments.length > 3) linearTakes.check('linear', arguments);
  return operators.linear(input, weight, bias);
}
