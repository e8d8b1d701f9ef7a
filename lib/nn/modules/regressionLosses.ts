import { number } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import {
  gaussianNllLoss,
  huberLoss,
  poissonNllLoss,
  smoothL1Loss,
  smoothL1LossOptions,
  poissonNllLossOptions,
  gaussianNllLossOptions,
  type GaussianNllLossOptions,
  type HuberLossOptions,
  type PoissonNllLossOptions,
  type SmoothL1LossOptions,
} from '../functional/regressionLosses.js';
import { broadcastTarget, refuse, reductionOptions } from '../functional/reductions.js';
import * as operators from '../operators.js';
import { PlainLoss } from './losses.js';
import { refuseSurplus } from '../checks.js';

/**
 * The absolute error `|input - target|` of two tensors of one shape [...]. A target of another shape is broadcast, with a
 * warning in the log. As `torch.nn.L1Loss`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an unknown reduction.
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.L1Loss().forward(tensor([1, 2.5]), tensor([0, 0.5])).item(); // 1.5
 */
export class L1Loss extends PlainLoss {
  override forward(input: Tensor, target: Tensor): Tensor {
    if (arguments.length > 2) refuseSurplus(this, arguments, 2);
    const [a, b] = broadcastTarget('L1Loss', input, target);
    return operators.l1Loss(a, b, this.reductionNumber);
  }
}

/**
 * The squared error `(input - target)^2` of two tensors of one shape [...]. A target of another shape is broadcast, with
 * a warning in the log. As `torch.nn.MSELoss`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an unknown reduction.
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.MSELoss({ reduction: 'sum' }).forward(tensor([1, 2.5]), tensor([0, 0.5])).item(); // 5
 */
export class MSELoss extends PlainLoss {
  override forward(input: Tensor, target: Tensor): Tensor {
    if (arguments.length > 2) refuseSurplus(this, arguments, 2);
    const [a, b] = broadcastTarget('MSELoss', input, target);
    return operators.mseLoss(a, b, this.reductionNumber);
  }
}

const smoothL1LossTakes = signature({}, smoothL1LossOptions);

/**
 * The absolute error, squared where it is small: `0.5 * e^2 / beta` for `|e| < beta`, else `|e| - 0.5 * beta`. Of two
 * tensors of one shape [...]. As `torch.nn.SmoothL1Loss`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an unknown reduction.
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.SmoothL1Loss({ beta: 2 }).forward(tensor([0.5]), tensor([2.5])).item(); // 1
 */
export class SmoothL1Loss extends PlainLoss {
  readonly beta: number;

  constructor(options: SmoothL1LossOptions = {}) {
    smoothL1LossTakes.check(new.target.name, arguments);
    const { beta = 1, ...rest } = options;
    super(rest);
    this.beta = beta;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    if (arguments.length > 2) refuseSurplus(this, arguments, 2);
    return smoothL1Loss(input, target, this.reduction, this.beta);
  }
}

const huberLossTakes = signature<Omit<HuberLossOptions, 'weight'>>({}, { ...reductionOptions, delta: number });

/**
 * The squared error, linear where it is large: `0.5 * e^2` for `|e| < delta`, else `delta * (|e| - 0.5 * delta)`. Of two
 * tensors of one shape [...]. As `torch.nn.HuberLoss`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an unknown reduction and a delta that is no number.
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.HuberLoss({ delta: 0.5 }).forward(tensor([0.5]), tensor([2.5])).item(); // 0.875
 */
export class HuberLoss extends PlainLoss {
  readonly delta: number;

  constructor(options: Omit<HuberLossOptions, 'weight'> = {}) {
    huberLossTakes.check(new.target.name, arguments);
    const { delta = 1, ...rest } = options;
    super(rest);
    if (typeof delta !== 'number') refuse('HuberLoss', `delta must be a number, got ${show(delta)}`);
    this.delta = delta;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    if (arguments.length > 2) refuseSurplus(this, arguments, 2);
    return huberLoss(input, target, this.reduction, this.delta);
  }
}

const poissonNllLossTakes = signature({}, poissonNllLossOptions);

/**
 * The negative log likelihood of counts from Poisson distributions of rate `exp(input)`: `exp(input) - target * input`;
 * with `logInput: false` the input is the rate. Of two tensors of one shape [...]. As `torch.nn.PoissonNLLLoss`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an unknown reduction.
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.PoissonNLLLoss().forward(tensor([0.5, 1]), tensor([1, 0])).shape; // []
 */
export class PoissonNLLLoss extends PlainLoss {
  readonly logInput: boolean;
  readonly full: boolean;
  readonly eps: number;

  constructor(options: PoissonNllLossOptions = {}) {
    poissonNllLossTakes.check(new.target.name, arguments);
    const { logInput = true, full = false, eps = 1e-8, ...rest } = options;
    super(rest);
    this.logInput = logInput;
    this.full = full;
    this.eps = eps;
  }

  override forward(logInput: Tensor, target: Tensor): Tensor {
    if (arguments.length > 2) refuseSurplus(this, arguments, 2);
    return poissonNllLoss(logInput, target, this.logInput, this.full, this.eps, this.reduction);
  }
}

const gaussianNllLossTakes = signature({}, gaussianNllLossOptions);

/**
 * The negative log likelihood of values from Gaussian distributions of means `input` and variances `variance`:
 * `0.5 * (log(v) + (input - target)^2 / v)`. Input and target [...]; the variance has their shape, or 1 in, or no, last
 * dimension, or is one number. As `torch.nn.GaussianNLLLoss`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an unknown reduction, and from forward for a variance that is negative or of
 * a shape that does not fit.
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.GaussianNLLLoss().forward(tensor([0.5]), tensor([2.5]), 1).item(); // 2
 */
export class GaussianNLLLoss extends PlainLoss {
  readonly full: boolean;
  readonly eps: number;

  constructor(options: GaussianNllLossOptions = {}) {
    gaussianNllLossTakes.check(new.target.name, arguments);
    const { full = false, eps = 1e-6, ...rest } = options;
    super(rest);
    this.full = full;
    this.eps = eps;
  }

  override forward(input: Tensor, target: Tensor, variance: Tensor | number): Tensor {
    if (arguments.length > 3) refuseSurplus(this, arguments, 3);
    return gaussianNllLoss(input, target, variance, this.full, this.eps, this.reduction);
  }
}
