import type { Tensor } from '../../tensor/tensor.js';
import * as operators from '../operators/pooling.js';
import { named, type Rest } from './arguments.js';
import type { PooledWithIndices } from './pooling.js';
import { knownSizes, type AdaptiveSizes, type Sizes } from './sizes.js';

interface AdaptiveAvgPoolOptions {
  outputSize: AdaptiveSizes;
}

const adaptiveAvgPool =
  (name: string, operator: (input: Tensor, outputSize: Sizes) => Tensor) =>
  (input: Tensor, ...rest: Rest<AdaptiveAvgPoolOptions, ['outputSize']>): Tensor => {
    const { outputSize } = named<AdaptiveAvgPoolOptions>(name, rest, { outputSize: undefined });
    return operator(input, knownSizes(input, outputSize));
  };

/**
 * The mean of each of `outputSize` windows that cover `[N, C, L]` evenly. As
 * `torch.nn.functional.adaptive_avg_pool1d`.
 *
 * @example
 * import { arange, nn } from 'aiforge';
 * nn.functional.adaptiveAvgPool1d(arange(4).view([1, 4]).to('float32'), 2).tolist(); // [[0.5, 2.5]]
 */
export const adaptiveAvgPool1d = adaptiveAvgPool('adaptiveAvgPool1d', operators.adaptiveAvgPool1d);

/**
 * The mean of each of `outputSize` windows that cover `[N, C, H, W]` evenly. As
 * `torch.nn.functional.adaptive_avg_pool2d`.
 *
 * @example
 * import { arange, nn } from 'aiforge';
 * nn.functional.adaptiveAvgPool2d(arange(4).view([1, 2, 2]).to('float32'), [1, null]).tolist(); // [[[1, 2]]]
 */
export const adaptiveAvgPool2d = adaptiveAvgPool('adaptiveAvgPool2d', operators.adaptiveAvgPool2d);

/**
 * The mean of each of `outputSize` windows that cover `[N, C, D, H, W]` evenly. As
 * `torch.nn.functional.adaptive_avg_pool3d`.
 *
 * @example
 * import { arange, nn } from 'aiforge';
 * nn.functional.adaptiveAvgPool3d(arange(8).view([1, 2, 2, 2]).to('float32'), 1).tolist(); // [[[[3.5]]]]
 */
export const adaptiveAvgPool3d = adaptiveAvgPool('adaptiveAvgPool3d', operators.adaptiveAvgPool3d);

export interface AdaptiveMaxPoolOptions {
  outputSize: AdaptiveSizes;
  /** Default: false. */
  returnIndices?: boolean;
}

interface AdaptiveMaxPool {
  (input: Tensor, outputSize: AdaptiveSizes, options: { returnIndices: true }): PooledWithIndices;
  (input: Tensor, outputSize: AdaptiveSizes, returnIndices: true): PooledWithIndices;
  (input: Tensor, ...rest: Rest<AdaptiveMaxPoolOptions, ['outputSize', 'returnIndices']>): Tensor;
}

type AdaptiveMaxPoolWithIndices = (
  input: Tensor,
  ...rest: Rest<AdaptiveMaxPoolOptions, ['outputSize', 'returnIndices']>
) => PooledWithIndices;

function adaptiveMaxPoolWithIndices(name: string, pool: operators.AdaptiveMaxPoolOperator): AdaptiveMaxPoolWithIndices {
  return (input, ...rest) => {
    const defaults = { outputSize: undefined, returnIndices: false };
    const { outputSize } = named<AdaptiveMaxPoolOptions>(name, rest, defaults);
    return pool(input, knownSizes(input, outputSize));
  };
}

function adaptiveMaxPool(name: string, operator: operators.AdaptiveMaxPoolOperator): AdaptiveMaxPool {
  return ((input: Tensor, ...rest: unknown[]) => {
    const defaults = { outputSize: undefined, returnIndices: false };
    const { outputSize, returnIndices } = named<AdaptiveMaxPoolOptions>(name, rest, defaults);
    const pooled = operator(input, knownSizes(input, outputSize));
    return returnIndices ? pooled : pooled[0];
  }) as AdaptiveMaxPool;
}

/**
 * The greatest value of each of `outputSize` windows that cover `[N, C, L]` evenly. As
 * `torch.nn.functional.adaptive_max_pool1d`.
 *
 * @example
 * import { arange, nn } from 'aiforge';
 * nn.functional.adaptiveMaxPool1d(arange(4).view([1, 4]).to('float32'), 2).tolist(); // [[1, 3]]
 */
export const adaptiveMaxPool1d = adaptiveMaxPool('adaptiveMaxPool1d', operators.adaptiveMaxPool1d);

/**
 * The greatest value of each of `outputSize` windows that cover `[N, C, H, W]` evenly. As
 * `torch.nn.functional.adaptive_max_pool2d`.
 *
 * @example
 * import { arange, nn } from 'aiforge';
 * nn.functional.adaptiveMaxPool2d(arange(4).view([1, 2, 2]).to('float32'), [1, null]).tolist(); // [[[2, 3]]]
 */
export const adaptiveMaxPool2d = adaptiveMaxPool('adaptiveMaxPool2d', operators.adaptiveMaxPool2d);

/**
 * The greatest value of each of `outputSize` windows that cover `[N, C, D, H, W]` evenly. As
 * `torch.nn.functional.adaptive_max_pool3d`.
 *
 * @example
 * import { arange, nn } from 'aiforge';
 * nn.functional.adaptiveMaxPool3d(arange(8).view([1, 2, 2, 2]).to('float32'), 1).tolist(); // [[[[7]]]]
 */
export const adaptiveMaxPool3d = adaptiveMaxPool('adaptiveMaxPool3d', operators.adaptiveMaxPool3d);

/**
 * `adaptiveMaxPool1d` and where the maxima were. As `torch.nn.functional.adaptive_max_pool1d_with_indices`.
 *
 * @example
 * import { arange, nn } from 'aiforge';
 * const [, indices] = nn.functional.adaptiveMaxPool1dWithIndices(arange(4).view([1, 4]).to('float32'), 2);
 * indices.tolist(); // [[1, 3]]
 */
export const adaptiveMaxPool1dWithIndices = adaptiveMaxPoolWithIndices(
  'adaptiveMaxPool1dWithIndices',
  operators.adaptiveMaxPool1d,
);

/**
 * `adaptiveMaxPool2d` and where the maxima were. As `torch.nn.functional.adaptive_max_pool2d_with_indices`.
 *
 * @example
 * import { arange, nn } from 'aiforge';
 * const [, indices] = nn.functional.adaptiveMaxPool2dWithIndices(arange(4).view([1, 2, 2]).to('float32'), [1, null]);
 * indices.tolist(); // [[[2, 3]]]
 */
export const adaptiveMaxPool2dWithIndices = adaptiveMaxPoolWithIndices(
  'adaptiveMaxPool2dWithIndices',
  operators.adaptiveMaxPool2d,
);

/**
 * `adaptiveMaxPool3d` and where the maxima were. As `torch.nn.functional.adaptive_max_pool3d_with_indices`.
 *
 * @example
 * import { arange, nn } from 'aiforge';
 * const [, indices] = nn.functional.adaptiveMaxPool3dWithIndices(arange(8).view([1, 2, 2, 2]).to('float32'), 1);
 * indices.tolist(); // [[[[7]]]]
 */
export const adaptiveMaxPool3dWithIndices = adaptiveMaxPoolWithIndices(
  'adaptiveMaxPool3dWithIndices',
  operators.adaptiveMaxPool3d,
);
