import { AiforgeError } from '../../errors.js';
import type { Tensor } from '../../tensor/tensor.js';
import { number, optional, orNull, string } from '../../kinds.js';
import { signature } from '../../signature.js';

/** Which function follows a layer, for the gain of its weights. */
export type Nonlinearity =
  | 'linear'
  | 'conv1d'
  | 'conv2d'
  | 'conv3d'
  | 'conv_transpose1d'
  | 'conv_transpose2d'
  | 'conv_transpose3d'
  | 'sigmoid'
  | 'tanh'
  | 'relu'
  | 'leaky_relu'
  | 'selu';

export type FanMode = 'fan_in' | 'fan_out';

const gainTakes = signature({ nonlinearity: string, param: optional(orNull(number)) });

/**
 * The gain that PyTorch recommends for the weights before a nonlinearity; `param` is the slope of a `'leaky_relu'`
 * (0.01). As `torch.nn.init.calculate_gain`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an unknown nonlinearity and a slope that is no number.
 * @example
 * import { nn } from 'aiforge';
 * nn.init.calculateGain('leaky_relu', 0.2); // 1.3867504905630728
 */
export function calculateGain(nonlinearity: Nonlinearity, param: number | null = null): number {
  gainTakes.check('calculateGain', arguments);
  if (/^conv(_transpose)?[123]d$/.test(nonlinearity)) return 1;
  switch (nonlinearity) {
    case 'linear':
    case 'sigmoid':
      return 1;
    case 'tanh':
      return 5 / 3;
    case 'relu':
      return Math.sqrt(2);
    case 'leaky_relu':
      return Math.sqrt(2 / (1 + (param ?? 0.01) ** 2));
    case 'selu':
      return 3 / 4;
    default:
      throw new AiforgeError('INVALID_ARGUMENT', `calculateGain: unknown nonlinearity '${nonlinearity as string}'.`);
  }
}

/** How many inputs and outputs each element of a weight has. */
export function fans(tensor: Tensor): { fan_in: number; fan_out: number } {
  const [out, input, ...kernel] = tensor.shape;
  if (out === undefined || input === undefined)
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `fan in and fan out need 2 dimensions or more, got [${tensor.shape.join(', ')}].`,
    );
  const receptive = kernel.reduce((product, size) => product * size, 1);
  return { fan_in: input * receptive, fan_out: out * receptive };
}
