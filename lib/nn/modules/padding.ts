import { AiforgeError } from '../../errors.js';
import { number } from '../../kinds.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import { Module } from '../module.js';
import { pad, type PaddingMode } from '../operators/convolution.js';
import { pythonNumber, pythonTuple } from '../printing/printing.js';
import { tupleOf, wholes, type AnySize } from './sizes.js';
import { checkInput, refuseSurplus } from '../checks.js';

/** How many elements to add: one number for every side, or one for each; a negative one takes elements away. */
export type Padding1 = number | readonly [left: number, right: number];
export type Padding2 = number | readonly [left: number, right: number, top: number, bottom: number];
export type Padding3 =
  number | readonly [left: number, right: number, top: number, bottom: number, front: number, back: number];

abstract class Pad extends Module {
  readonly padding: readonly number[];

  constructor(dims: number, padding: AnySize) {
    super();
    this.padding = tupleOf(this.constructor.name, 'padding', padding, 2 * dims);
  }

  protected abstract get mode(): PaddingMode;

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return pad(input, this.padding, this.mode, null);
  }

  override extraRepr(): string {
    return pythonTuple(this.padding);
  }
}

abstract class ConstantPad extends Pad {
  readonly value: number;

  constructor(dims: number, padding: AnySize, value: number) {
    super(dims, padding);
    this.value = value;
  }

  protected override get mode(): PaddingMode {
    return 'constant';
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return pad(input, this.padding, 'constant', this.value);
  }

  override extraRepr(): string {
    return `padding=${pythonTuple(this.padding)}, value=${pythonNumber(this.value)}`;
  }
}

const constantPadTakes = signature({ padding: wholes, value: number });

/**
 * Puts `value` around sequences.
 *
 * From `[N, C, W]` or `[C, W]` to `[N, C, W_out]` or `[C, W_out]`, where `W_out = left + W + right`; `padding` is one number or `[left, right]`. As
 * `torch.nn.ConstantPad1d`.
 *
 * @example
 * import { arange, nn } from 'aiforge';
 * new nn.ConstantPad1d([3, 1], 2.5).forward(arange(4).view([1, 4]).to('float32')).tolist(); // [[2.5, 2.5, 2.5, 0, 1, 2, 3, 2.5]]
 */
export class ConstantPad1d extends ConstantPad {
  constructor(padding: Padding1, value: number) {
    constantPadTakes.check(new.target.name, arguments);
    super(1, padding, value);
  }
}

/**
 * Puts `value` around images.
 *
 * From `[N, C, H, W]` or `[C, H, W]` to `[N, C, H_out, W_out]` or `[C, H_out, W_out]`, where `H_out = top + H + bottom` and
 * `W_out = left + W + right`; `padding` is one number or `[left, right, top, bottom]`. As
 * `torch.nn.ConstantPad2d`.
 *
 * @example
 * import { nn, zeros } from 'aiforge';
 * new nn.ConstantPad2d([1, 2, 2, 1], 2.5).forward(zeros([1, 3, 4])).shape; // [1, 6, 7]
 */
export class ConstantPad2d extends ConstantPad {
  constructor(padding: Padding2, value: number) {
    constantPadTakes.check(new.target.name, arguments);
    super(2, padding, value);
  }
}

/**
 * Puts `value` around volumes.
 *
 * From `[N, C, D, H, W]` or `[C, D, H, W]` to `[N, C, D_out, H_out, W_out]` or `[C, D_out, H_out, W_out]`, where `D_out = front + D + back`,
 * `H_out = top + H + bottom` and `W_out = left + W + right`; `padding` is one number or `[left, right, top, bottom, front, back]`. As
 * `torch.nn.ConstantPad3d`.
 *
 * @example
 * import { nn, zeros } from 'aiforge';
 * new nn.ConstantPad3d([2, 1, 1, 2, 1, 1], 2.5).forward(zeros([1, 3, 4, 5])).shape; // [1, 5, 7, 8]
 */
export class ConstantPad3d extends ConstantPad {
  constructor(padding: Padding3, value: number) {
    constantPadTakes.check(new.target.name, arguments);
    super(3, padding, value);
  }
}

const padTakes = signature({ padding: wholes });

/**
 * Puts zeros around sequences.
 *
 * From `[N, C, W]` or `[C, W]` to `[N, C, W_out]` or `[C, W_out]`, where `W_out = left + W + right`; `padding` is one number or `[left, right]`. As
 * `torch.nn.ZeroPad1d`.
 *
 * @example
 * import { arange, nn } from 'aiforge';
 * new nn.ZeroPad1d([3, 1]).forward(arange(4).view([1, 4]).to('float32')).tolist(); // [[0, 0, 0, 0, 1, 2, 3, 0]]
 */
export class ZeroPad1d extends ConstantPad1d {
  constructor(padding: Padding1) {
    padTakes.check(new.target.name, arguments);
    super(padding, 0);
  }

  override extraRepr(): string {
    return pythonTuple(this.padding);
  }
}

/**
 * Puts zeros around images.
 *
 * From `[N, C, H, W]` or `[C, H, W]` to `[N, C, H_out, W_out]` or `[C, H_out, W_out]`, where `H_out = top + H + bottom` and
 * `W_out = left + W + right`; `padding` is one number or `[left, right, top, bottom]`. As
 * `torch.nn.ZeroPad2d`.
 *
 * @example
 * import { nn, zeros } from 'aiforge';
 * new nn.ZeroPad2d([1, 2, 2, 1]).forward(zeros([1, 3, 4])).shape; // [1, 6, 7]
 */
export class ZeroPad2d extends ConstantPad2d {
  constructor(padding: Padding2) {
    padTakes.check(new.target.name, arguments);
    super(padding, 0);
  }

  override extraRepr(): string {
    return pythonTuple(this.padding);
  }
}

/**
 * Puts zeros around volumes.
 *
 * From `[N, C, D, H, W]` or `[C, D, H, W]` to `[N, C, D_out, H_out, W_out]` or `[C, D_out, H_out, W_out]`, where `D_out = front + D + back`,
 * `H_out = top + H + bottom` and `W_out = left + W + right`; `padding` is one number or `[left, right, top, bottom, front, back]`. As
 * `torch.nn.ZeroPad3d`.
 *
 * @example
 * import { nn, zeros } from 'aiforge';
 * new nn.ZeroPad3d([2, 1, 1, 2, 1, 1]).forward(zeros([1, 3, 4, 5])).shape; // [1, 5, 7, 8]
 */
export class ZeroPad3d extends ConstantPad3d {
  constructor(padding: Padding3) {
    padTakes.check(new.target.name, arguments);
    super(padding, 0);
  }

  override extraRepr(): string {
    return pythonTuple(this.padding);
  }
}

abstract class ReflectionPad extends Pad {
  protected override get mode(): PaddingMode {
    return 'reflect';
  }
}

/**
 * Puts the mirror image of sequences around them, without the edge itself.
 *
 * From `[N, C, W]` or `[C, W]` to `[N, C, W_out]` or `[C, W_out]`, where `W_out = left + W + right`; `padding` is one number or `[left, right]`. Each side must be
 * shorter than the input. As
 * `torch.nn.ReflectionPad1d`.
 *
 * @example
 * import { arange, nn } from 'aiforge';
 * new nn.ReflectionPad1d([2, 1]).forward(arange(4).view([1, 4]).to('float32')).tolist(); // [[2, 1, 0, 1, 2, 3, 2]]
 */
export class ReflectionPad1d extends ReflectionPad {
  constructor(padding: Padding1) {
    padTakes.check(new.target.name, arguments);
    super(1, padding);
  }
}

/**
 * Puts the mirror image of images around them, without the edge itself.
 *
 * From `[N, C, H, W]` or `[C, H, W]` to `[N, C, H_out, W_out]` or `[C, H_out, W_out]`, where `H_out = top + H + bottom` and
 * `W_out = left + W + right`; `padding` is one number or `[left, right, top, bottom]`. Each side must be
 * shorter than the input. As
 * `torch.nn.ReflectionPad2d`.
 *
 * @example
 * import { nn, zeros } from 'aiforge';
 * new nn.ReflectionPad2d([1, 2, 2, 1]).forward(zeros([1, 3, 4])).shape; // [1, 6, 7]
 */
export class ReflectionPad2d extends ReflectionPad {
  constructor(padding: Padding2) {
    padTakes.check(new.target.name, arguments);
    super(2, padding);
  }
}

/**
 * Puts the mirror image of volumes around them, without the edge itself.
 *
 * From `[N, C, D, H, W]` or `[C, D, H, W]` to `[N, C, D_out, H_out, W_out]` or `[C, D_out, H_out, W_out]`, where `D_out = front + D + back`,
 * `H_out = top + H + bottom` and `W_out = left + W + right`; `padding` is one number or `[left, right, top, bottom, front, back]`. Each side must be
 * shorter than the input. As
 * `torch.nn.ReflectionPad3d`.
 *
 * @example
 * import { nn, zeros } from 'aiforge';
 * new nn.ReflectionPad3d([2, 1, 1, 2, 1, 1]).forward(zeros([1, 3, 4, 5])).shape; // [1, 5, 7, 8]
 */
export class ReflectionPad3d extends ReflectionPad {
  constructor(padding: Padding3) {
    padTakes.check(new.target.name, arguments);
    super(3, padding);
  }
}

abstract class ReplicationPad extends Pad {
  protected override get mode(): PaddingMode {
    return 'replicate';
  }
}

/**
 * Repeats the edge of sequences around them.
 *
 * From `[N, C, W]` or `[C, W]` to `[N, C, W_out]` or `[C, W_out]`, where `W_out = left + W + right`; `padding` is one number or `[left, right]`. As
 * `torch.nn.ReplicationPad1d`.
 *
 * @example
 * import { arange, nn } from 'aiforge';
 * new nn.ReplicationPad1d([2, 1]).forward(arange(4).view([1, 4]).to('float32')).tolist(); // [[0, 0, 0, 1, 2, 3, 3]]
 */
export class ReplicationPad1d extends ReplicationPad {
  constructor(padding: Padding1) {
    padTakes.check(new.target.name, arguments);
    super(1, padding);
  }
}

/**
 * Repeats the edge of images around them.
 *
 * From `[N, C, H, W]` or `[C, H, W]` to `[N, C, H_out, W_out]` or `[C, H_out, W_out]`, where `H_out = top + H + bottom` and
 * `W_out = left + W + right`; `padding` is one number or `[left, right, top, bottom]`. As
 * `torch.nn.ReplicationPad2d`.
 *
 * @example
 * import { nn, zeros } from 'aiforge';
 * new nn.ReplicationPad2d([1, 2, 2, 1]).forward(zeros([1, 3, 4])).shape; // [1, 6, 7]
 */
export class ReplicationPad2d extends ReplicationPad {
  constructor(padding: Padding2) {
    padTakes.check(new.target.name, arguments);
    super(2, padding);
  }
}

/**
 * Repeats the edge of volumes around them.
 *
 * From `[N, C, D, H, W]` or `[C, D, H, W]` to `[N, C, D_out, H_out, W_out]` or `[C, D_out, H_out, W_out]`, where `D_out = front + D + back`,
 * `H_out = top + H + bottom` and `W_out = left + W + right`; `padding` is one number or `[left, right, top, bottom, front, back]`. As
 * `torch.nn.ReplicationPad3d`.
 *
 * @example
 * import { nn, zeros } from 'aiforge';
 * new nn.ReplicationPad3d([2, 1, 1, 2, 1, 1]).forward(zeros([1, 3, 4, 5])).shape; // [1, 5, 7, 8]
 */
export class ReplicationPad3d extends ReplicationPad {
  constructor(padding: Padding3) {
    padTakes.check(new.target.name, arguments);
    super(3, padding);
  }
}

abstract class CircularPad extends Pad {
  protected override get mode(): PaddingMode {
    return 'circular';
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    checkInput(this.constructor.name, input);
    const dims = this.padding.length / 2;
    if (input.dim() === dims + 1 || input.dim() === dims + 2) return super.forward(input);
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `${this.constructor.name}: expected an input of ${dims + 1} or ${dims + 2} dimensions, got [${input.shape.join(', ')}].`,
    );
  }
}

/**
 * Puts sequences around themselves, the end before the beginning and the beginning after the end.
 *
 * From `[N, C, W]` or `[C, W]` to `[N, C, W_out]` or `[C, W_out]`, where `W_out = left + W + right`; `padding` is one number or `[left, right]`. Each side must be no
 * longer than the input. As
 * `torch.nn.CircularPad1d`.
 *
 * @example
 * import { arange, nn } from 'aiforge';
 * new nn.CircularPad1d([2, 1]).forward(arange(4).view([1, 4]).to('float32')).tolist(); // [[2, 3, 0, 1, 2, 3, 0]]
 */
export class CircularPad1d extends CircularPad {
  constructor(padding: Padding1) {
    padTakes.check(new.target.name, arguments);
    super(1, padding);
  }
}

/**
 * Puts images around themselves, the end before the beginning and the beginning after the end.
 *
 * From `[N, C, H, W]` or `[C, H, W]` to `[N, C, H_out, W_out]` or `[C, H_out, W_out]`, where `H_out = top + H + bottom` and
 * `W_out = left + W + right`; `padding` is one number or `[left, right, top, bottom]`. Each side must be no
 * longer than the input. As
 * `torch.nn.CircularPad2d`.
 *
 * @example
 * import { nn, zeros } from 'aiforge';
 * new nn.CircularPad2d([1, 2, 2, 1]).forward(zeros([1, 3, 4])).shape; // [1, 6, 7]
 */
export class CircularPad2d extends CircularPad {
  constructor(padding: Padding2) {
    padTakes.check(new.target.name, arguments);
    super(2, padding);
  }
}

/**
 * Puts volumes around themselves, the end before the beginning and the beginning after the end.
 *
 * From `[N, C, D, H, W]` or `[C, D, H, W]` to `[N, C, D_out, H_out, W_out]` or `[C, D_out, H_out, W_out]`, where `D_out = front + D + back`,
 * `H_out = top + H + bottom` and `W_out = left + W + right`; `padding` is one number or `[left, right, top, bottom, front, back]`. Each side must be no
 * longer than the input. As
 * `torch.nn.CircularPad3d`.
 *
 * @example
 * import { nn, zeros } from 'aiforge';
 * new nn.CircularPad3d([2, 1, 1, 2, 1, 1]).forward(zeros([1, 3, 4, 5])).shape; // [1, 5, 7, 8]
 */
export class CircularPad3d extends CircularPad {
  constructor(padding: Padding3) {
    padTakes.check(new.target.name, arguments);
    super(3, padding);
  }
}
