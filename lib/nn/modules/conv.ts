import { boolean, size, count, oneOf, either, type Kinds } from '../../kinds.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import * as operators from '../operators/convolution.js';
import type { ConvolutionPadding } from '../operators/convolution.js';
import { ConvNd, type ConvPaddingMode } from './convNd.js';
import { factoryOptions, type FactoryOptions } from './linear.js';
import { sizes, steps, type AnySize, type Size1, type Size2, type Size3 } from './sizes.js';
import { refuseSurplus } from '../checks.js';

/** Sizes of a convolution, in elements: one number for every spatial dimension, or one for each. */
export interface ConvOptions<S extends AnySize> extends FactoryOptions {
  /** From one window to the next. Default: 1. */
  stride?: S;
  /** Added on both sides; `'same'` keeps the input's size, with a stride of 1 only; `'valid'` adds nothing. Default: 0. */
  padding?: S | 'same' | 'valid';
  /** From one element of the kernel to the next. Default: 1. */
  dilation?: S;
  /** Groups of channels that do not see each other; both numbers of channels must be divisible by it. Default: 1. */
  groups?: number;
  /** Whether a learnt number is added to each output channel. Default: true. */
  bias?: boolean;
  /** What the padding holds: zeros, the input mirrored, its edge repeated, or the input again. Default: `'zeros'`. */
  paddingMode?: ConvPaddingMode;
}

export const convOptions: Kinds<ConvOptions<AnySize>> = {
  stride: steps,
  padding: either(sizes, oneOf('same', 'valid')),
  dilation: steps,
  groups: count,
  bias: boolean,
  paddingMode: oneOf('zeros', 'reflect', 'replicate', 'circular'),
  ...factoryOptions,
};

abstract class Convolution extends ConvNd<ConvolutionPadding> {
  /** Before and after each dimension, the last one first, as `pad` takes it. */
  private readonly edges: readonly number[];
  private readonly noPadding: readonly number[];

  constructor(
    dims: number,
    inChannels: number,
    outChannels: number,
    kernelSize: AnySize,
    options: ConvOptions<AnySize>,
  ) {
    super(dims, false, inChannels, outChannels, kernelSize, options);
    const { padding, dilation } = this;
    this.noPadding = this.kernelSize.map(() => 0);
    const edges = this.kernelSize.map((size, d): [number, number] => {
      if (typeof padding !== 'string') return [padding[d]!, padding[d]!];
      if (padding === 'valid') return [0, 0];
      const total = dilation[d]! * (size - 1);
      return [Math.floor(total / 2), total - Math.floor(total / 2)];
    });
    this.edges = edges.reverse().flat();
  }

  protected abstract convolve(input: Tensor, padding: ConvolutionPadding): Tensor;

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    const { paddingMode } = this;
    if (paddingMode === 'zeros') return this.convolve(input, this.padding);
    return this.convolve(operators.pad(input, this.edges, paddingMode, null), this.noPadding);
  }
}

const convTakes = signature({ inChannels: size, outChannels: size, kernelSize: sizes }, convOptions);

/**
 * Slides learnt kernels over sequences of `inChannels` channels.
 *
 * `output[n, o] = bias[o] + sum over i of weight[o, i] ⋆ input[n, i]`, where `⋆` is cross-correlation. From
 * `[N, C_in, L]` or `[C_in, L]` to `[N, C_out, L_out]` or `[C_out, L_out]`, where
 * `L_out = floor((L + 2 * padding - dilation * (kernelSize - 1) - 1) / stride + 1)`. The weight is
 * `[C_out, C_in / groups, kernelSize]`; it and the bias `[C_out]` are drawn uniformly from
 * `±sqrt(groups / (C_in * kernelSize))`. As `torch.nn.Conv1d`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for channels that `groups` does not divide, an unknown padding or padding mode,
 * and `'same'` with a stride.
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.Conv1d(16, 33, 3, { stride: 2 }).forward(randn([20, 16, 50])).shape; // [20, 33, 24]
 */
export class Conv1d extends Convolution {
  constructor(inChannels: number, outChannels: number, kernelSize: Size1, options: ConvOptions<Size1> = {}) {
    convTakes.check(new.target.name, arguments);
    super(1, inChannels, outChannels, kernelSize, options);
  }

  protected override convolve(input: Tensor, padding: ConvolutionPadding): Tensor {
    return operators.conv1d(input, this.weight, this.bias, this.stride, padding, this.dilation, this.groups);
  }
}

/**
 * Slides learnt kernels over images of `inChannels` channels.
 *
 * `output[n, o] = bias[o] + sum over i of weight[o, i] ⋆ input[n, i]`, where `⋆` is cross-correlation. From
 * `[N, C_in, H, W]` or `[C_in, H, W]` to `[N, C_out, H_out, W_out]` or `[C_out, H_out, W_out]`, where
 * `H_out = floor((H + 2 * padding - dilation * (kernelSize - 1) - 1) / stride + 1)`, and `W_out` likewise. The weight is
 * `[C_out, C_in / groups, K_h, K_w]`; it and the bias `[C_out]` are drawn uniformly from
 * `±sqrt(groups / (C_in * K_h * K_w))`. As `torch.nn.Conv2d`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for channels that `groups` does not divide, an unknown padding or padding mode,
 * and `'same'` with a stride.
 * @example
 * import { nn, randn } from 'aiforge';
 * const conv = new nn.Conv2d(3, 8, [3, 5], { padding: [1, 2], paddingMode: 'reflect' });
 * conv.forward(randn([2, 3, 16, 16])).shape; // [2, 8, 16, 16]
 */
export class Conv2d extends Convolution {
  constructor(inChannels: number, outChannels: number, kernelSize: Size2, options: ConvOptions<Size2> = {}) {
    convTakes.check(new.target.name, arguments);
    super(2, inChannels, outChannels, kernelSize, options);
  }

  protected override convolve(input: Tensor, padding: ConvolutionPadding): Tensor {
    return operators.conv2d(input, this.weight, this.bias, this.stride, padding, this.dilation, this.groups);
  }
}

/**
 * Slides learnt kernels over volumes of `inChannels` channels.
 *
 * `output[n, o] = bias[o] + sum over i of weight[o, i] ⋆ input[n, i]`, where `⋆` is cross-correlation. From
 * `[N, C_in, D, H, W]` or `[C_in, D, H, W]` to `[N, C_out, D_out, H_out, W_out]` or `[C_out, D_out, H_out, W_out]`, where
 * `D_out = floor((D + 2 * padding - dilation * (kernelSize - 1) - 1) / stride + 1)`, and the others likewise. The weight
 * is `[C_out, C_in / groups, K_d, K_h, K_w]`; it and the bias `[C_out]` are drawn uniformly from
 * `±sqrt(groups / (C_in * K_d * K_h * K_w))`. As `torch.nn.Conv3d`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for channels that `groups` does not divide, an unknown padding or padding mode,
 * and `'same'` with a stride.
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.Conv3d(2, 4, 3, { padding: 'same' }).forward(randn([2, 5, 6, 7])).shape; // [4, 5, 6, 7]
 */
export class Conv3d extends Convolution {
  constructor(inChannels: number, outChannels: number, kernelSize: Size3, options: ConvOptions<Size3> = {}) {
    convTakes.check(new.target.name, arguments);
    super(3, inChannels, outChannels, kernelSize, options);
  }

  protected override convolve(input: Tensor, padding: ConvolutionPadding): Tensor {
    return operators.conv3d(input, this.weight, this.bias, this.stride, padding, this.dilation, this.groups);
  }
}
