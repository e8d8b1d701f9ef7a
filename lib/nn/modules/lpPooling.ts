import { boolean, number, orNull, type Kinds } from '../../kinds.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import * as functional from '../functional/lpPooling.js';
import { Module } from '../module.js';
import { pythonBoolean, pythonNumber } from '../printing/printing.js';
import { checkSizes, pythonSize, sizes, steps, type AnySize, type Size1, type Size2, type Size3 } from './sizes.js';
import { refuseSurplus } from '../checks.js';

export interface LPPoolOptions<S extends AnySize> {
  /** From one window to the next, in elements. Default: the kernel's size. */
  stride?: S | null;
  /** Whether the last window may go over the edge. Default: false. */
  ceilMode?: boolean;
}

const lpPoolOptions: Kinds<LPPoolOptions<AnySize>> = { stride: orNull(steps), ceilMode: boolean };

abstract class LPPool<S extends AnySize> extends Module {
  readonly normType: number;
  readonly kernelSize: S;
  readonly stride: S | null;
  readonly ceilMode: boolean;

  constructor(dims: number, normType: number, kernelSize: S, { stride = null, ceilMode = false }: LPPoolOptions<S>) {
    super();
    const name = this.constructor.name;
    this.normType = normType;
    this.kernelSize = checkSizes(name, 'kernelSize', kernelSize, dims);
    this.stride = stride === null ? null : checkSizes(name, 'stride', stride, dims);
    this.ceilMode = ceilMode;
  }

  override extraRepr(): string {
    const { normType, kernelSize, stride, ceilMode } = this;
    return (
      `norm_type=${pythonNumber(normType)}, kernel_size=${pythonSize(kernelSize)}, ` +
      `stride=${stride === null ? 'None' : pythonSize(stride)}, ceil_mode=${pythonBoolean(ceilMode)}`
    );
  }
}

const lpPoolTakes = signature({ normType: number, kernelSize: sizes }, lpPoolOptions);

/**
 * The `normType`-norm of each window of sequences: `(sum of x^p)^(1/p)`; the sum with 1, the maximum with Infinity.
 *
 * From `[N, C, L]` or `[C, L]` to `[N, C, L_out]` or `[C, L_out]`, where
 * `L_out = floor((L - kernelSize) / stride + 1)`, or `ceil` with `ceilMode`. As `torch.nn.LPPool1d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.LPPool1d(2, 3, { stride: 2 }).forward(randn([20, 16, 50])).shape; // [20, 16, 24]
 */
export class LPPool1d extends LPPool<Size1> {
  constructor(normType: number, kernelSize: Size1, options: LPPoolOptions<Size1> = {}) {
    lpPoolTakes.check(new.target.name, arguments);
    super(1, normType, kernelSize, options);
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return functional.lpPool1d(input, this.normType, this.kernelSize, this.stride, this.ceilMode);
  }
}

/**
 * The `normType`-norm of each window of images: `(sum of x^p)^(1/p)`; the sum with 1, the maximum with Infinity.
 *
 * From `[N, C, H, W]` or `[C, H, W]` to `[N, C, H_out, W_out]` or `[C, H_out, W_out]`, where
 * `H_out = floor((H - kernelSize) / stride + 1)`, or `ceil` with `ceilMode`, and `W_out` likewise. As `torch.nn.LPPool2d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.LPPool2d(1.2, [3, 2], { stride: [2, 1] }).forward(randn([20, 16, 50, 32])).shape; // [20, 16, 24, 31]
 */
export class LPPool2d extends LPPool<Size2> {
  constructor(normType: number, kernelSize: Size2, options: LPPoolOptions<Size2> = {}) {
    lpPoolTakes.check(new.target.name, arguments);
    super(2, normType, kernelSize, options);
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return functional.lpPool2d(input, this.normType, this.kernelSize, this.stride, this.ceilMode);
  }
}

/**
 * The `normType`-norm of each window of volumes: `(sum of x^p)^(1/p)`; the sum with 1, the maximum with Infinity.
 *
 * From `[N, C, D, H, W]` or `[C, D, H, W]` to `[N, C, D_out, H_out, W_out]` or `[C, D_out, H_out, W_out]`, where
 * `D_out = floor((D - kernelSize) / stride + 1)`, or `ceil` with `ceilMode`, and the others likewise. As `torch.nn.LPPool3d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.LPPool3d(2, 2).forward(randn([2, 4, 8, 6, 4])).shape; // [2, 4, 4, 3, 2]
 */
export class LPPool3d extends LPPool<Size3> {
  constructor(normType: number, kernelSize: Size3, options: LPPoolOptions<Size3> = {}) {
    lpPoolTakes.check(new.target.name, arguments);
    super(3, normType, kernelSize, options);
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return functional.lpPool3d(input, this.normType, this.kernelSize, this.stride, this.ceilMode);
  }
}
