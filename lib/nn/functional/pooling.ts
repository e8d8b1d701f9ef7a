import type { Tensor } from '../../tensor/tensor.js';
import { named, type Rest } from './arguments.js';
import { aten } from './aten.js';
import { knownSizes, type AdaptiveSizes, type Sizes } from './sizes.js';

export { avgPool1d } from '../../tensor/generated/functions.js';
export { avgPool2d, avgPool3d } from '../../tensor/generated/nn.js';

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

function maxPool(name: string, operator: string, withIndices: string): MaxPool {
  const plain = aten(operator);
  const indexed = aten<PooledWithIndices>(withIndices);
  const pool = (input: Tensor, ...rest: unknown[]): Tensor | PooledWithIndices => {
    const { kernelSize, stride, padding, dilation, ceilMode, returnIndices } = named<MaxPoolOptions>(name, rest, {
      kernelSize: undefined,
      stride: null,
      padding: 0,
      dilation: 1,
      ceilMode: false,
      returnIndices: false,
    });
    const settings = [kernelSize, stride ?? [], padding, dilation, ceilMode];
    return returnIndices ? indexed(input, ...settings) : plain(input, ...settings);
  };
  return pool as MaxPool;
}

/** The greatest value of each window of [batch, channels, length]; see `torch.nn.functional.max_pool1d`. */
export const maxPool1d = maxPool('maxPool1d', 'max_pool1d', 'max_pool1d_with_indices');

/**
 * The greatest value of each window of [batch, channels, height, width]; see `torch.nn.functional.max_pool2d`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.maxPool2d(tensor([[[1, 5], [3, 2]]]).to('float32'), 2); // tensor([[[5.]]])
 */
export const maxPool2d = maxPool('maxPool2d', 'max_pool2d', 'max_pool2d_with_indices');

/** The greatest value of each window of [batch, channels, depth, height, width]; see `torch.nn.functional.max_pool3d`. */
export const maxPool3d = maxPool('maxPool3d', 'max_pool3d', 'max_pool3d_with_indices');

const adaptiveAvgPool = (name: string) => {
  const operator = aten(name);
  return (input: Tensor, outputSize: AdaptiveSizes | { outputSize: AdaptiveSizes }): Tensor =>
    operator(input, knownSizes(input, isOptions(outputSize) ? outputSize.outputSize : outputSize));
};

function isOptions<T extends object>(value: T | AdaptiveSizes): value is T {
  return typeof value === 'object' && !Array.isArray(value);
}

/** Means over windows chosen so that the output has `outputSize`; see `torch.nn.functional.adaptive_avg_pool1d`. */
export const adaptiveAvgPool1d = adaptiveAvgPool('adaptive_avg_pool1d');
/** Means over windows chosen so that the output has `outputSize`; see `torch.nn.functional.adaptive_avg_pool2d`. */
export const adaptiveAvgPool2d = adaptiveAvgPool('adaptive_avg_pool2d');
/** Means over windows chosen so that the output has `outputSize`; see `torch.nn.functional.adaptive_avg_pool3d`. */
export const adaptiveAvgPool3d = adaptiveAvgPool('adaptive_avg_pool3d');

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

function adaptiveMaxPool(name: string, operatorName: string): AdaptiveMaxPool {
  const operator = aten<PooledWithIndices>(operatorName);
  const pool = (input: Tensor, ...rest: unknown[]): Tensor | PooledWithIndices => {
    const defaults = { outputSize: undefined, returnIndices: false };
    const { outputSize, returnIndices } = named<AdaptiveMaxPoolOptions>(name, rest, defaults);
    const pooled = operator(input, knownSizes(input, outputSize));
    return returnIndices ? pooled : pooled[0];
  };
  return pool as AdaptiveMaxPool;
}

/** Maxima over windows chosen so that the output has `outputSize`; see `torch.nn.functional.adaptive_max_pool1d`. */
export const adaptiveMaxPool1d = adaptiveMaxPool('adaptiveMaxPool1d', 'adaptive_max_pool1d');
/** Maxima over windows chosen so that the output has `outputSize`; see `torch.nn.functional.adaptive_max_pool2d`. */
export const adaptiveMaxPool2d = adaptiveMaxPool('adaptiveMaxPool2d', 'adaptive_max_pool2d');
/** Maxima over windows chosen so that the output has `outputSize`; see `torch.nn.functional.adaptive_max_pool3d`. */
export const adaptiveMaxPool3d = adaptiveMaxPool('adaptiveMaxPool3d', 'adaptive_max_pool3d');
