import type { Kinds } from '../../kinds.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import { fold, unfold } from '../functional/sliding.js';
import { Module } from '../module.js';
import { checkSizes, pythonSize, sizes, sizes2, steps2, type Size2 } from './sizes.js';
import { refuseSurplus } from '../checks.js';

/** Sizes in elements: one number for height and width, or one for each. */
export interface FoldLayerOptions {
  /** From one element of a window to the next. Default: 1. */
  dilation?: Size2;
  /** Implicit zeros on both sides. Default: 0. */
  padding?: Size2;
  /** From one window to the next. Default: 1. */
  stride?: Size2;
}

const foldOptions: Kinds<FoldLayerOptions> = { dilation: steps2, padding: sizes2, stride: steps2 };

abstract class Sliding extends Module {
  readonly kernelSize: Size2;
  readonly dilation: Size2;
  readonly padding: Size2;
  readonly stride: Size2;

  constructor(kernelSize: Size2, { dilation = 1, padding = 0, stride = 1 }: FoldLayerOptions) {
    super();
    const name = this.constructor.name;
    this.kernelSize = checkSizes(name, 'kernelSize', kernelSize, 2);
    this.dilation = checkSizes(name, 'dilation', dilation, 2);
    this.padding = checkSizes(name, 'padding', padding, 2);
    this.stride = checkSizes(name, 'stride', stride, 2);
  }

  override extraRepr(): string {
    const { kernelSize, dilation, padding, stride } = this;
    return (
      `kernel_size=${pythonSize(kernelSize)}, dilation=${pythonSize(dilation)}, ` +
      `padding=${pythonSize(padding)}, stride=${pythonSize(stride)}`
    );
  }
}

const foldTakes = signature({ outputSize: sizes, kernelSize: sizes }, foldOptions);

/**
 * Puts columns back as windows of an image of `outputSize` and adds up where they overlap.
 *
 * From `[N, C * K_h * K_w, L]` or `[C * K_h * K_w, L]` to `[N, C, H, W]` or `[C, H, W]`, where `L` is the number of windows:
 * the product of `floor((size + 2 * padding - dilation * (kernelSize - 1) - 1) / stride + 1)` over height and width. As
 * `torch.nn.Fold`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.Fold([4, 5], [2, 2]).forward(randn([1, 12, 12])).shape; // [1, 3, 4, 5]
 */
export class Fold extends Sliding {
  readonly outputSize: Size2;

  constructor(outputSize: Size2, kernelSize: Size2, options: FoldLayerOptions = {}) {
    foldTakes.check(new.target.name, arguments);
    super(kernelSize, options);
    this.outputSize = checkSizes(this.constructor.name, 'outputSize', outputSize, 2);
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return fold(input, this.outputSize, this.kernelSize, this.dilation, this.padding, this.stride);
  }

  override extraRepr(): string {
    return `output_size=${pythonSize(this.outputSize)}, ${super.extraRepr()}`;
  }
}

const unfoldTakes = signature({ kernelSize: sizes }, foldOptions);

/**
 * The windows of an image as columns.
 *
 * From `[N, C, H, W]` or `[C, H, W]` to `[N, C * K_h * K_w, L]` or `[C * K_h * K_w, L]`, where `L` is the number of windows:
 * the product of `floor((size + 2 * padding - dilation * (kernelSize - 1) - 1) / stride + 1)` over height and width. As
 * `torch.nn.Unfold`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.Unfold([2, 3]).forward(randn([2, 5, 3, 4])).shape; // [2, 30, 4]
 */
export class Unfold extends Sliding {
  constructor(kernelSize: Size2, options: FoldLayerOptions = {}) {
    unfoldTakes.check(new.target.name, arguments);
    super(kernelSize, options);
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return unfold(input, this.kernelSize, this.dilation, this.padding, this.stride);
  }
}
