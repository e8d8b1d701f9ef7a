import { AiforgeError } from '../../errors.js';
import type { Tensor } from '../../tensor/tensor.js';
import { named, type Rest } from './arguments.js';
import { aten } from '../../tensor/calls/aten.js';
import { perDimension, type Sizes } from './sizes.js';
import { checkInput } from '../checks.js';

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
    checkInput(name, input);
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

/**
 * Puts the maxima of `maxPool1d` back where they were in `[N, C, L]`, and zeros elsewhere. As
 * `torch.nn.functional.max_unpool1d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * const [maxima, indices] = nn.functional.maxPool1dWithIndices(randn([1, 2, 8]), 2);
 * nn.functional.maxUnpool1d(maxima, indices, 2).shape; // [1, 2, 8]
 */
export const maxUnpool1d = maxUnpool('maxUnpool1d', 1, (input, indices, sizes) =>
  unpool2d(input.unsqueeze(-1), indices.unsqueeze(-1), [...sizes, 1]).squeeze(-1),
);

/**
 * Puts the maxima of `maxPool2d` back where they were in `[N, C, H, W]`, and zeros elsewhere. As
 * `torch.nn.functional.max_unpool2d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * const [maxima, indices] = nn.functional.maxPool2dWithIndices(randn([1, 2, 4, 6]), 2);
 * nn.functional.maxUnpool2d(maxima, indices, 2).shape; // [1, 2, 4, 6]
 */
export const maxUnpool2d = maxUnpool('maxUnpool2d', 2, (input, indices, sizes) => unpool2d(input, indices, sizes));

/**
 * Puts the maxima of `maxPool3d` back where they were in `[N, C, D, H, W]`, and zeros elsewhere. As
 * `torch.nn.functional.max_unpool3d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * const [maxima, indices] = nn.functional.maxPool3dWithIndices(randn([1, 2, 4, 6, 2]), 2);
 * nn.functional.maxUnpool3d(maxima, indices, 2).shape; // [1, 2, 4, 6, 2]
 */
export const maxUnpool3d = maxUnpool('maxUnpool3d', 3, aten('max_unpool3d'));
