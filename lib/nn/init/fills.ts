import { noGrad } from '../../autograd/modes.js';
import { eye } from '../../tensor/generated/functions.js';
import { scope } from '../../tensor/memory/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { refuse, sizes } from '../functional/reductions.js';
import { count, kind } from '../../kinds.js';
import { signature } from '../../signature.js';
import { tensorKind } from '../../tensor/kinds.js';
import { type Rest } from '../functional/arguments.js';
import { initArguments } from './arguments.js';

const tensorTakes = signature({ tensor: tensorKind });

interface ConstantOptions {
  val: number;
}

// NaN is a value too.
const constantTakes = signature<ConstantOptions>({}, { val: kind('a number', (value) => typeof value === 'number') });

/**
 * Fills with one value. As `torch.nn.init.constant_`.
 *
 * @example
 * import { nn, zeros } from 'aiforge';
 * nn.init.constant_(zeros([2]), 3).tolist(); // [3, 3]
 */
export function constant_<T extends Tensor>(tensor: T, ...rest: Rest<ConstantOptions, ['val']>): T {
  const { val } = initArguments<ConstantOptions>('constant_', tensor, rest, { val: undefined }, constantTakes);
  noGrad(() => tensor.fill_(val));
  return tensor;
}

/**
 * Fills with 1. As `torch.nn.init.ones_`.
 *
 * @example
 * import { nn, zeros } from 'aiforge';
 * nn.init.ones_(zeros([2])).tolist(); // [1, 1]
 */
export function ones_<T extends Tensor>(tensor: T): T {
  tensorTakes.check('ones_', arguments);
  return constant_(tensor, 1);
}

/**
 * Fills with 0. As `torch.nn.init.zeros_`.
 *
 * @example
 * import { nn, ones } from 'aiforge';
 * nn.init.zeros_(ones([2])).tolist(); // [0, 0]
 */
export function zeros_<T extends Tensor>(tensor: T): T {
  tensorTakes.check('zeros_', arguments);
  noGrad(() => tensor.zero_());
  return tensor;
}

/**
 * The identity matrix. As `torch.nn.init.eye_`.
 *
 * @throws AiforgeError INVALID_ARGUMENT unless there are two dimensions.
 * @example
 * import { nn, zeros } from 'aiforge';
 * nn.init.eye_(zeros([2, 3])).tolist(); // [[1, 0, 0], [0, 1, 0]]
 */
export function eye_<T extends Tensor>(tensor: T): T {
  tensorTakes.check('eye_', arguments);
  const [rows, columns, ...more] = tensor.shape;
  if (rows === undefined || columns === undefined || more.length > 0) {
    refuse('eye_', `expected 2 dimensions, got ${sizes(tensor)}`);
  }
  scope(() => noGrad(() => void tensor.copy_(eye(rows, columns, { dtype: tensor.dtype, device: tensor.device }))));
  return tensor;
}

interface DiracOptions {
  groups?: number;
}

const diracTakes = signature<DiracOptions>({}, { groups: count });

/**
 * The Dirac delta, with which a convolution passes its input through, in each of `groups` groups of channels. As
 * `torch.nn.init.dirac_`.
 *
 * @throws AiforgeError INVALID_ARGUMENT unless there are 3, 4 or 5 dimensions and `groups` divides the first.
 * @example
 * import { nn, zeros } from 'aiforge';
 * nn.init.dirac_(zeros([2, 2, 3])).tolist(); // [[[0, 1, 0], [0, 0, 0]], [[0, 0, 0], [0, 1, 0]]]
 */
export function dirac_<T extends Tensor>(tensor: T, ...rest: Rest<DiracOptions, ['groups']>): T {
  const { groups } = initArguments<DiracOptions>('dirac_', tensor, rest, { groups: 1 }, diracTakes);
  const [out = 0, input = 0, ...kernel] = tensor.shape;
  if (kernel.length < 1 || kernel.length > 3) refuse('dirac_', `expected 3, 4 or 5 dimensions, got ${sizes(tensor)}`);
  if (out % groups !== 0) refuse('dirac_', `the ${out} output channels must be divisible by groups, ${groups}`);
  const size = out / groups;
  const centre = kernel.map((length) => Math.floor(length / 2));
  scope(() =>
    noGrad(() => {
      tensor.zero_();
      for (let channel = 0; channel < out; ++channel) {
        const from = channel % size;
        if (from < input) [channel, from, ...centre].reduce<Tensor>((at, i) => at.select(0, i), tensor).fill_(1);
      }
    }),
  );
  return tensor;
}
