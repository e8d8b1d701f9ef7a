import type { Tensor } from '../../tensor/tensor.js';
import { avgPool1d as plainAvgPool1d } from '../../tensor/generated/functions.js';
import * as generated from '../../tensor/generated/nn.js';
import * as operators from '../operators/pooling.js';
import { named, type Rest } from './arguments.js';
import type { Sizes } from './sizes.js';

export type { AdaptiveSizes, Sizes } from './sizes.js';

/** What a pooling of maxima gives with `returnIndices`: the maxima, and where they were. */
export type PooledWithIndices = [output: Tensor, indices: Tensor];

export interface MaxPoolOptions {
  kernelSize: Sizes;
  /** Default: the kernel's size. */
  stride?: Sizes | null;
  /** Implicit -Infinity on both sides. Default: 0. */
  padding?: Sizes;
  /** Default: 1. */
  dilation?: Sizes;
  /** Whether the last window may go over the edge. Default: false. */
  ceilMode?: boolean;
  /** Default: false. */
  returnIndices?: boolean;
}

type MaxPoolOrder = ['kernelSize', 'stride', 'padding', 'dilation', 'ceilMode', 'returnIndices'];
type WithIndices<T> = T & { returnIndices: true };

interface MaxPool {
  (input: Tensor, options: WithIndices<MaxPoolOptions>): PooledWithIndices;
  (input: Tensor, kernelSize: Sizes, options: WithIndices<Omit<MaxPoolOptions, 'kernelSize'>>): PooledWithIndices;
  (input: Tensor, ...rest: Rest<MaxPoolOptions, MaxPoolOrder>): Tensor;
}
type MaxPoolWithIndices = (input: Tensor, ...rest: Rest<MaxPoolOptions, MaxPoolOrder>) => PooledWithIndices;

const maxPoolDefaults = {
  kernelSize: undefined,
  stride: null,
  padding: 0,
  dilation: 1,
  ceilMode: false,
  returnIndices: false,
};

function maxPool(name: string, pool: operators.MaxPoolOperator): MaxPool {
  return ((input: Tensor, ...rest: unknown[]) => {
    const given = named<MaxPoolOptions>(name, rest, maxPoolDefaults);
    const { kernelSize, stride, padding, dilation, ceilMode, returnIndices } = given;
    return pool(input, kernelSize, stride ?? [], padding, dilation, ceilMode, returnIndices);
  }) as MaxPool;
}

function maxPoolWithIndices(name: string, pool: operators.MaxPoolOperator): MaxPoolWithIndices {
  return (input, ...rest) => {
    const given = named<MaxPoolOptions>(name, rest, maxPoolDefaults);
    const { kernelSize, stride, padding, dilation, ceilMode } = given;
    return pool(input, kernelSize, stride ?? [], padding, dilation, ceilMode, true) as PooledWithIndices;
  };
}

/**
 * The greatest value of each window of `[N, C, L]`. As `torch.nn.functional.max_pool1d`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.maxPool1d(tensor([[1, 5, 3, 2]]).to('float32'), 2).tolist(); // [[5, 3]]
 */
export const maxPool1d = maxPool('maxPool1d', operators.maxPool1d);

/**
 * The greatest value of each window of `[N, C, H, W]`. As `torch.nn.functional.max_pool2d`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.maxPool2d(tensor([[[1, 5], [3, 2]]]).to('float32'), 2).tolist(); // [[[5]]]
 */
export const maxPool2d = maxPool('maxPool2d', operators.maxPool2d);

/**
 * The greatest value of each window of `[N, C, D, H, W]`. As `torch.nn.functional.max_pool3d`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.maxPool3d(tensor([[[[1, 5], [3, 2]], [[0, 7], [4, 6]]]]).to('float32'), 2).tolist(); // [[[[7]]]]
 */
export const maxPool3d = maxPool('maxPool3d', operators.maxPool3d);

/**
 * The greatest value of each window of `[N, C, L]`, and where it was. As `torch.nn.functional.max_pool1d_with_indices`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * const [, indices] = nn.functional.maxPool1dWithIndices(tensor([[1, 5, 3, 2]]).to('float32'), 2);
 * indices.tolist(); // [[1, 2]]
 */
export const maxPool1dWithIndices = maxPoolWithIndices('maxPool1dWithIndices', operators.maxPool1d);

/**
 * The greatest value of each window of `[N, C, H, W]`, and where it was. As `torch.nn.functional.max_pool2d_with_indices`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * const [, indices] = nn.functional.maxPool2dWithIndices(tensor([[[1, 5], [3, 2]]]).to('float32'), 2);
 * indices.tolist(); // [[[1]]]
 */
export const maxPool2dWithIndices = maxPoolWithIndices('maxPool2dWithIndices', operators.maxPool2d);

/**
 * The greatest value of each window of `[N, C, D, H, W]`, and where it was. As `torch.nn.functional.max_pool3d_with_indices`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * const [, indices] = nn.functional.maxPool3dWithIndices(tensor([[[[1, 5], [3, 2]], [[0, 7], [4, 6]]]]).to('float32'), 2);
 * indices.tolist(); // [[[[5]]]]
 */
export const maxPool3dWithIndices = maxPoolWithIndices('maxPool3dWithIndices', operators.maxPool3d);

/**
 * The mean of each window of `[N, C, L]`. As `torch.nn.functional.avg_pool1d`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.avgPool1d(tensor([[1, 5, 3, 2]]).to('float32'), 2).tolist(); // [[3, 2.5]]
 */
export const avgPool1d = plainAvgPool1d;

/**
 * The mean of each window of `[N, C, H, W]`. As `torch.nn.functional.avg_pool2d`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.avgPool2d(tensor([[[1, 5], [3, 2]]]).to('float32'), 2).tolist(); // [[[2.75]]]
 */
export const avgPool2d = generated.avgPool2d;

/**
 * The mean of each window of `[N, C, D, H, W]`. As `torch.nn.functional.avg_pool3d`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.avgPool3d(tensor([[[[1, 5], [3, 2]], [[0, 7], [4, 6]]]]).to('float32'), 2).tolist(); // [[[[3.5]]]]
 */
export const avgPool3d = generated.avgPool3d;
