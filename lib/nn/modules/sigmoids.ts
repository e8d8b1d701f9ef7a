import { number, type Kinds } from '../../kinds.js';
import { signature } from '../../signature.js';
import { hardshrink, sigmoid, tanh } from '../../tensor/generated/functions.js';
import { logSigmoid, softshrink } from '../../tensor/generated/nn.js';
import type { Tensor } from '../../tensor/tensor.js';
import { softsign, tanhshrink } from '../functional/activations.js';
import { Module } from '../module.js';
import * as operators from '../operators.js';
import { pythonFloat } from '../printing/printing.js';
import { InplaceActivation } from './inplace.js';
import { refuseSurplus } from '../checks.js';

/**
 * `1 / (1 + exp(-x))`, of any shape. As `torch.nn.Sigmoid`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.Sigmoid().forward(tensor([0, 1], { dtype: 'float32' })); // tensor([0.5000, 0.7311])
 */
export class Sigmoid extends Module {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return sigmoid(input);
  }
}

/**
 * `x / 6 + 1 / 2` between 0 and 1, of any shape. As `torch.nn.Hardsigmoid`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.Hardsigmoid().forward(tensor([-4, 0], { dtype: 'float32' })); // tensor([0.0000, 0.5000])
 */
export class Hardsigmoid extends InplaceActivation {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return operators.hardsigmoid(input, this.inplace);
  }

  // PyTorch shows no settings here.
  override extraRepr(): string {
    return '';
  }
}

/**
 * `log(1 / (1 + exp(-x)))`, of any shape. As `torch.nn.LogSigmoid`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.LogSigmoid().forward(tensor([0, 1], { dtype: 'float32' })); // tensor([-0.6931, -0.3133])
 */
export class LogSigmoid extends Module {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return logSigmoid(input);
  }
}

/**
 * The hyperbolic tangent, of any shape. As `torch.nn.Tanh`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.Tanh().forward(tensor([0, 1], { dtype: 'float32' })); // tensor([0.0000, 0.7616])
 */
export class Tanh extends Module {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return tanh(input);
  }
}

/**
 * `x - tanh(x)`, of any shape. As `torch.nn.Tanhshrink`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.Tanhshrink().forward(tensor([0, 1], { dtype: 'float32' })); // tensor([0.0000, 0.2384])
 */
export class Tanhshrink extends Module {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return tanhshrink(input);
  }
}

/**
 * `x / (1 + |x|)`, of any shape. As `torch.nn.Softsign`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.Softsign().forward(tensor([0, 1], { dtype: 'float32' })); // tensor([0.0000, 0.5000])
 */
export class Softsign extends Module {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return softsign(input);
  }
}

export interface ShrinkOptions {
  /** Elements between `-lambd` and `lambd` become 0. Default: 0.5. */
  lambd?: number;
}

const shrinkOptions: Kinds<ShrinkOptions> = { lambd: number };

const shrinkTakes = signature({}, shrinkOptions);

abstract class Shrink extends Module {
  readonly lambd: number;

  constructor(options: ShrinkOptions = {}) {
    shrinkTakes.check(new.target.name, arguments);
    const { lambd = 0.5 } = options;
    super();
    this.lambd = lambd;
  }

  override extraRepr(): string {
    return pythonFloat(this.lambd);
  }
}

/**
 * 0 between `-lambd` and `lambd`, `x` elsewhere; of any shape. As `torch.nn.Hardshrink`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.Hardshrink().forward(tensor([0.25, 1])); // tensor([0., 1.])
 */
export class Hardshrink extends Shrink {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return hardshrink(input, this.lambd);
  }
}

/**
 * 0 between `-lambd` and `lambd`, `x` drawn `lambd` nearer to 0 elsewhere; of any shape. As `torch.nn.Softshrink`.
 *
 * Throws for a negative `lambd`, when it is used.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.Softshrink().forward(tensor([0.25, 1])); // tensor([0.0000, 0.5000])
 */
export class Softshrink extends Shrink {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return softshrink(input, this.lambd);
  }
}
