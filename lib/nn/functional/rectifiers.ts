import { oneOf } from '../../kinds.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import * as operators from '../operators.js';
import { named, type Rest } from './arguments.js';
import { tensorKind } from '../../tensor/kinds.js';
import { checkInput } from '../checks.js';

/**
 * `max(0, x)`. As `torch.nn.functional.relu`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.relu(tensor([-1, 2.5])).tolist(); // [0, 2.5]
 */
export function relu(input: Tensor, ...rest: Rest<{ inplace?: boolean }, ['inplace']>): Tensor {
  checkInput('relu', input);
  const { inplace } = named<{ inplace?: boolean }>('relu', rest, { inplace: false });
  return inplace ? input.relu_() : operators.relu(input);
}

const reluTakes = signature({ input: tensorKind });

/**
 * `relu` in place. As `torch.nn.functional.relu_`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * const x = tensor([-1, 2]);
 * nn.functional.relu_(x) === x; // true
 */
export function relu_(input: Tensor): Tensor {
  reluTakes.check('relu_', arguments);
  return input.relu_();
}

const geluTakes = signature<{ approximate?: 'none' | 'tanh' }>(
  { input: tensorKind },
  { approximate: oneOf('none', 'tanh') },
);

/**
 * `x * Φ(x)`, Φ being the normal distribution's cumulative function, or with `approximate: 'tanh'` an approximation. As
 * `torch.nn.functional.gelu`.
 *
 * @example
 * import { nn, zeros } from 'aiforge';
 * nn.functional.gelu(zeros([2]), { approximate: 'tanh' }).tolist(); // [0, 0]
 */
export function gelu(input: Tensor, options: { approximate?: 'none' | 'tanh' } = {}): Tensor {
  geluTakes.check('gelu', arguments);
  const { approximate = 'none' } = options;
  return operators.gelu(input, approximate);
}
