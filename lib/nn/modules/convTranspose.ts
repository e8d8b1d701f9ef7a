import { AiforgeError } from '../../errors.js';
import { boolean, size, count, oneOf, orNull, listOf, type Kinds } from '../../kinds.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import * as operators from '../operators/convolution.js';
import { ConvNd } from './convNd.js';
import { factoryOptions, type FactoryOptions } from './linear.js';
import { sizes, steps, type AnySize, type Size1, type Size2, type Size3 } from './sizes.js';
import { tensorKind } from '../../tensor/kinds.js';

/** Sizes of a transposed convolution, in elements: one number for every spatial dimension, or one for each. */
export interface ConvTransposeOptions<S extends AnySize> extends FactoryOptions {
  /** From the window of one element of the input to the next. Default: 1. */
  stride?: S;
  /** Taken away on both sides of the output. Default: 0. */
  padding?: S;
  /** Added to the output at its end; less than the stride or the dilation. Default: 0. */
  outputPadding?: S;
  /** Groups of channels that do not see each other; both numbers of channels must be divisible by it. Default: 1. */
  groups?: number;
  /** Whether a learnt number is added to each output channel. Default: true. */
  bias?: boolean;
  /** From one element of the kernel to the next. Default: 1. */
  dilation?: S;
  /** Only `'zeros'`. */
  paddingMode?: 'zeros';
}

export const convTransposeOptions: Kinds<ConvTransposeOptions<AnySize>> = {
  stride: steps,
  padding: sizes,
  outputPadding: sizes,
  groups: count,
  bias: boolean,
  dilation: steps,
  paddingMode: oneOf('zeros'),
  ...factoryOptions,
};

export interface ConvTransposeForwardOptions {
  /**
   * The size of the output, whole or its spatial part, out of those that the settings allow. Default: the least, with
   * `outputPadding` added.
   */
  outputSize?: readonly number[] | null;
}

const forwardTakes = signature<ConvTransposeForwardOptions>(
  { input: tensorKind },
  { outputSize: orNull(listOf(size)) },
);

const list = (sizes: readonly number[]): string => `[${sizes.join(', ')}]`;

abstract class TransposedConvolution extends ConvNd<readonly number[]> {
  constructor(
    dims: number,
    inChannels: number,
    outChannels: number,
    kernelSize: AnySize,
    options: ConvTransposeOptions<AnySize>,
  ) {
    super(dims, true, inChannels, outChannels, kernelSize, options);
  }

  protected abstract convolve(input: Tensor, outputPadding: readonly number[]): Tensor;

  override forward(input: Tensor, options: ConvTransposeForwardOptions = {}): Tensor {
    forwardTakes.check('forward', arguments);
    const { outputSize = null } = options;
    return this.convolve(input, outputSize === null ? this.outputPadding : this.paddingFor(input, outputSize));
  }

  /** What must be added to the least output for one of the size wanted. */
  private paddingFor(input: Tensor, outputSize: readonly number[]): number[] {
    const { kernelSize, stride, padding, dilation } = this;
    const dims = kernelSize.length;
    const others = input.dim() === dims + 2 ? 2 : 1;
    const wanted = outputSize.length === others + dims ? outputSize.slice(others) : outputSize;
    if (wanted.length !== dims) {
      this.reject(`outputSize must have ${dims} or ${others + dims} numbers, got ${list(outputSize)}`);
    }
    const spatial = input.shape.slice(others);
    const least = spatial.map(
      (size, d) => (size - 1) * stride[d]! - 2 * padding[d]! + dilation[d]! * (kernelSize[d]! - 1) + 1,
    );
    const extra = wanted.map((size, d) => size - least[d]!);
    if (extra.some((size, d) => size < 0 || size >= stride[d]!)) {
      const greatest = least.map((size, d) => size + stride[d]! - 1);
      this.reject(
        `outputSize ${list(wanted)} must be from ${list(least)} to ${list(greatest)} for an input of ${list(spatial)}`,
      );
    }
    return extra;
  }

  private reject(problem: string): never {
    throw new AiforgeError('INVALID_ARGUMENT', `${this.constructor.name}: ${problem}.`);
  }
}

const convTransposeTakes = signature({ inChannels: size, outChannels: size, kernelSize: sizes }, convTransposeOptions);

/**
 * Spreads each element of sequences over a window of the output by learnt kernels: the gradient of a `Conv1d` with respect
 * to its input, as a layer.
 *
 * From `[N, C_in, L]` or `[C_in, L]` to `[N, C_out, L_out]` or `[C_out, L_out]`, where
 * `L_out = (L - 1) * stride - 2 * padding + dilation * (kernelSize - 1) + outputPadding + 1`. The weight is
 * `[C_in, C_out / groups, K]`; it and the bias `[C_out]` are drawn uniformly from `±sqrt(groups / (C_out * K))`. As
 * `torch.nn.ConvTranspose1d`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for channels that `groups` does not divide, and for an `outputSize` that the
 * settings do not allow.
 * @example
 * import { nn, randn } from 'aiforge';
 * const layer = new nn.ConvTranspose1d(16, 33, 3, { stride: 2 });
 * layer.forward(randn([20, 16, 50])).shape; // [20, 33, 101]
 */
export class ConvTranspose1d extends TransposedConvolution {
  constructor(inChannels: number, outChannels: number, kernelSize: Size1, options: ConvTransposeOptions<Size1> = {}) {
    convTransposeTakes.check(new.target.name, arguments);
    super(1, inChannels, outChannels, kernelSize, options);
  }

  protected override convolve(input: Tensor, outputPadding: readonly number[]): Tensor {
    const { weight, bias, stride, padding, groups, dilation } = this;
    return operators.convTranspose1d(input, weight, bias, stride, padding, outputPadding, groups, dilation);
  }
}

/**
 * Spreads each element of images over a window of the output by learnt kernels: the gradient of a `Conv2d` with respect
 * to its input, as a layer.
 *
 * From `[N, C_in, H, W]` or `[C_in, H, W]` to `[N, C_out, H_out, W_out]` or `[C_out, H_out, W_out]`, where
 * `H_out = (H - 1) * stride - 2 * padding + dilation * (kernelSize - 1) + outputPadding + 1`, and `W_out` likewise. The weight is
 * `[C_in, C_out / groups, K_h, K_w]`; it and the bias `[C_out]` are drawn uniformly from `±sqrt(groups / (C_out * K_h * K_w))`. As
 * `torch.nn.ConvTranspose2d`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for channels that `groups` does not divide, and for an `outputSize` that the
 * settings do not allow.
 * @example
 * import { nn, randn } from 'aiforge';
 * const layer = new nn.ConvTranspose2d(16, 8, 3, { stride: 2, padding: 1 });
 * layer.forward(randn([1, 16, 6, 6]), { outputSize: [12, 12] }).shape; // [1, 8, 12, 12]
 */
export class ConvTranspose2d extends TransposedConvolution {
  constructor(inChannels: number, outChannels: number, kernelSize: Size2, options: ConvTransposeOptions<Size2> = {}) {
    convTransposeTakes.check(new.target.name, arguments);
    super(2, inChannels, outChannels, kernelSize, options);
  }

  protected override convolve(input: Tensor, outputPadding: readonly number[]): Tensor {
    const { weight, bias, stride, padding, groups, dilation } = this;
    return operators.convTranspose2d(input, weight, bias, stride, padding, outputPadding, groups, dilation);
  }
}

/**
 * Spreads each element of volumes over a window of the output by learnt kernels: the gradient of a `Conv3d` with respect
 * to its input, as a layer.
 *
 * From `[N, C_in, D, H, W]` or `[C_in, D, H, W]` to `[N, C_out, D_out, H_out, W_out]` or `[C_out, D_out, H_out, W_out]`, where
 * `D_out = (D - 1) * stride - 2 * padding + dilation * (kernelSize - 1) + outputPadding + 1`, and the others likewise. The weight is
 * `[C_in, C_out / groups, K_d, K_h, K_w]`; it and the bias `[C_out]` are drawn uniformly from `±sqrt(groups / (C_out * K_d * K_h * K_w))`. As
 * `torch.nn.ConvTranspose3d`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for channels that `groups` does not divide, and for an `outputSize` that the
 * settings do not allow.
 * @example
 * import { nn, randn } from 'aiforge';
 * const layer = new nn.ConvTranspose3d(4, 2, [3, 5, 2], { stride: [2, 1, 1] });
 * layer.forward(randn([1, 4, 5, 6, 7])).shape; // [1, 2, 11, 10, 8]
 */
export class ConvTranspose3d extends TransposedConvolution {
  constructor(inChannels: number, outChannels: number, kernelSize: Size3, options: ConvTransposeOptions<Size3> = {}) {
    convTransposeTakes.check(new.target.name, arguments);
    super(3, inChannels, outChannels, kernelSize, options);
  }

  protected override convolve(input: Tensor, outputPadding: readonly number[]): Tensor {
    const { weight, bias, stride, padding, groups, dilation } = this;
    return operators.convTranspose3d(input, weight, bias, stride, padding, outputPadding, groups, dilation);
  }
}
