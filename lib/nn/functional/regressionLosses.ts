import { boolean, number, type Kinds } from '../../kinds.js';
import { noGrad } from '../../autograd/modes.js';
import { onesLike } from '../../tensor/generated/functions.js';
import type { Tensor } from '../../tensor/tensor.js';
import * as operators from '../operators.js';
import { reductionNumber, type Reduction } from '../operators.js';
import { named, type Rest } from './arguments.js';
import { aten } from '../../tensor/calls/aten.js';
import {
  broadcastTarget,
  checkWeightShape,
  reduce,
  refuse,
  sizes,
  reductionOptions,
  type ReductionOptions,
} from './reductions.js';
import { checkInput } from '../checks.js';

export interface ElementLossOptions extends ReductionOptions {
  /** A weight for each element; `'mean'` then divides by their sum. Default: none. */
  weight?: Tensor | null;
}

function weighted(errors: Tensor, weight: Tensor, input: Tensor, reduction: Reduction): Tensor {
  checkWeightShape(weight, input);
  const losses = errors.mul(weight);
  if (reduction === 'none') return losses;
  return reduction === 'sum' ? losses.sum() : losses.sum().div(weight.sum());
}

/**
 * The squared error `(input - target)^2`. A target of another shape is broadcast, with a warning in the log. As
 * `torch.nn.functional.mse_loss`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.mseLoss(tensor([1, 2.5]), tensor([0, 0.5])).item(); // 2.5
 */
export function mseLoss(
  input: Tensor,
  target: Tensor,
  ...rest: Rest<ElementLossOptions, ['reduction', 'weight']>
): Tensor {
  const { reduction, weight } = named<ElementLossOptions>('mseLoss', rest, { reduction: 'mean', weight: null });
  const number = reductionNumber(reduction);
  const [a, b] = broadcastTarget('mseLoss', input, target);
  return weight === null ? operators.mseLoss(a, b, number) : weighted(a.sub(b).pow(2), weight, input, reduction);
}

/**
 * The absolute error `|input - target|`. A target of another shape is broadcast, with a warning in the log. As
 * `torch.nn.functional.l1_loss`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.l1Loss(tensor([1, 2.5]), tensor([0, 0.5])).item(); // 1.5
 */
export function l1Loss(
  input: Tensor,
  target: Tensor,
  ...rest: Rest<ElementLossOptions, ['reduction', 'weight']>
): Tensor {
  const { reduction, weight } = named<ElementLossOptions>('l1Loss', rest, { reduction: 'mean', weight: null });
  const number = reductionNumber(reduction);
  const [a, b] = broadcastTarget('l1Loss', input, target);
  return weight === null ? operators.l1Loss(a, b, number) : weighted(a.sub(b).abs(), weight, input, reduction);
}

export interface SmoothL1LossOptions extends ReductionOptions {
  /** Below it the error is squared. Default: 1. */
  beta?: number;
}

export const smoothL1LossOptions: Kinds<SmoothL1LossOptions> = { ...reductionOptions, beta: number };

const smoothL1 = aten('smooth_l1_loss');

/**
 * The absolute error, squared where it is less than `beta`: `0.5 * e^2 / beta`, beyond `|e| - 0.5 * beta`. As
 * `torch.nn.functional.smooth_l1_loss`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.smoothL1Loss(tensor([0.5, 3]), tensor([0, 0.5]), 'sum').item(); // 2.125
 */
export function smoothL1Loss(
  input: Tensor,
  target: Tensor,
  ...rest: Rest<SmoothL1LossOptions, ['reduction', 'beta']>
): Tensor {
  const { reduction, beta } = named<SmoothL1LossOptions>('smoothL1Loss', rest, { reduction: 'mean', beta: 1 });
  const [a, b] = broadcastTarget('smoothL1Loss', input, target);
  const number = reductionNumber(reduction);
  return beta === 0 ? operators.l1Loss(a, b, number) : smoothL1(a, b, number, beta);
}

export interface HuberLossOptions extends ReductionOptions {
  /** Above it the error counts linearly. Default: 1. */
  delta?: number;
  /** A weight for each element; `'mean'` divides by how many there are. Default: none. */
  weight?: Tensor | null;
}

const huber = aten('huber_loss');

/**
 * The squared error `0.5 * e^2`, linear beyond `delta`: `delta * (|e| - 0.5 * delta)`. As `torch.nn.functional.huber_loss`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.huberLoss(tensor([0.5, 3]), tensor([0, 0.5]), { reduction: 'sum', delta: 2 }).item(); // 3.125
 */
export function huberLoss(
  input: Tensor,
  target: Tensor,
  ...rest: Rest<HuberLossOptions, ['reduction', 'delta', 'weight']>
): Tensor {
  const defaults = { reduction: 'mean' as const, delta: 1, weight: null };
  const { reduction, delta, weight } = named<HuberLossOptions>('huberLoss', rest, defaults);
  const [a, b] = broadcastTarget('huberLoss', input, target);
  if (weight === null) return huber(a, b, reductionNumber(reduction), delta);
  checkWeightShape(weight, input);
  return reduce(huber(a, b, reductionNumber('none'), delta).mul(weight), reduction);
}

export interface PoissonNllLossOptions extends ReductionOptions {
  /** Whether the input is the logarithm of the rate. Default: true. */
  logInput?: boolean;
  /** Whether Stirling's term is added. Default: false. */
  full?: boolean;
  /** Added to a rate before its logarithm. Default: 1e-8. */
  eps?: number;
}

export const poissonNllLossOptions: Kinds<PoissonNllLossOptions> = {
  logInput: boolean,
  full: boolean,
  eps: number,
  ...reductionOptions,
};

const poisson = aten('poisson_nll_loss');

/**
 * The negative log likelihood of Poisson distributions: `exp(input) - target * input`, or with `logInput: false`
 * `input - target * log(input + eps)`. As `torch.nn.functional.poisson_nll_loss`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.poissonNllLoss(tensor([0, 0.5]), tensor([1, 2.5]), { reduction: 'none' }).shape; // [2]
 */
export function poissonNllLoss(
  input: Tensor,
  target: Tensor,
  ...rest: Rest<PoissonNllLossOptions, ['logInput', 'full', 'eps', 'reduction']>
): Tensor {
  const defaults = { logInput: true, full: false, eps: 1e-8, reduction: 'mean' as const };
  const { logInput, full, eps, reduction } = named<PoissonNllLossOptions>('poissonNllLoss', rest, defaults);
  return poisson(input, target, logInput, full, eps, reductionNumber(reduction));
}

export interface GaussianNllLossOptions extends ReductionOptions {
  /** Whether the constant term is added. Default: false. */
  full?: boolean;
  /** The least variance. Default: 1e-6. */
  eps?: number;
}

export const gaussianNllLossOptions: Kinds<GaussianNllLossOptions> = {
  full: boolean,
  eps: number,
  ...reductionOptions,
};

function varianceFor(input: Tensor, variance: Tensor | number): Tensor {
  const name = 'gaussianNllLoss';
  if (typeof variance === 'number') {
    if (variance < 0) refuse(name, `the variance is negative, ${variance}`);
    return onesLike(input).mul(variance);
  }
  checkInput(name, variance);
  if (variance.lt(0).any().item<boolean>() === true) refuse(name, 'the variance has negative elements');
  const [shape, own] = [input.shape, variance.shape];
  if (String(shape) === String(own)) return variance;
  if (String(shape.slice(0, -1)) === String(own)) return variance.unsqueeze(-1);
  // As Python tests it: the sizes that differ add up to 1.
  const others = own.filter((size, i) => size !== shape[i]);
  if (shape.length === own.length && others.reduce((a, b) => a + b, 0) === 1) return variance;
  return refuse(name, `a variance of shape ${sizes(variance)} does not fit an input of shape ${sizes(input)}`);
}

/**
 * The negative log likelihood of Gaussian distributions with means `input` and variances `variance`:
 * `0.5 * (log(v) + (input - target)^2 / v)`. A variance has the input's shape, or 1 in, or no, last dimension, or is one
 * number. As `torch.nn.functional.gaussian_nll_loss`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.gaussianNllLoss(tensor([0.5]), tensor([2.5]), 1).item(); // 2
 */
export function gaussianNllLoss(
  input: Tensor,
  target: Tensor,
  variance: Tensor | number,
  ...rest: Rest<GaussianNllLossOptions, ['full', 'eps', 'reduction']>
): Tensor {
  const defaults = { full: false, eps: 1e-6, reduction: 'mean' as const };
  const { full, eps, reduction } = named<GaussianNllLossOptions>('gaussianNllLoss', rest, defaults);
  const clamped = varianceFor(input, variance).clone();
  noGrad(() => clamped.clamp_({ min: eps }));
  let losses = clamped.log().add(input.sub(target).pow(2).div(clamped)).mul(0.5);
  if (full) losses = losses.add(0.5 * Math.log(2 * Math.PI));
  return reduce(losses, reduction);
}
