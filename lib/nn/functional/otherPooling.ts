import { AiforgeError } from '../../errors.js';
import { rand } from '../../tensor/generated/functions.js';
import type { Tensor } from '../../tensor/tensor.js';
import { named, type Rest } from './arguments.js';
import { aten } from './aten.js';
import { avgPool1d, avgPool2d, avgPool3d, maxPool1d, maxPool2d, maxPool3d } from './pooling.js';
import type { PooledWithIndices } from './pooling.js';
import { perDimension, type Sizes } from './sizes.js';

export interface FractionalMaxPoolOptions {
  kernelSize: Sizes;
  /** Either this or `outputRatio`. */
  outputSize?: Sizes | null;
  /** The output's sizes as fractions of the input's. */
  outputRatio?: Sizes | null;
  /** Default: false. */
  returnIndices?: boolean;
  /** Where the windows lie, between 0 and 1: [batch, channels, dimensions]. Default: drawn. */
  _randomSamples?: Tensor | null;
}

type FractionalOrder = ['kernelSize', 'outputSize', 'outputRatio', 'returnIndices', '_randomSamples'];

interface FractionalMaxPool {
  (
    input: Tensor,
    kernelSize: Sizes,
    options: Omit<FractionalMaxPoolOptions, 'kernelSize'> & { returnIndices: true },
  ): PooledWithIndices;
  (input: Tensor, ...rest: Rest<FractionalMaxPoolOptions, FractionalOrder>): Tensor;
}

function fractionalMaxPool(name: string, operatorName: string, dims: number): FractionalMaxPool {
  const operator = aten<PooledWithIndices>(operatorName);
  const pool = (input: Tensor, ...rest: unknown[]): Tensor | PooledWithIndices => {
    const defaults = { kernelSize: undefined, outputSize: null, outputRatio: null, returnIndices: false };
    const given = named<FractionalMaxPoolOptions>(name, rest, { ...defaults, _randomSamples: null });
    const { kernelSize, outputSize, outputRatio, returnIndices, _randomSamples } = given;
    if (outputSize === null && outputRatio === null) {
      throw new AiforgeError('INVALID_ARGUMENT', `${name}: outputSize or outputRatio must be given.`);
    }
    const spatial = input.shape.slice(-dims);
    const ratio = outputRatio === null ? [] : perDimension(outputRatio, dims);
    const sizes = outputSize ?? spatial.map((size, i) => Math.trunc(size * ratio[i]!));
    const { dtype, device } = input;
    const batch = input.dim() === dims + 1 ? 1 : input.size(0);
    const samples = _randomSamples ?? rand([batch, input.size(-dims - 1), dims], { dtype, device });
    const pooled = operator(input, perDimension(kernelSize, dims), perDimension(sizes, dims), samples);
    return returnIndices ? pooled : pooled[0];
  };
  return pool as FractionalMaxPool;
}

/** Maxima over windows at random places; see `torch.nn.functional.fractional_max_pool2d`. */
export const fractionalMaxPool2d = fractionalMaxPool('fractionalMaxPool2d', 'fractional_max_pool2d', 2);
/** Maxima over windows at random places; see `torch.nn.functional.fractional_max_pool3d`. */
export const fractionalMaxPool3d = fractionalMaxPool('fractionalMaxPool3d', 'fractional_max_pool3d', 3);

export interface MaxUnpoolOptions {
  kernelSize: Sizes;
  /** Default: the kernel's size. */
  stride?: Sizes | null;
  /** The padding of the pooling. Default: 0. */
  padding?: Sizes;
  /** The size before the pooling; the whole shape, or its spatial part. Default: the least that fits. */
  outputSize?: readonly number[] | null;
}

type UnpoolOrder = ['kernelSize', 'stride', 'padding', 'outputSize'];

function unpooledSize(name: string, input: Tensor, settings: readonly number[][], wanted: readonly number[] | null) {
  const [kernel, stride, padding] = settings as [number[], number[], number[]];
  const dims = kernel.length;
  const spatial = input.shape.slice(-dims);
  const least = kernel.map((size, d) => (spatial[d]! - 1) * stride[d]! + size - 2 * padding[d]!);
  if (wanted === null) return least;
  const sizes = wanted.length === dims + 2 ? wanted.slice(2) : wanted;
  const fits = sizes.length === dims && sizes.every((size, d) => Math.abs(size - least[d]!) < stride[d]!);
  if (fits) return sizes;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `${name}: outputSize [${wanted.join(', ')}] does not fit: expected [${least.join(', ')}], or less than the stride [${stride.join(', ')}] away from it.`,
  );
}

function maxUnpool(name: string, dims: number, apply: UnpoolKernel) {
  return (input: Tensor, indices: Tensor, ...rest: Rest<MaxUnpoolOptions, UnpoolOrder>): Tensor => {
    const defaults = { kernelSize: undefined, stride: null, padding: 0, outputSize: null };
    const { kernelSize, stride, padding, outputSize } = named<MaxUnpoolOptions>(name, rest, defaults);
    const settings = [kernelSize, stride ?? kernelSize, padding].map((sizes) => [...perDimension(sizes, dims)]);
    return apply(input, indices, unpooledSize(name, input, settings, outputSize), settings[1]!, settings[2]!);
  };
}

type UnpoolKernel = (
  input: Tensor,
  indices: Tensor,
  sizes: readonly number[],
  stride: number[],
  padding: number[],
) => Tensor;

const unpool2d = aten('max_unpool2d');

/** Puts pooled maxima back where they were, and zeros elsewhere; see `torch.nn.functional.max_unpool1d`. */
export const maxUnpool1d = maxUnpool('maxUnpool1d', 1, (input, indices, sizes) =>
  unpool2d(input.unsqueeze(-1), indices.unsqueeze(-1), [...sizes, 1]).squeeze(-1),
);
/** Puts pooled maxima back where they were, and zeros elsewhere; see `torch.nn.functional.max_unpool2d`. */
export const maxUnpool2d = maxUnpool('maxUnpool2d', 2, (input, indices, sizes) => unpool2d(input, indices, sizes));
/** Puts pooled maxima back where they were, and zeros elsewhere; see `torch.nn.functional.max_unpool3d`. */
export const maxUnpool3d = maxUnpool('maxUnpool3d', 3, aten('max_unpool3d'));

export interface LpPoolOptions {
  normType: number;
  kernelSize: Sizes;
  /** Default: the kernel's size. */
  stride?: Sizes | null;
  /** Default: false. */
  ceilMode?: boolean;
}

type LpPoolOrder = ['normType', 'kernelSize', 'stride', 'ceilMode'];

function lpPool(name: string, dims: 1 | 2 | 3) {
  const average = { 1: avgPool1d, 2: avgPool2d, 3: avgPool3d }[dims];
  const greatest = { 1: maxPool1d, 2: maxPool2d, 3: maxPool3d }[dims];
  return (input: Tensor, ...rest: Rest<LpPoolOptions, LpPoolOrder>): Tensor => {
    const defaults = { normType: undefined, kernelSize: undefined, stride: null, ceilMode: false };
    const { normType, kernelSize, stride, ceilMode } = named<LpPoolOptions>(name, rest, defaults);
    if (normType === Infinity) return greatest(input.abs(), kernelSize, { stride, ceilMode });
    if (normType === -Infinity) return greatest(input.abs().neg(), kernelSize, { stride, ceilMode }).neg();
    const strides = stride ?? [];
    const mean = average(input.pow(normType), kernelSize, { stride: strides, ceilMode });
    const count = perDimension(kernelSize, dims).reduce((product, size) => product * size, 1);
    return mean
      .sign()
      .mul(mean.abs().relu())
      .mul(count)
      .pow(1 / normType);
  };
}

/** The norm of each window; see `torch.nn.functional.lp_pool1d`. */
export const lpPool1d = lpPool('lpPool1d', 1);
/** The norm of each window; see `torch.nn.functional.lp_pool2d`. */
export const lpPool2d = lpPool('lpPool2d', 2);
/** The norm of each window; see `torch.nn.functional.lp_pool3d`. */
export const lpPool3d = lpPool('lpPool3d', 3);
