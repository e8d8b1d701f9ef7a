import type { Tensor } from '../../tensor/tensor.js';
import type { Rest } from '../functional/arguments.js';
import { initArguments } from './arguments.js';
import { generatorOptions, normal_, uniform_, type GeneratorOptions } from './distributions.js';
import { calculateGain, fans, type FanMode, type Nonlinearity } from './gain.js';
import { warnOnce } from '../../warnOnce.js';
import { kind, number, oneOf } from '../../kinds.js';
import { signature } from '../../signature.js';

const { sqrt } = Math;

export interface GainOptions extends GeneratorOptions {
  /** A factor for the standard deviation, such as `calculateGain` gives. Default: 1. */
  gain?: number;
}

type GainOrder = ['gain', 'generator'];

const gainTakes = signature<GainOptions>({}, { gain: number, ...generatorOptions });

export const gainArguments = (name: string, tensor: Tensor, rest: readonly unknown[]): Required<GainOptions> =>
  initArguments<GainOptions>(name, tensor, rest, { gain: 1, generator: null }, gainTakes);

function xavierStd(tensor: Tensor, gain: number): number {
  const { fan_in, fan_out } = fans(tensor);
  return gain * sqrt(2 / (fan_in + fan_out));
}

/**
 * Draws uniformly from `±gain * sqrt(6 / (fanIn + fanOut))`, which keeps the variance in both directions. As
 * `torch.nn.init.xavier_uniform_`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for less than two dimensions.
 * @example
 * import { nn, zeros } from 'aiforge';
 * nn.init.xavierUniform_(zeros([3, 5]), nn.init.calculateGain('relu')).shape; // [3, 5]
 */
export function xavierUniform_<T extends Tensor>(tensor: T, ...rest: Rest<GainOptions, GainOrder>): T {
  const { gain, generator } = gainArguments('xavierUniform_', tensor, rest);
  const bound = sqrt(3) * xavierStd(tensor, gain);
  return uniform_(tensor, -bound, bound, { generator });
}

/**
 * Draws from the normal distribution of deviation `gain * sqrt(2 / (fanIn + fanOut))`, which keeps the variance in both
 * directions. As `torch.nn.init.xavier_normal_`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for less than two dimensions.
 * @example
 * import { nn, zeros } from 'aiforge';
 * nn.init.xavierNormal_(zeros([3, 5])).shape; // [3, 5]
 */
export function xavierNormal_<T extends Tensor>(tensor: T, ...rest: Rest<GainOptions, GainOrder>): T {
  const { gain, generator } = gainArguments('xavierNormal_', tensor, rest);
  return normal_(tensor, 0, xavierStd(tensor, gain), { generator });
}

export interface KaimingOptions extends GeneratorOptions {
  /** The negative slope of a `'leaky_relu'`. Default: 0. */
  a?: number;
  /** Keeps the variance forward (`'fan_in'`) or backward (`'fan_out'`). Default: `'fan_in'`. */
  mode?: FanMode;
  /** What follows the layer. Default: `'leaky_relu'`. */
  nonlinearity?: Nonlinearity;
}

type KaimingOrder = ['a', 'mode', 'nonlinearity', 'generator'];

const kaimingTakes = signature<KaimingOptions>(
  {},
  {
    a: number,
    mode: oneOf('fan_in', 'fan_out'),
    nonlinearity: kind<Nonlinearity>('a nonlinearity', (value) => typeof value === 'string'),
    ...generatorOptions,
  },
);

// Null for a tensor without elements, which PyTorch leaves alone with a warning.
function kaiming(name: string, tensor: Tensor, rest: readonly unknown[]) {
  const defaults = { a: 0, mode: 'fan_in' as const, nonlinearity: 'leaky_relu' as const, generator: null };
  const { a, mode, nonlinearity, generator } = initArguments<KaimingOptions>(
    name,
    tensor,
    rest,
    defaults,
    kaimingTakes,
  );
  if (tensor.shape.includes(0)) {
    warnOnce(`${name}: a tensor without elements has nothing to initialise.`);
    return null;
  }
  return { std: calculateGain(nonlinearity, a) / sqrt(fans(tensor)[mode]), generator };
}

/**
 * Draws uniformly from `±gain * sqrt(3 / fan)`, which keeps the variance through rectifiers. As
 * `torch.nn.init.kaiming_uniform_`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for less than two dimensions, an unknown mode or nonlinearity.
 * @example
 * import { nn, zeros } from 'aiforge';
 * nn.init.kaimingUniform_(zeros([3, 5]), { mode: 'fan_in', nonlinearity: 'relu' }).shape; // [3, 5]
 */
export function kaimingUniform_<T extends Tensor>(tensor: T, ...rest: Rest<KaimingOptions, KaimingOrder>): T {
  const found = kaiming('kaimingUniform_', tensor, rest);
  if (found === null) return tensor;
  const bound = sqrt(3) * found.std;
  return uniform_(tensor, -bound, bound, found.generator);
}

/**
 * Draws from the normal distribution of deviation `gain / sqrt(fan)`, which keeps the variance through rectifiers. As
 * `torch.nn.init.kaiming_normal_`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for less than two dimensions, an unknown mode or nonlinearity.
 * @example
 * import { nn, zeros } from 'aiforge';
 * nn.init.kaimingNormal_(zeros([3, 5]), { mode: 'fan_out', nonlinearity: 'relu' }).shape; // [3, 5]
 */
export function kaimingNormal_<T extends Tensor>(tensor: T, ...rest: Rest<KaimingOptions, KaimingOrder>): T {
  const found = kaiming('kaimingNormal_', tensor, rest);
  return found === null ? tensor : normal_(tensor, 0, found.std, found.generator);
}
