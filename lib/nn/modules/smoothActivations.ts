import { number, whole, oneOf, optional, type Kinds } from '../../kinds.js';
import { signature } from '../../signature.js';
import { glu, softplus } from '../../tensor/generated/nn.js';
import type { Tensor } from '../../tensor/tensor.js';
import { Module } from '../module.js';
import * as operators from '../operators.js';
import { InplaceActivation, settingsText } from './inplace.js';
import { refuseSurplus } from '../checks.js';

export interface GELUOptions {
  /** The exact function, or its approximation by the hyperbolic tangent. Default: `'none'`. */
  approximate?: 'none' | 'tanh';
}

const geluOptions: Kinds<GELUOptions> = { approximate: oneOf('none', 'tanh') };

const geluTakes = signature({}, geluOptions);

/**
 * `x` times the probability that a standard normal number is below `x`; of any shape. As `torch.nn.GELU`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.GELU().forward(tensor([0, 1], { dtype: 'float32' })); // tensor([0.0000, 0.8413])
 */
export class GELU extends Module {
  readonly approximate: 'none' | 'tanh';

  constructor(options: GELUOptions = {}) {
    geluTakes.check(new.target.name, arguments);
    const { approximate = 'none' } = options;
    super();
    this.approximate = approximate;
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return operators.gelu(input, this.approximate);
  }

  override extraRepr(): string {
    return `approximate='${this.approximate}'`;
  }
}

/**
 * `x * sigmoid(x)`, of any shape. As `torch.nn.SiLU`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.SiLU().forward(tensor([0, 1], { dtype: 'float32' })); // tensor([0.0000, 0.7311])
 */
export class SiLU extends InplaceActivation {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return operators.silu(input, this.inplace);
  }
}

/**
 * `x * tanh(softplus(x))`, of any shape. As `torch.nn.Mish`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.Mish().forward(tensor([0, 1], { dtype: 'float32' })); // tensor([0.0000, 0.8651])
 */
export class Mish extends InplaceActivation {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return operators.mish(input, this.inplace);
  }
}

/**
 * `x * Hardsigmoid(x)`: 0 below -3, `x` above 3; of any shape. As `torch.nn.Hardswish`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.Hardswish().forward(tensor([1, 3], { dtype: 'float32' })); // tensor([0.6667, 3.0000])
 */
export class Hardswish extends InplaceActivation {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return operators.hardswish(input, this.inplace);
  }

  // PyTorch shows no settings here.
  override extraRepr(): string {
    return '';
  }
}

const gluTakes = signature({ dim: optional(whole) });

/**
 * The first half of the input along `dim` times the sigmoid of the second half: from [*, 2C, *] to [*, C, *]. As
 * `torch.nn.GLU`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * new nn.GLU().forward(randn([2, 6])).shape; // [2, 3]
 */
export class GLU extends Module {
  readonly dim: number;

  /** @param dim The dimension that is halved. Default: -1. */
  constructor(dim = -1) {
    gluTakes.check(new.target.name, arguments);
    super();
    this.dim = dim;
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return glu(input, this.dim);
  }

  override extraRepr(): string {
    return `dim=${this.dim}`;
  }
}

export interface SoftplusOptions {
  /** How sharply the function bends. Default: 1. */
  beta?: number;
  /** Where `beta * x` is above it, the function is `x`. Default: 20. */
  threshold?: number;
}

const softplusOptions: Kinds<SoftplusOptions> = { beta: number, threshold: number };

const softplusTakes = signature({}, softplusOptions);

/**
 * `log(1 + exp(beta * x)) / beta`, a smooth `ReLU`; of any shape. As `torch.nn.Softplus`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.Softplus().forward(tensor([0, 30], { dtype: 'float32' })); // tensor([ 0.6931, 30.0000])
 */
export class Softplus extends Module {
  readonly beta: number;
  readonly threshold: number;

  constructor(options: SoftplusOptions = {}) {
    softplusTakes.check(new.target.name, arguments);
    const { beta = 1, threshold = 20 } = options;
    super();
    this.beta = beta;
    this.threshold = threshold;
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return softplus(input, this.beta, this.threshold);
  }

  override extraRepr(): string {
    return settingsText({ beta: this.beta, threshold: this.threshold });
  }
}
