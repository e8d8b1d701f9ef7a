import { AiforgeError } from '../../errors.js';
import { number, size, type Kinds } from '../../kinds.js';
import { signature, nothing } from '../../signature.js';
import { empty, prelu } from '../../tensor/generated/functions.js';
import type { Tensor } from '../../tensor/tensor.js';
import type {
  AlphaOptions,
  HardtanhOptions,
  InplaceOptions,
  NegativeSlopeOptions,
  RReluOptions,
} from '../functional/activations.js';
import { constant_ } from '../init.js';
import { Module } from '../module.js';
import * as operators from '../operators.js';
import { Parameter } from '../parameter.js';
import { noteMembers } from '../members/registry.js';
import { InplaceActivation, inplaceOptions, settingsText } from './inplace.js';
import { factoryOptions, type FactoryOptions } from './linear.js';
import { refuseSurplus } from '../checks.js';

/**
 * `max(0, x)`, of any shape. As `torch.nn.ReLU`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.ReLU().forward(tensor([-1, 2], { dtype: 'float32' })); // tensor([0., 2.])
 */
export class ReLU extends InplaceActivation {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return this.inplace ? input.relu_() : operators.relu(input);
  }
}

const leakyReluTakes = signature<NegativeSlopeOptions & InplaceOptions>(
  {},
  { negativeSlope: number, ...inplaceOptions },
);

/**
 * `x` above zero, `negativeSlope * x` below, of any shape. As `torch.nn.LeakyReLU`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.LeakyReLU({ negativeSlope: 0.25 }).forward(tensor([-1, 2], { dtype: 'float32' })); // tensor([-0.2500,  2.0000])
 */
export class LeakyReLU extends InplaceActivation {
  readonly negativeSlope: number;

  constructor(options: NegativeSlopeOptions & InplaceOptions = {}) {
    leakyReluTakes.check(new.target.name, arguments);
    const { negativeSlope = 0.01, ...rest } = options;
    super(rest);
    this.negativeSlope = negativeSlope;
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return operators.leakyRelu(input, this.negativeSlope, this.inplace);
  }

  override extraRepr(): string {
    return settingsText({ negative_slope: this.negativeSlope }, this.inplace);
  }
}

export interface PReLUOptions extends FactoryOptions {
  /** How many slopes are learnt: 1, or one for each channel. Default: 1. */
  numParameters?: number;
  /** The slope at the start. Default: 0.25. */
  init?: number;
}

const preluOptions: Kinds<PReLUOptions> = { numParameters: size, init: number, ...factoryOptions };

const preluTakes = signature({}, preluOptions);

/**
 * `x` above zero, `weight * x` below, where `weight` is learnt; from [N, C, *] to the same shape. As `torch.nn.PReLU`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * const activation = new nn.PReLU({ numParameters: 3 });
 * activation.forward(randn([2, 3, 4])).shape; // [2, 3, 4]
 */
export class PReLU extends Module {
  readonly numParameters: number;
  readonly init: number;
  weight: Parameter;

  constructor(options: PReLUOptions = {}) {
    preluTakes.check(new.target.name, arguments);
    const { numParameters = 1, init = 0.25, ...factory } = options;
    super();
    this.numParameters = numParameters;
    this.init = init;
    this.weight = new Parameter(empty([numParameters], factory));
    this.resetParameters();
    noteMembers(this);
  }

  /** Sets the slopes to `init`. */
  resetParameters(): void {
    nothing.check('resetParameters', arguments);
    constant_(this.weight, this.init);
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return prelu(input, this.weight);
  }

  override extraRepr(): string {
    return `num_parameters=${this.numParameters}`;
  }
}

const rreluTakes = signature<Pick<RReluOptions, 'lower' | 'upper'> & InplaceOptions>(
  {},
  { lower: number, upper: number, ...inplaceOptions },
);

/**
 * `LeakyReLU` whose slopes are drawn between `lower` and `upper` in training; in evaluation their mean is taken. As
 * `torch.nn.RReLU`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * const activation = new nn.RReLU({ lower: 0.25, upper: 0.75 });
 * activation.eval().forward(tensor([-1, 2], { dtype: 'float32' })); // tensor([-0.5000,  2.0000])
 */
export class RReLU extends InplaceActivation {
  readonly lower: number;
  readonly upper: number;

  constructor(options: Pick<RReluOptions, 'lower' | 'upper'> & InplaceOptions = {}) {
    rreluTakes.check(new.target.name, arguments);
    const { lower = 1 / 8, upper = 1 / 3, ...rest } = options;
    super(rest);
    this.lower = lower;
    this.upper = upper;
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return operators.rrelu(input, this.lower, this.upper, this.training, this.inplace);
  }

  override extraRepr(): string {
    return settingsText({ lower: this.lower, upper: this.upper }, this.inplace);
  }
}

const hardtanhTakes = signature<HardtanhOptions & InplaceOptions>(
  {},
  { minVal: number, maxVal: number, ...inplaceOptions },
);

/**
 * `x` between `minVal` and `maxVal`, of any shape. As `torch.nn.Hardtanh`.
 *
 * Throws `INVALID_ARGUMENT` unless `maxVal` is greater than `minVal`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.Hardtanh({ minVal: -2, maxVal: 2 }).forward(tensor([-3.5, 1, 3])); // tensor([-2.,  1.,  2.])
 */
export class Hardtanh extends InplaceActivation {
  readonly minVal: number;
  readonly maxVal: number;

  constructor(options: HardtanhOptions & InplaceOptions = {}) {
    hardtanhTakes.check(new.target.name, arguments);
    const { minVal = -1, maxVal = 1, ...rest } = options;
    super(rest);
    if (maxVal <= minVal) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `${this.constructor.name}: maxVal (${maxVal}) must be greater than minVal (${minVal}).`,
      );
    }
    this.minVal = minVal;
    this.maxVal = maxVal;
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return operators.hardtanh(input, this.minVal, this.maxVal, this.inplace);
  }

  override extraRepr(): string {
    return settingsText({ min_val: this.minVal, max_val: this.maxVal }, this.inplace);
  }
}

const relu6Takes = signature({}, inplaceOptions);

/**
 * `x` between 0 and 6, of any shape. As `torch.nn.ReLU6`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.ReLU6().forward(tensor([-1, 8], { dtype: 'float32' })); // tensor([0., 6.])
 */
export class ReLU6 extends Hardtanh {
  constructor(options: InplaceOptions = {}) {
    relu6Takes.check(new.target.name, arguments);
    const { inplace = false } = options;
    super({ minVal: 0, maxVal: 6, inplace });
  }

  override extraRepr(): string {
    return settingsText({}, this.inplace);
  }
}

const thresholdTakes = signature({ threshold: number, value: number }, inplaceOptions);

/**
 * Elements above `threshold`, `value` for the others; of any shape. As `torch.nn.Threshold`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.Threshold(2, -1).forward(tensor([1, 3], { dtype: 'float32' })); // tensor([-1.,  3.])
 */
export class Threshold extends InplaceActivation {
  readonly threshold: number;
  readonly value: number;

  constructor(threshold: number, value: number, options: InplaceOptions = {}) {
    thresholdTakes.check(new.target.name, arguments);
    super(options);
    this.threshold = threshold;
    this.value = value;
  }

  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return operators.threshold(input, this.threshold, this.value, this.inplace);
  }

  override extraRepr(): string {
    return settingsText({ threshold: this.threshold, value: this.value }, this.inplace);
  }
}

const exponentialTakes = signature<AlphaOptions & InplaceOptions>({}, { alpha: number, ...inplaceOptions });

abstract class Exponential extends InplaceActivation {
  readonly alpha: number;

  constructor(options: AlphaOptions & InplaceOptions = {}) {
    exponentialTakes.check(new.target.name, arguments);
    const { alpha = 1, ...rest } = options;
    super(rest);
    this.alpha = alpha;
  }

  override extraRepr(): string {
    return settingsText({ alpha: this.alpha }, this.inplace);
  }
}

/**
 * `x` above zero, `alpha * (exp(x) - 1)` below; of any shape. As `torch.nn.ELU`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.ELU().forward(tensor([-1, 2], { dtype: 'float32' })); // tensor([-0.6321,  2.0000])
 */
export class ELU extends Exponential {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return operators.elu(input, this.alpha, this.inplace);
  }
}

/**
 * `max(0, x) + min(0, alpha * (exp(x / alpha) - 1))`: `ELU` with a derivative without a jump; of any shape. As
 * `torch.nn.CELU`.
 *
 * Throws for an `alpha` of 0, when it is used.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.CELU({ alpha: 0.5 }).forward(tensor([-1, 2], { dtype: 'float32' })); // tensor([-0.4323,  2.0000])
 */
export class CELU extends Exponential {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return operators.celu(input, this.alpha, this.inplace);
  }
}

/**
 * `ELU` with alpha 1.6733, scaled by 1.0507, with which deep networks keep mean 0 and variance 1; of any shape. As
 * `torch.nn.SELU`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.SELU().forward(tensor([-1, 1], { dtype: 'float32' })); // tensor([-1.1113,  1.0507])
 */
export class SELU extends InplaceActivation {
  override forward(input: Tensor): Tensor {
    if (arguments.length > 1) refuseSurplus(this, arguments, 1);
    return operators.selu(input, this.inplace);
  }
}
