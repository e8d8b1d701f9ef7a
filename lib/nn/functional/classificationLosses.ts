import { boolean, number, whole, oneOf, orNull, type Kinds } from '../../kinds.js';
import { broadcastTensors } from '../../tensor/generated/functions.js';
import type { Tensor } from '../../tensor/tensor.js';
import * as operators from '../operators.js';
import { reductionNumber, type Reduction } from '../operators.js';
import { warnOnce } from '../../warnOnce.js';
import { named, type Rest } from './arguments.js';
import { aten } from '../../tensor/calls/aten.js';
import { checkTargetShape, reductionOptions, type ReductionOptions } from './reductions.js';
import { tensorKind } from '../../tensor/kinds.js';

export interface NllLossOptions extends ReductionOptions {
  /** A weight for each class; `'mean'` then divides by those of the targets. Default: none. */
  weight?: Tensor | null;
  /** A class that counts for nothing. Default: -100. */
  ignoreIndex?: number;
}

export const nllLossOptions: Kinds<NllLossOptions> = {
  weight: orNull(tensorKind),
  ignoreIndex: whole,
  ...reductionOptions,
};

/**
 * The negative log likelihood of class numbers, from log probabilities [batch, classes, …]. As
 * `torch.nn.functional.nll_loss`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.nllLoss(tensor([[-0.5, -1.5]]), tensor([1])).item(); // 1.5
 */
export function nllLoss(
  input: Tensor,
  target: Tensor,
  ...rest: Rest<NllLossOptions, ['weight', 'ignoreIndex', 'reduction']>
): Tensor {
  const defaults = { weight: null, ignoreIndex: -100, reduction: 'mean' as const };
  const { weight, ignoreIndex, reduction } = named<NllLossOptions>('nllLoss', rest, defaults);
  return operators.nllLoss(input, target, weight, reductionNumber(reduction), ignoreIndex);
}

export interface CrossEntropyOptions extends NllLossOptions {
  /** How much of each target is spread over all classes, from 0 to 1. Default: 0. */
  labelSmoothing?: number;
}

export const crossEntropyOptions: Kinds<CrossEntropyOptions> = { ...nllLossOptions, labelSmoothing: number };

/**
 * The cross entropy of logits [batch, classes, …] with class numbers [batch, …] or class probabilities of the logits'
 * shape. As `torch.nn.functional.cross_entropy`.
 *
 * @example
 * import { nn, tensor, zeros } from 'aiforge';
 * nn.functional.crossEntropy(zeros([2, 4]), tensor([1, 3])).item(); // 1.3862943649291992
 */
export function crossEntropy(
  input: Tensor,
  target: Tensor,
  ...rest: Rest<CrossEntropyOptions, ['weight', 'ignoreIndex', 'reduction', 'labelSmoothing']>
): Tensor {
  const defaults = { weight: null, ignoreIndex: -100, reduction: 'mean' as const, labelSmoothing: 0 };
  const given = named<CrossEntropyOptions>('crossEntropy', rest, defaults);
  const { weight, ignoreIndex, reduction, labelSmoothing } = given;
  return operators.crossEntropyLoss(input, target, weight, reductionNumber(reduction), ignoreIndex, labelSmoothing);
}

export interface BinaryCrossEntropyProbabilitiesOptions extends ReductionOptions {
  /** A weight for each element, broadcast to the target's shape. Default: none. */
  weight?: Tensor | null;
}

const bce = aten('binary_cross_entropy');

/**
 * The binary cross entropy of probabilities with targets between 0 and 1:
 * `-(target * log(input) + (1 - target) * log(1 - input))`. As `torch.nn.functional.binary_cross_entropy`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.binaryCrossEntropy(tensor([0.5, 0.5]), tensor([0.5, 0.5])).item(); // 0.6931471824645996
 */
export function binaryCrossEntropy(
  input: Tensor,
  target: Tensor,
  ...rest: Rest<BinaryCrossEntropyProbabilitiesOptions, ['weight', 'reduction']>
): Tensor {
  const { weight, reduction } = named<BinaryCrossEntropyProbabilitiesOptions>('binaryCrossEntropy', rest, {
    weight: null,
    reduction: 'mean',
  });
  checkTargetShape('binaryCrossEntropy', input, target);
  const weights = weight === null ? null : broadcastTensors([target, weight])[1];
  return bce(input, target, weights, reductionNumber(reduction));
}

export interface BinaryCrossEntropyOptions extends ReductionOptions {
  /** A weight for each element, broadcast to the target's shape. Default: none. */
  weight?: Tensor | null;
  /** A weight for the positive answers of each class. Default: none. */
  posWeight?: Tensor | null;
}

export const binaryCrossEntropyOptions: Kinds<BinaryCrossEntropyOptions> = {
  weight: orNull(tensorKind),
  ...reductionOptions,
  posWeight: orNull(tensorKind),
};

/**
 * The binary cross entropy of logits with targets of the same shape between 0 and 1. As
 * `torch.nn.functional.binary_cross_entropy_with_logits`.
 *
 * @example
 * import { nn, tensor, zeros } from 'aiforge';
 * nn.functional.binaryCrossEntropyWithLogits(zeros([2]), tensor([0.5, 1])).item(); // 0.6931471824645996
 */
export function binaryCrossEntropyWithLogits(
  input: Tensor,
  target: Tensor,
  ...rest: Rest<BinaryCrossEntropyOptions, ['weight', 'reduction', 'posWeight']>
): Tensor {
  const defaults = { weight: null, reduction: 'mean' as const, posWeight: null };
  const given = named<BinaryCrossEntropyOptions>('binaryCrossEntropyWithLogits', rest, defaults);
  const { weight, reduction, posWeight } = given;
  checkTargetShape('binaryCrossEntropyWithLogits', input, target);
  return operators.binaryCrossEntropyWithLogits(input, target, weight, posWeight, reductionNumber(reduction));
}

/** The reductions of `klDiv`. */
export type KlReduction = Reduction | 'batchmean';

export interface KlDivOptions {
  /** `'batchmean'` divides by the batch's size only, as the definition has it. Default: `'mean'`. */
  reduction?: KlReduction;
  /** Whether the target is logarithms too. Default: false. */
  logTarget?: boolean;
}

export const klDivOptions: Kinds<KlDivOptions> = {
  reduction: oneOf('none', 'batchmean', 'sum', 'mean'),
  logTarget: boolean,
};

const kl = aten('kl_div');

/** LibTorch's number of the reduction that `klDiv` begins with. */
export const klReductionNumber = (reduction: KlReduction): number =>
  reductionNumber(reduction === 'batchmean' ? 'sum' : reduction);

/**
 * The Kullback-Leibler divergence `target * (log(target) - input)`, `input` being log probabilities. As
 * `torch.nn.functional.kl_div`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * const half = tensor([[0.5, 0.5]]);
 * nn.functional.klDiv(half.log(), half, { reduction: 'batchmean' }).item(); // 0
 */
export function klDiv(input: Tensor, target: Tensor, ...rest: Rest<KlDivOptions, ['reduction', 'logTarget']>): Tensor {
  const { reduction, logTarget } = named<KlDivOptions>('klDiv', rest, { reduction: 'mean', logTarget: false });
  const number = klReductionNumber(reduction);
  if (reduction === 'mean') {
    warnOnce("klDiv: reduction 'mean' divides by all elements; 'batchmean', by the batch, is the definition's.");
  }
  const divergence = kl(input, target, number, { logTarget });
  return reduction === 'batchmean' && input.dim() !== 0 ? divergence.div(input.size(0)) : divergence;
}
