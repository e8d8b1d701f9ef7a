import { AiforgeError } from '../../errors.js';
import { logger } from '../../log.js';
import { noGrad } from '../../autograd/modes.js';
import { broadcastTensors, onesLike } from '../../tensor/generated/functions.js';
import type { Tensor } from '../../tensor/tensor.js';
import { reductionNumber, type Reduction } from '../operators.js';
import { named, type Rest } from './arguments.js';
import { aten } from './aten.js';

// The deprecated parameters size_average and reduce of Python's signatures are not there: `reduction` says it all.

export interface ReductionOptions {
  /** Default: `'mean'`. */
  reduction?: Reduction;
}

export function sameShape(a: Tensor, b: Tensor): boolean {
  const [first, second] = [a.shape, b.shape];
  return first.length === second.length && first.every((size, i) => size === second[i]);
}

/** The two in one shape: a target of another shape is most often a mistake, so it is said in the log. */
export function broadcastTarget(name: string, input: Tensor, target: Tensor): [Tensor, Tensor] {
  if (sameShape(input, target)) return [input, target];
  logger.warn(
    `${name}: the target has shape [${target.shape.join(', ')}], the input [${input.shape.join(', ')}]: they are broadcast.`,
  );
  return broadcastTensors([input, target]) as [Tensor, Tensor];
}

export function checkWeightShape(weight: Tensor, input: Tensor): void {
  if (sameShape(weight, input)) return;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `weight: expected the input's shape [${input.shape.join(', ')}], got [${weight.shape.join(', ')}].`,
  );
}

/** Losses of elements as one number. */
export function reduce(losses: Tensor, reduction: Reduction): Tensor {
  reductionNumber(reduction);
  if (reduction === 'none') return losses;
  return reduction === 'sum' ? losses.sum() : losses.mean();
}

export interface SmoothL1LossOptions extends ReductionOptions {
  /** Below it the error is squared. Default: 1. */
  beta?: number;
}

const smoothL1 = aten('smooth_l1_loss');
const l1 = aten('l1_loss');

/** The absolute error, squared where it is small; see `torch.nn.functional.smooth_l1_loss`. */
export function smoothL1Loss(
  input: Tensor,
  target: Tensor,
  ...rest: Rest<SmoothL1LossOptions, ['reduction', 'beta']>
): Tensor {
  const { reduction, beta } = named<SmoothL1LossOptions>('smoothL1Loss', rest, { reduction: 'mean', beta: 1 });
  const [a, b] = broadcastTarget('smoothL1Loss', input, target);
  const number = reductionNumber(reduction);
  return beta === 0 ? l1(a, b, number) : smoothL1(a, b, number, beta);
}

export interface HuberLossOptions extends ReductionOptions {
  /** Above it the error counts linearly. Default: 1. */
  delta?: number;
  /** A weight for each element. */
  weight?: Tensor | null;
}

const huber = aten('huber_loss');

/** The squared error, linear beyond `delta`; see `torch.nn.functional.huber_loss`. */
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

export interface BinaryCrossEntropyProbabilitiesOptions extends ReductionOptions {
  weight?: Tensor | null;
}

const bce = aten('binary_cross_entropy');

/** The binary cross entropy of probabilities with targets between 0 and 1; see `torch.nn.functional.binary_cross_entropy`. */
export function binaryCrossEntropy(
  input: Tensor,
  target: Tensor,
  ...rest: Rest<BinaryCrossEntropyProbabilitiesOptions, ['weight', 'reduction']>
): Tensor {
  const { weight, reduction } = named<BinaryCrossEntropyProbabilitiesOptions>('binaryCrossEntropy', rest, {
    weight: null,
    reduction: 'mean',
  });
  if (!sameShape(input, target)) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `binaryCrossEntropy: the target must have the input's shape [${input.shape.join(', ')}], got [${target.shape.join(', ')}].`,
    );
  }
  const weights = weight === null ? null : broadcastTensors([target, weight])[1];
  return bce(input, target, weights, reductionNumber(reduction));
}

export interface PoissonNllLossOptions extends ReductionOptions {
  /** Whether the input is the logarithm of the rate. Default: true. */
  logInput?: boolean;
  /** Whether Stirling's term is added. Default: false. */
  full?: boolean;
  /** Added to a rate before its logarithm. Default: 1e-8. */
  eps?: number;
}

const poisson = aten('poisson_nll_loss');

/** The negative log likelihood of Poisson distributions; see `torch.nn.functional.poisson_nll_loss`. */
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

function refuseVariance(problem: string): never {
  throw new AiforgeError('INVALID_ARGUMENT', `gaussianNllLoss: ${problem}.`);
}

function varianceFor(input: Tensor, variance: Tensor | number): Tensor {
  if (typeof variance === 'number') {
    if (variance < 0) refuseVariance(`the variance is negative, ${variance}`);
    return onesLike(input).mul(variance);
  }
  if (variance.lt(0).any().item() === true) refuseVariance('the variance has negative elements');
  const [shape, own] = [input.shape, variance.shape];
  if (String(shape) === String(own)) return variance;
  if (String(shape.slice(0, -1)) === String(own)) return variance.unsqueeze(-1);
  const sizes = own.filter((size, i) => size !== shape[i]);
  if (shape.length === own.length && sizes.reduce((a, b) => a + b, 0) === 1) return variance;
  return refuseVariance(`a variance of shape [${own.join(', ')}] does not fit an input of shape [${shape.join(', ')}]`);
}

/**
 * The negative log likelihood of Gaussian distributions with means `input` and variances `variance`; see
 * `torch.nn.functional.gaussian_nll_loss`.
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

export interface KlDivOptions {
  /** `'batchmean'` divides by the batch's size only, as the definition has it. Default: `'mean'`. */
  reduction?: Reduction | 'batchmean';
  /** Whether the target is logarithms too. Default: false. */
  logTarget?: boolean;
}

const kl = aten('kl_div');

/** The Kullback-Leibler divergence, `input` being log probabilities; see `torch.nn.functional.kl_div`. */
export function klDiv(input: Tensor, target: Tensor, ...rest: Rest<KlDivOptions, ['reduction', 'logTarget']>): Tensor {
  const { reduction, logTarget } = named<KlDivOptions>('klDiv', rest, { reduction: 'mean', logTarget: false });
  const number = reductionNumber(reduction === 'batchmean' ? 'sum' : reduction);
  const divergence = kl(input, target, number, { logTarget });
  return reduction === 'batchmean' && input.dim() !== 0 ? divergence.div(input.size(0)) : divergence;
}

export interface CtcLossOptions extends ReductionOptions {
  /** The blank's label. Default: 0. */
  blank?: number;
  /** Whether infinite losses count as 0. Default: false. */
  zeroInfinity?: boolean;
}

const ctc = { lists: aten('ctc_loss.IntList'), tensors: aten('ctc_loss.Tensor') };

/** Connectionist temporal classification; see `torch.nn.functional.ctc_loss`. */
export function ctcLoss(
  logProbs: Tensor,
  targets: Tensor,
  inputLengths: Tensor | readonly number[],
  targetLengths: Tensor | readonly number[],
  ...rest: Rest<CtcLossOptions, ['blank', 'reduction', 'zeroInfinity']>
): Tensor {
  const defaults = { blank: 0, reduction: 'mean' as const, zeroInfinity: false };
  const { blank, reduction, zeroInfinity } = named<CtcLossOptions>('ctcLoss', rest, defaults);
  const loss = Array.isArray(inputLengths) ? ctc.lists : ctc.tensors;
  return loss(logProbs, targets, inputLengths, targetLengths, blank, reductionNumber(reduction), zeroInfinity);
}
