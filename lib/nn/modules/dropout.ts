import { boolean, fraction, optional, type Kinds } from '../../kinds.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import { Module } from '../module.js';
import * as operators from '../operators.js';
import { pythonBoolean, pythonFloat } from '../printing/printing.js';
import { refuseSurplus } from '../checks.js';

export interface DropoutOptions {
  /** Changes the input instead of a copy. Default: false. */
  inplace?: boolean;
}

const dropoutOptions: Kinds<DropoutOptions> = { inplace: boolean };

const dropoutTakes = signature({ p: optional(fraction) }, dropoutOptions);

abstract class DropoutBase extends Module {
  readonly p: number;
  readonly inplace: boolean;

  /** @param p The probability to be dropped. Default: 0.5. */
  constructor(p = 0.5, options: DropoutOptions = {}) {
    dropoutTakes.check(new.target.name, arguments);
    const { inplace = false } = options;
    super();
    this.p = p;
    this.inplace = inplace;
  }

  override extraRepr(): string {
    return `p=${pythonFloat(this.p)}, inplace=${pythonBoolean(this.inplace)}`;
  }
}

/**
 * Zeroes elements with probability `p` in training, and scales the others by `1 / (1 - p)`; in evaluation it gives its
 * input back. Any shape. As `torch.nn.Dropout`.
 *
 * @example
 * import { nn, ones } from 'aiforge';
 * const dropout = new nn.Dropout(0.2);
 * dropout.eval().forward(ones([3])); // tensor([1., 1., 1.])
 */
export class Dropout extends DropoutBase {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return operators.dropout(input, this.p, this.training, this.inplace);
  }
}

/**
 * Zeroes whole channels of [N, C, L] or [C, L] with probability `p` in training, and scales the others by `1 / (1 - p)`.
 * As `torch.nn.Dropout1d`.
 *
 * @example
 * import { nn, ones } from 'aiforge';
 * new nn.Dropout1d(1).forward(ones([2, 3, 4])).sum().item(); // 0
 */
export class Dropout1d extends DropoutBase {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return operators.dropout1d(input, this.p, this.training, this.inplace);
  }
}

/**
 * Zeroes whole channels of [N, C, H, W] with probability `p` in training, and scales the others by `1 / (1 - p)`. Three
 * dimensions are [N, C, L], as in Python, with a warning. As `torch.nn.Dropout2d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.Dropout2d(0.1).forward(randn([2, 3, 4, 4])).shape; // [2, 3, 4, 4]
 */
export class Dropout2d extends DropoutBase {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return operators.dropout2d(input, this.p, this.training, this.inplace);
  }
}

/**
 * Zeroes whole channels of [N, C, D, H, W] or [C, D, H, W] with probability `p` in training, and scales the others by
 * `1 / (1 - p)`. As `torch.nn.Dropout3d`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.Dropout3d(0.1).forward(randn([3, 2, 4, 4])).shape; // [3, 2, 4, 4]
 */
export class Dropout3d extends DropoutBase {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return operators.dropout3d(input, this.p, this.training, this.inplace);
  }
}

/**
 * Sets elements to the lower bound of `SELU` with probability `p` in training, then scales and shifts all so that mean 0 and
 * variance 1 stay. As in PyTorch, `inplace` is accepted and has no effect. As `torch.nn.AlphaDropout`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.AlphaDropout(0.1).forward(randn([2, 3])).shape; // [2, 3]
 */
export class AlphaDropout extends DropoutBase {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return operators.alphaDropout(input, this.p, this.training, false);
  }
}

/**
 * `AlphaDropout` of whole channels of [N, C, *]. As in PyTorch, `inplace` is accepted and has no effect. As
 * `torch.nn.FeatureAlphaDropout`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.FeatureAlphaDropout(0.1).forward(randn([2, 3, 4])).shape; // [2, 3, 4]
 */
export class FeatureAlphaDropout extends DropoutBase {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return operators.featureAlphaDropout(input, this.p, this.training, false);
  }
}
