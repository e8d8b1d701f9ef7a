import { AiforgeError } from '../../errors.js';
import { whole, orNull, optional } from '../../kinds.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import { Module } from '../module.js';
import * as operators from '../operators.js';
import { checkInput, refuseSurplus } from '../checks.js';

const alongDimTakes = signature({ dim: optional(orNull(whole)) });

abstract class AlongDim extends Module {
  readonly dim: number | null;

  /** @param dim The dimension along which the shares add up to 1. Default, as in Python: 0 for 0, 1 and 3 dimensions, else 1. */
  constructor(dim: number | null = null) {
    alongDimTakes.check(new.target.name, arguments);
    super();
    this.dim = dim;
  }

  protected dimOf(input: Tensor): number {
    if (this.dim !== null) return this.dim;
    checkInput(this.constructor.name, input);
    const dims = input.dim();
    return dims === 0 || dims === 1 || dims === 3 ? 0 : 1;
  }

  override extraRepr(): string {
    return `dim=${this.dim ?? 'None'}`;
  }
}

/**
 * Exponentials along `dim` as shares of their sum, `exp(x) / sum(exp(x))`; of any shape. As `torch.nn.Softmax`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.Softmax(-1).forward(tensor([0, 0], { dtype: 'float32' })); // tensor([0.5000, 0.5000])
 */
export class Softmax extends AlongDim {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return operators.softmax(input, this.dimOf(input), null);
  }
}

/**
 * The softmax of `-x` along `dim`, of any shape. As `torch.nn.Softmin`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.Softmin(0).forward(tensor([0, 1], { dtype: 'float32' })); // tensor([0.7311, 0.2689])
 */
export class Softmin extends AlongDim {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    checkInput('Softmin', input);
    return operators.softmax(input.neg(), this.dimOf(input), null);
  }
}

/**
 * The logarithm of the softmax along `dim`, of any shape. As `torch.nn.LogSoftmax`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.LogSoftmax(0).forward(tensor([0, 0], { dtype: 'float32' })); // tensor([-0.6931, -0.6931])
 */
export class LogSoftmax extends AlongDim {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return operators.logSoftmax(input, this.dimOf(input), null);
  }
}

/**
 * The softmax over the channels at each position of [N, C, H, W] or [C, H, W]. As `torch.nn.Softmax2d`.
 *
 * Throws `INVALID_ARGUMENT` for another number of dimensions.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.Softmax2d().forward(randn([2, 3, 4, 4])).shape; // [2, 3, 4, 4]
 */
export class Softmax2d extends Module {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    checkInput('Softmax2d', input);
    const dims = input.dim();
    if (dims === 3 || dims === 4) return operators.softmax(input, -3, null);
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `Softmax2d: expected an input of 3 or 4 dimensions, got [${input.shape.join(', ')}].`,
    );
  }
}
