import type { Tensor } from '../../tensor/tensor.js';
import { isOptions } from '../../tensor/composites/named.js';
import type { Rest } from './arguments.js';
import { fractionalMaxPool2d, fractionalMaxPool3d, type FractionalMaxPoolOptions } from './otherPooling.js';
import {
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  type AdaptiveMaxPoolOptions,
  type MaxPoolOptions,
  type PooledWithIndices,
} from './pooling.js';

type Pool = (input: Tensor, ...rest: never[]) => unknown;

// What Python calls the poolings that give indices whatever `returnIndices` says.
function withIndices<Given extends readonly unknown[]>(pool: Pool) {
  return (input: Tensor, ...rest: Given): PooledWithIndices => {
    const last = rest.at(-1);
    const [before, options] = isOptions(last) ? [rest.slice(0, -1), last] : [rest, {}];
    return pool(input, ...([...before, { ...options, returnIndices: true }] as never[])) as PooledWithIndices;
  };
}

type MaxPoolRest = Rest<
  Omit<MaxPoolOptions, 'returnIndices'>,
  ['kernelSize', 'stride', 'padding', 'dilation', 'ceilMode']
>;
type AdaptiveRest = Rest<Omit<AdaptiveMaxPoolOptions, 'returnIndices'>, ['outputSize']>;
type FractionalRest = Rest<
  Omit<FractionalMaxPoolOptions, 'returnIndices'>,
  ['kernelSize', 'outputSize', 'outputRatio']
>;

/**
 * `maxPool1d` with `returnIndices`. As `torch.nn.functional.max_pool1d_with_indices`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * const [maxima, indices] = nn.functional.maxPool1dWithIndices(tensor([[1, 2.5, 0, 3]]), 2);
 * indices.tolist(); // [[1, 3]]
 */
export const maxPool1dWithIndices = withIndices<MaxPoolRest>(maxPool1d);
/** `maxPool2d` with `returnIndices`. As `torch.nn.functional.max_pool2d_with_indices`. */
export const maxPool2dWithIndices = withIndices<MaxPoolRest>(maxPool2d);
/** `maxPool3d` with `returnIndices`. As `torch.nn.functional.max_pool3d_with_indices`. */
export const maxPool3dWithIndices = withIndices<MaxPoolRest>(maxPool3d);

/**
 * `adaptiveMaxPool1d` with `returnIndices`. As `torch.nn.functional.adaptive_max_pool1d_with_indices`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.adaptiveMaxPool1dWithIndices(tensor([[1, 2.5, 0, 3]]), 2)[1].tolist(); // [[1, 3]]
 */
export const adaptiveMaxPool1dWithIndices = withIndices<AdaptiveRest>(adaptiveMaxPool1d);
/** `adaptiveMaxPool2d` with `returnIndices`. As `torch.nn.functional.adaptive_max_pool2d_with_indices`. */
export const adaptiveMaxPool2dWithIndices = withIndices<AdaptiveRest>(adaptiveMaxPool2d);
/** `adaptiveMaxPool3d` with `returnIndices`. As `torch.nn.functional.adaptive_max_pool3d_with_indices`. */
export const adaptiveMaxPool3dWithIndices = withIndices<AdaptiveRest>(adaptiveMaxPool3d);

/**
 * `fractionalMaxPool2d` with `returnIndices`. As `torch.nn.functional.fractional_max_pool2d_with_indices`.
 *
 * @example
 * import { nn, rand } from 'aiforge';
 * nn.functional.fractionalMaxPool2dWithIndices(rand([1, 1, 6, 6]), 2, { outputSize: 3 })[1].shape; // [1, 1, 3, 3]
 */
export const fractionalMaxPool2dWithIndices = withIndices<FractionalRest>(fractionalMaxPool2d);
/** `fractionalMaxPool3d` with `returnIndices`. As `torch.nn.functional.fractional_max_pool3d_with_indices`. */
export const fractionalMaxPool3dWithIndices = withIndices<FractionalRest>(fractionalMaxPool3d);
