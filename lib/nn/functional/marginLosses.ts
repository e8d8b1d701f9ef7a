import { number, orNull, type Kinds } from '../../kinds.js';
import { show } from '../../show.js';
import { rsub } from '../../tensor/generated/functions.js';
import { logSigmoid } from '../../tensor/generated/nn.js';
import type { Tensor } from '../../tensor/tensor.js';
import { reductionNumber } from '../operators.js';
import { named, type Rest } from './arguments.js';
import { aten } from '../../tensor/calls/aten.js';
import { reduce, refuse, sizes, reductionOptions, type ReductionOptions } from './reductions.js';
import { tensorKind } from '../../tensor/kinds.js';
import { checkInput } from '../checks.js';

function elementLoss(name: string, operatorName: string) {
  const operator = aten(operatorName);
  return (input: Tensor, target: Tensor, ...rest: Rest<ReductionOptions, ['reduction']>): Tensor => {
    const { reduction } = named<ReductionOptions>(name, rest, { reduction: 'mean' });
    return operator(input, target, reductionNumber(reduction));
  };
}

/**
 * The logistic loss of targets 1 and -1: `log(1 + exp(-target * input))`. As `torch.nn.functional.soft_margin_loss`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.softMarginLoss(tensor([0, 0.5]), tensor([1, -1.5]), { reduction: 'none' }).shape; // [2]
 */
export const softMarginLoss = elementLoss('softMarginLoss', 'soft_margin_loss');

/**
 * The hinge loss of several classes a sample. The targets [batch, classes] list class numbers, -1 ends a list. As
 * `torch.nn.functional.multilabel_margin_loss`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.multilabelMarginLoss(tensor([[0.5, 0, 0, 0]]), tensor([[0, -1, 0, 0]])).item(); // 0.375
 */
export const multilabelMarginLoss = elementLoss('multilabelMarginLoss', 'multilabel_margin_loss');

export interface MarginRankingLossOptions extends ReductionOptions {
  /** By how much the one must rank higher. Default: 0. */
  margin?: number;
}

export const marginRankingLossOptions: Kinds<MarginRankingLossOptions> = { margin: number, ...reductionOptions };

const ranking = aten('margin_ranking_loss');

/**
 * Whether the first or, with target -1, the second input ranks higher by `margin`:
 * `max(0, -target * (input1 - input2) + margin)`. As `torch.nn.functional.margin_ranking_loss`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.marginRankingLoss(tensor([0.5]), tensor([2.5]), tensor([1]), { margin: 1 }).item(); // 3
 */
export function marginRankingLoss(
  input1: Tensor,
  input2: Tensor,
  target: Tensor,
  ...rest: Rest<MarginRankingLossOptions, ['margin', 'reduction']>
): Tensor {
  for (const given of [input1, input2, target]) checkInput('marginRankingLoss', given);
  const defaults = { margin: 0, reduction: 'mean' as const };
  const { margin, reduction } = named<MarginRankingLossOptions>('marginRankingLoss', rest, defaults);
  if (input1.dim() !== input2.dim() || input1.dim() !== target.dim()) {
    const shapes = [input1, input2, target].map(sizes).join(', ');
    refuse('marginRankingLoss', `the inputs and the target must have as many dimensions as each other, got ${shapes}`);
  }
  return ranking(input1, input2, target, margin, reductionNumber(reduction));
}

export interface MultiMarginLossOptions extends ReductionOptions {
  /** The power of the difference, 1 or 2. Default: 1. */
  p?: number;
  /** By how much the target's class must be ahead. Default: 1. */
  margin?: number;
  /** A weight for each class. Default: none. */
  weight?: Tensor | null;
}

export const multiMarginLossOptions: Kinds<MultiMarginLossOptions> = {
  p: number,
  margin: number,
  weight: orNull(tensorKind),
  ...reductionOptions,
};

const multiMargin = aten('multi_margin_loss');

/** Throws unless the power and the weights are such as `multiMarginLoss` takes. */
export function checkMultiMargin(name: string, p: number, weight: Tensor | null): void {
  if (p !== 1 && p !== 2) refuse(name, `p must be 1 or 2, got ${show(p)}`);
  if (weight !== null && weight.dim() !== 1) refuse(name, `weight must have one dimension, got ${sizes(weight)}`);
}

/**
 * The hinge loss of one class a sample, summed over the other classes: `max(0, margin - x[target] + x[i])^p / classes`. As
 * `torch.nn.functional.multi_margin_loss`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.multiMarginLoss(tensor([[0.5, 0, 0, 0]]), tensor([0])).item(); // 0.375
 */
export function multiMarginLoss(
  input: Tensor,
  target: Tensor,
  ...rest: Rest<MultiMarginLossOptions, ['p', 'margin', 'weight', 'reduction']>
): Tensor {
  const defaults = { p: 1, margin: 1, weight: null, reduction: 'mean' as const };
  const { p, margin, weight, reduction } = named<MultiMarginLossOptions>('multiMarginLoss', rest, defaults);
  checkMultiMargin('multiMarginLoss', p, weight);
  return multiMargin(input, target, p, margin, weight, reductionNumber(reduction));
}

export interface MultilabelSoftMarginLossOptions extends ReductionOptions {
  /** A weight for each class. Default: none. */
  weight?: Tensor | null;
}

/**
 * The logistic loss of several classes a sample, targets 0 or 1 of the input's shape, as the mean over the classes. As
 * `torch.nn.functional.multilabel_soft_margin_loss`.
 *
 * @example
 * import { nn, tensor, zeros } from 'aiforge';
 * nn.functional.multilabelSoftMarginLoss(zeros([1, 2]), tensor([[0, 1]])).item(); // 0.6931471824645996
 */
export function multilabelSoftMarginLoss(
  input: Tensor,
  target: Tensor,
  ...rest: Rest<MultilabelSoftMarginLossOptions, ['weight', 'reduction']>
): Tensor {
  checkInput('multilabelSoftMarginLoss', target);
  const defaults = { weight: null, reduction: 'mean' as const };
  const given = named<MultilabelSoftMarginLossOptions>('multilabelSoftMarginLoss', rest, defaults);
  const positive = target.mul(logSigmoid(input));
  let losses = positive.add(rsub(target, 1).mul(logSigmoid(input.neg()))).neg();
  if (given.weight !== null) losses = losses.mul(given.weight);
  const classes = input.dim() - 1;
  return reduce(losses.sum(classes).div(input.size(classes)), given.reduction);
}
