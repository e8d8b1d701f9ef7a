import { boolean, whole, orNull, type Kinds } from '../../kinds.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import { Module } from '../module.js';
import * as operators from '../operators/pooling.js';
import {
  checkSizes,
  pythonSize,
  tupleOf,
  sizes,
  steps,
  type AnySize,
  type Size1,
  type Size2,
  type Size3,
} from './sizes.js';
import { refuseSurplus } from '../checks.js';

export interface AvgPool1dOptions<S extends AnySize = Size1> {
  /** From one window to the next, in elements. Default: the kernel's size. */
  stride?: S | null;
  /** Implicit zeros on both sides, in elements; at most half the kernel's size. Default: 0. */
  padding?: S;
  /** Whether the last window may go over the edge. Default: false. */
  ceilMode?: boolean;
  /** Whether the zeros of the padding count as elements. Default: true. */
  countIncludePad?: boolean;
}

const avgPool1dOptions: Kinds<AvgPool1dOptions<AnySize>> = {
  stride: orNull(steps),
  padding: sizes,
  ceilMode: boolean,
  countIncludePad: boolean,
};

export interface AvgPoolOptions<S extends AnySize> extends AvgPool1dOptions<S> {
  /** What the sums are divided by. Default: how many elements the window has. */
  divisorOverride?: number | null;
}

const avgPoolOptions: Kinds<AvgPoolOptions<AnySize>> = { ...avgPool1dOptions, divisorOverride: orNull(whole) };

abstract class AvgPool<S extends AnySize> extends Module {
  readonly kernelSize: S;
  readonly stride: S;
  readonly padding: S | 0;
  readonly ceilMode: boolean;
  readonly countIncludePad: boolean;

  constructor(dims: number, kernelSize: S, options: AvgPool1dOptions<S>) {
    super();
    const name = this.constructor.name;
    this.kernelSize = checkSizes(name, 'kernelSize', kernelSize, dims);
    this.stride = checkSizes(name, 'stride', options.stride ?? kernelSize, dims);
    this.padding = checkSizes(name, 'padding', options.padding ?? 0, dims);
    this.ceilMode = options.ceilMode ?? false;
    this.countIncludePad = options.countIncludePad ?? true;
  }

  override extraRepr(): string {
    const { kernelSize, stride, padding } = this;
    return `kernel_size=${pythonSize(kernelSize)}, stride=${pythonSize(stride)}, padding=${pythonSize(padding)}`;
  }
}

const avgPool1dTakes = signature({ kernelSize: sizes }, avgPool1dOptions);

/**
 * The mean of each window of sequences.
 *
 * From `[N, C, L]` or `[C, L]` to `[N, C, L_out]` or `[C, L_out]`, where
 * `L_out = floor((L + 2 * padding - kernelSize) / stride + 1)`, or `ceil` with `ceilMode`. As
 * `torch.nn.AvgPool1d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.AvgPool1d(2).forward(randn([1, 4, 9])).shape; // [1, 4, 4]
 */
export class AvgPool1d extends AvgPool<Size1> {
  constructor(kernelSize: Size1, options: AvgPool1dOptions = {}) {
    avgPool1dTakes.check(new.target.name, arguments);
    const { stride = kernelSize, padding = 0, ...rest } = options;
    // PyTorch prints these as tuples, those of the other dimensions as they were given.
    const tuple = (name: string, size: Size1): [number] => [...tupleOf('AvgPool1d', name, size, 1)] as [number];
    super(1, tuple('kernelSize', kernelSize), {
      ...rest,
      stride: tuple('stride', stride ?? kernelSize),
      padding: tuple('padding', padding),
    });
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    const { kernelSize, stride, padding, ceilMode, countIncludePad } = this;
    return operators.avgPool1d(input, kernelSize, stride, padding, ceilMode, countIncludePad);
  }
}

const avgPoolTakes = signature({ kernelSize: sizes }, avgPoolOptions);

/**
 * The mean of each window of images.
 *
 * From `[N, C, H, W]` or `[C, H, W]` to `[N, C, H_out, W_out]` or `[C, H_out, W_out]`, where
 * `H_out = floor((H + 2 * padding - kernelSize) / stride + 1)`, or `ceil` with `ceilMode`, and `W_out` likewise. As
 * `torch.nn.AvgPool2d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.AvgPool2d([3, 2], { stride: 2, padding: [1, 0] }).forward(randn([1, 4, 8, 8])).shape; // [1, 4, 4, 4]
 */
export class AvgPool2d extends AvgPool<Size2> {
  readonly divisorOverride: number | null;

  constructor(kernelSize: Size2, options: AvgPoolOptions<Size2> = {}) {
    avgPoolTakes.check(new.target.name, arguments);
    super(2, kernelSize, options);
    this.divisorOverride = options.divisorOverride ?? null;
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    const { kernelSize, stride, padding, ceilMode, countIncludePad, divisorOverride } = this;
    return operators.avgPool2d(input, kernelSize, stride, padding, ceilMode, countIncludePad, divisorOverride);
  }
}

/**
 * The mean of each window of volumes.
 *
 * From `[N, C, D, H, W]` or `[C, D, H, W]` to `[N, C, D_out, H_out, W_out]` or `[C, D_out, H_out, W_out]`, where
 * `D_out = floor((D + 2 * padding - kernelSize) / stride + 1)`, or `ceil` with `ceilMode`, and the others likewise. As
 * `torch.nn.AvgPool3d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.AvgPool3d(2).forward(randn([1, 4, 8, 6, 4])).shape; // [1, 4, 4, 3, 2]
 */
export class AvgPool3d extends AvgPool<Size3> {
  readonly divisorOverride: number | null;

  constructor(kernelSize: Size3, options: AvgPoolOptions<Size3> = {}) {
    avgPoolTakes.check(new.target.name, arguments);
    super(3, kernelSize, options);
    this.divisorOverride = options.divisorOverride ?? null;
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    const { kernelSize, stride, padding, ceilMode, countIncludePad, divisorOverride } = this;
    return operators.avgPool3d(input, kernelSize, stride, padding, ceilMode, countIncludePad, divisorOverride);
  }
}
