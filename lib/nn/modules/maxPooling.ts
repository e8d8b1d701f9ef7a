import { boolean, orNull, type Kinds } from '../../kinds.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { PooledWithIndices } from '../functional/pooling.js';
import { Module } from '../module.js';
import * as operators from '../operators/pooling.js';
import { pythonBoolean } from '../printing/printing.js';
import { checkSizes, pythonSize, sizes, steps, type AnySize, type Size1, type Size2, type Size3 } from './sizes.js';
import { refuseSurplus } from '../checks.js';

/** What a pooling of maxima gives: the maxima, or them and where they were. */
export type Pooled<WithIndices extends boolean> = WithIndices extends true ? PooledWithIndices : Tensor;

export interface MaxPoolLayerOptions<S extends AnySize, WithIndices extends boolean> {
  /** From one window to the next, in elements. Default: the kernel's size. */
  stride?: S | null;
  /** Implicit -Infinity on both sides, in elements; at most half the kernel's size. Default: 0. */
  padding?: S;
  /** From one element of a window to the next. Default: 1. */
  dilation?: S;
  /** Whether to give the places of the maxima too, which `MaxUnpool` takes. Default: false. */
  returnIndices?: WithIndices;
  /** Whether the last window may go over the edge. Default: false. */
  ceilMode?: boolean;
}

const maxPoolOptions: Kinds<MaxPoolLayerOptions<AnySize, boolean>> = {
  stride: orNull(steps),
  padding: sizes,
  dilation: steps,
  returnIndices: boolean,
  ceilMode: boolean,
};

abstract class MaxPool<S extends AnySize, WithIndices extends boolean> extends Module {
  readonly kernelSize: S;
  readonly stride: S;
  readonly padding: S | 0;
  readonly dilation: S | 1;
  readonly returnIndices: boolean;
  readonly ceilMode: boolean;

  constructor(dims: number, kernelSize: S, options: MaxPoolLayerOptions<S, WithIndices>) {
    super();
    const name = this.constructor.name;
    this.kernelSize = checkSizes(name, 'kernelSize', kernelSize, dims);
    this.stride = checkSizes(name, 'stride', options.stride ?? kernelSize, dims);
    this.padding = checkSizes(name, 'padding', options.padding ?? 0, dims);
    this.dilation = checkSizes(name, 'dilation', options.dilation ?? 1, dims);
    this.returnIndices = options.returnIndices ?? false;
    this.ceilMode = options.ceilMode ?? false;
  }

  protected abstract get pool(): operators.MaxPoolOperator;

  override forward(input: Tensor): Pooled<WithIndices> {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    const { kernelSize, stride, padding, dilation, ceilMode, returnIndices } = this;
    return this.pool(input, kernelSize, stride, padding, dilation, ceilMode, returnIndices) as Pooled<WithIndices>;
  }

  override extraRepr(): string {
    const { kernelSize, stride, padding, dilation, ceilMode } = this;
    return (
      `kernel_size=${pythonSize(kernelSize)}, stride=${pythonSize(stride)}, padding=${pythonSize(padding)}, ` +
      `dilation=${pythonSize(dilation)}, ceil_mode=${pythonBoolean(ceilMode)}`
    );
  }
}

const maxPoolTakes = signature({ kernelSize: sizes }, maxPoolOptions);

/**
 * The greatest value of each window of sequences.
 *
 * From `[N, C, L]` or `[C, L]` to `[N, C, L_out]` or `[C, L_out]`, where
 * `L_out = floor((L + 2 * padding - dilation * (kernelSize - 1) - 1) / stride + 1)`, or `ceil` with `ceilMode`.
 * As `torch.nn.MaxPool1d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.MaxPool1d(3, { stride: 2 }).forward(randn([20, 16, 50])).shape; // [20, 16, 24]
 */
export class MaxPool1d<WithIndices extends boolean = false> extends MaxPool<Size1, WithIndices> {
  constructor(kernelSize: Size1, options: MaxPoolLayerOptions<Size1, WithIndices> = {}) {
    maxPoolTakes.check(new.target.name, arguments);
    super(1, kernelSize, options);
  }

  protected override get pool(): operators.MaxPoolOperator {
    return operators.maxPool1d;
  }
}

/**
 * The greatest value of each window of images.
 *
 * From `[N, C, H, W]` or `[C, H, W]` to `[N, C, H_out, W_out]` or `[C, H_out, W_out]`, where
 * `H_out = floor((H + 2 * padding - dilation * (kernelSize - 1) - 1) / stride + 1)`, or `ceil` with `ceilMode`, and `W_out` likewise.
 * As `torch.nn.MaxPool2d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.MaxPool2d(2).forward(randn([2, 3, 8, 8])).shape; // [2, 3, 4, 4]
 */
export class MaxPool2d<WithIndices extends boolean = false> extends MaxPool<Size2, WithIndices> {
  constructor(kernelSize: Size2, options: MaxPoolLayerOptions<Size2, WithIndices> = {}) {
    maxPoolTakes.check(new.target.name, arguments);
    super(2, kernelSize, options);
  }

  protected override get pool(): operators.MaxPoolOperator {
    return operators.maxPool2d;
  }
}

/**
 * The greatest value of each window of volumes.
 *
 * From `[N, C, D, H, W]` or `[C, D, H, W]` to `[N, C, D_out, H_out, W_out]` or `[C, D_out, H_out, W_out]`, where
 * `D_out = floor((D + 2 * padding - dilation * (kernelSize - 1) - 1) / stride + 1)`, or `ceil` with `ceilMode`, and the others likewise.
 * As `torch.nn.MaxPool3d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.MaxPool3d([2, 2, 4]).forward(randn([2, 3, 8, 8, 8])).shape; // [2, 3, 4, 4, 2]
 */
export class MaxPool3d<WithIndices extends boolean = false> extends MaxPool<Size3, WithIndices> {
  constructor(kernelSize: Size3, options: MaxPoolLayerOptions<Size3, WithIndices> = {}) {
    maxPoolTakes.check(new.target.name, arguments);
    super(3, kernelSize, options);
  }

  protected override get pool(): operators.MaxPoolOperator {
    return operators.maxPool3d;
  }
}
