import { noGrad } from '../../autograd/modes.js';
import type { Generator } from '../../tensor/generator.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Rest } from '../functional/arguments.js';
import { initArguments } from './arguments.js';
import { number, orNull, type Kinds } from '../../kinds.js';
import { signature } from '../../signature.js';
import { generatorKind } from '../../tensor/kinds.js';

export interface GeneratorOptions {
  /** Default: the default generator. */
  generator?: Generator | null;
}

export const generatorOptions: Kinds<GeneratorOptions> = { generator: orNull(generatorKind) };

export interface UniformOptions extends GeneratorOptions {
  /** The least value. Default: 0. */
  a?: number;
  /** The bound above. Default: 1. */
  b?: number;
}

const uniformDefaults = { a: 0, b: 1, generator: null };
const uniformTakes = signature<UniformOptions>({}, { a: number, b: number, ...generatorOptions });

/**
 * Draws from the uniform distribution over [a, b). As `torch.nn.init.uniform_`.
 *
 * @example
 * import { nn, zeros } from 'aiforge';
 * nn.init.uniform_(zeros([2]), -1, 1).shape; // [2]
 */
export function uniform_<T extends Tensor>(tensor: T, ...rest: Rest<UniformOptions, ['a', 'b', 'generator']>): T {
  const { a, b, generator } = initArguments<UniformOptions>('uniform_', tensor, rest, uniformDefaults, uniformTakes);
  noGrad(() => tensor.uniform_(a, b, { generator }));
  return tensor;
}

export interface NormalOptions extends GeneratorOptions {
  /** Default: 0. */
  mean?: number;
  /** Default: 1. */
  std?: number;
}

export const normalOptions: Kinds<NormalOptions> = { mean: number, std: number, ...generatorOptions };
const normalDefaults = { mean: 0, std: 1, generator: null };
const normalTakes = signature<NormalOptions>({}, normalOptions);

/**
 * Draws from the normal distribution. As `torch.nn.init.normal_`.
 *
 * @example
 * import { nn, zeros } from 'aiforge';
 * nn.init.normal_(zeros([2, 3]), { std: 0.02 }).shape; // [2, 3]
 */
export function normal_<T extends Tensor>(tensor: T, ...rest: Rest<NormalOptions, ['mean', 'std', 'generator']>): T {
  const { mean, std, generator } = initArguments<NormalOptions>('normal_', tensor, rest, normalDefaults, normalTakes);
  noGrad(() => tensor.normal_(mean, std, { generator }));
  return tensor;
}
