import { size, orNull, listOf, type Kinds } from '../../kinds.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import * as functional from '../functional/unpooling.js';
import { Module } from '../module.js';
import { pythonTuple } from '../printing/printing.js';
import { tupleOf, sizes, steps, type AnySize, type Size1, type Size2, type Size3 } from './sizes.js';
import { tensorKind } from '../../tensor/kinds.js';

/** The settings of the pooling that is to be undone. */
export interface MaxUnpoolLayerOptions<S extends AnySize> {
  /** From one window to the next, in elements. Default: the kernel's size. */
  stride?: S | null;
  /** What was added on both sides, in elements. Default: 0. */
  padding?: S;
}

const maxUnpoolOptions: Kinds<MaxUnpoolLayerOptions<AnySize>> = { stride: orNull(steps), padding: sizes };

export interface MaxUnpoolForwardOptions {
  /** The size before the pooling; the whole shape, or its spatial part. Default: the least that fits. */
  outputSize?: readonly number[] | null;
}

const forwardTakes = signature<MaxUnpoolForwardOptions>(
  { input: tensorKind, indices: tensorKind },
  { outputSize: orNull(listOf(size)) },
);

abstract class MaxUnpool<S extends AnySize> extends Module {
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];

  constructor(dims: number, kernelSize: S, { stride, padding }: MaxUnpoolLayerOptions<S>) {
    super();
    const name = this.constructor.name;
    this.kernelSize = tupleOf(name, 'kernelSize', kernelSize, dims);
    this.stride = tupleOf(name, 'stride', stride ?? kernelSize, dims);
    this.padding = tupleOf(name, 'padding', padding ?? 0, dims);
  }

  override extraRepr(): string {
    const { kernelSize, stride, padding } = this;
    return `kernel_size=${pythonTuple(kernelSize)}, stride=${pythonTuple(stride)}, padding=${pythonTuple(padding)}`;
  }
}

const maxUnpoolTakes = signature({ kernelSize: sizes }, maxUnpoolOptions);

/**
 * Puts the maxima of a `MaxPool1d` back where `indices` say that they were, and zeros elsewhere.
 *
 * From `[N, C, L]` or `[C, L]` to `[N, C, L_out]` or `[C, L_out]`, where
 * `L_out = (L - 1) * stride - 2 * padding + kernelSize`; since several sizes pool to the same one, `outputSize` may
 * name another, less than the stride away. As `torch.nn.MaxUnpool1d`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an `outputSize` that the pooling cannot have had.
 * @example
 * import { nn, randn } from 'aiforge';
 * const [maxima, indices] = new nn.MaxPool1d(2, { returnIndices: true }).forward(randn([1, 1, 8]));
 * new nn.MaxUnpool1d(2).forward(maxima, indices).shape; // [1, 1, 8]
 */
export class MaxUnpool1d extends MaxUnpool<Size1> {
  constructor(kernelSize: Size1, options: MaxUnpoolLayerOptions<Size1> = {}) {
    maxUnpoolTakes.check(new.target.name, arguments);
    super(1, kernelSize, options);
  }

  override forward(input: Tensor, indices: Tensor, options: MaxUnpoolForwardOptions = {}): Tensor {
    forwardTakes.check('forward', arguments);
    const { outputSize = null } = options;
    return functional.maxUnpool1d(input, indices, this.kernelSize, this.stride, this.padding, outputSize);
  }
}

/**
 * Puts the maxima of a `MaxPool2d` back where `indices` say that they were, and zeros elsewhere.
 *
 * From `[N, C, H, W]` or `[C, H, W]` to `[N, C, H_out, W_out]` or `[C, H_out, W_out]`, where
 * `H_out = (H - 1) * stride - 2 * padding + kernelSize`, and `W_out` likewise; since several sizes pool to the same one, `outputSize` may
 * name another, less than the stride away. As `torch.nn.MaxUnpool2d`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an `outputSize` that the pooling cannot have had.
 * @example
 * import { nn, randn } from 'aiforge';
 * const [maxima, indices] = new nn.MaxPool2d(2, { returnIndices: true }).forward(randn([1, 1, 4, 4]));
 * new nn.MaxUnpool2d(2).forward(maxima, indices).shape; // [1, 1, 4, 4]
 */
export class MaxUnpool2d extends MaxUnpool<Size2> {
  constructor(kernelSize: Size2, options: MaxUnpoolLayerOptions<Size2> = {}) {
    maxUnpoolTakes.check(new.target.name, arguments);
    super(2, kernelSize, options);
  }

  override forward(input: Tensor, indices: Tensor, options: MaxUnpoolForwardOptions = {}): Tensor {
    forwardTakes.check('forward', arguments);
    const { outputSize = null } = options;
    return functional.maxUnpool2d(input, indices, this.kernelSize, this.stride, this.padding, outputSize);
  }
}

/**
 * Puts the maxima of a `MaxPool3d` back where `indices` say that they were, and zeros elsewhere.
 *
 * From `[N, C, D, H, W]` or `[C, D, H, W]` to `[N, C, D_out, H_out, W_out]` or `[C, D_out, H_out, W_out]`, where
 * `D_out = (D - 1) * stride - 2 * padding + kernelSize`, and the others likewise; since several sizes pool to the same one, `outputSize` may
 * name another, less than the stride away. As `torch.nn.MaxUnpool3d`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an `outputSize` that the pooling cannot have had.
 * @example
 * import { nn, randn } from 'aiforge';
 * const [maxima, indices] = new nn.MaxPool3d(2, { returnIndices: true }).forward(randn([1, 1, 4, 4, 4]));
 * new nn.MaxUnpool3d(2).forward(maxima, indices).shape; // [1, 1, 4, 4, 4]
 */
export class MaxUnpool3d extends MaxUnpool<Size3> {
  constructor(kernelSize: Size3, options: MaxUnpoolLayerOptions<Size3> = {}) {
    maxUnpoolTakes.check(new.target.name, arguments);
    super(3, kernelSize, options);
  }

  override forward(input: Tensor, indices: Tensor, options: MaxUnpoolForwardOptions = {}): Tensor {
    forwardTakes.check('forward', arguments);
    const { outputSize = null } = options;
    return functional.maxUnpool3d(input, indices, this.kernelSize, this.stride, this.padding, outputSize);
  }
}
