import { AiforgeError } from '../../errors.js';
import { minimum, pairwiseDistance, rsub } from '../../tensor/generated/functions.js';
import { logSigmoid } from '../../tensor/generated/nn.js';
import type { Tensor } from '../../tensor/tensor.js';
import { reductionNumber, type Reduction } from '../operators.js';
import { named, type Rest } from './arguments.js';
import { aten } from './aten.js';
import { reduce, type ReductionOptions } from './losses.js';

function refuse(name: string, problem: string): never {
  throw new AiforgeError('INVALID_ARGUMENT', `${name}: ${problem}.`);
}

const sizes = (tensor: Tensor): string => `[${tensor.shape.join(', ')}]`;

function elementLoss(name: string, operatorName: string) {
  const operator = aten(operatorName);
  return (input: Tensor, target: Tensor, ...rest: Rest<ReductionOptions, ['reduction']>): Tensor => {
    const { reduction } = named<ReductionOptions>(name, rest, { reduction: 'mean' });
    return operator(input, target, reductionNumber(reduction));
  };
}

/** The logistic loss of targets 1 and -1; see `torch.nn.functional.soft_margin_loss`. */
export const softMarginLoss = elementLoss('softMarginLoss', 'soft_margin_loss');
/** The hinge loss of several classes a sample; see `torch.nn.functional.multilabel_margin_loss`. */
export const multilabelMarginLoss = elementLoss('multilabelMarginLoss', 'multilabel_margin_loss');

export interface MarginLossOptions extends ReductionOptions {
  margin?: number;
}

const ranking = aten('margin_ranking_loss');

/** Whether the first or, with target -1, the second input ranks higher by `margin` (0); see `torch.nn.functional.margin_ranking_loss`. */
export function marginRankingLoss(
  input1: Tensor,
  input2: Tensor,
  target: Tensor,
  ...rest: Rest<MarginLossOptions, ['margin', 'reduction']>
): Tensor {
  const { margin, reduction } = named<MarginLossOptions>('marginRankingLoss', rest, { margin: 0, reduction: 'mean' });
  if (input1.dim() !== input2.dim() || input1.dim() !== target.dim()) {
    const shapes = [input1, input2, target].map(sizes).join(', ');
    refuse('marginRankingLoss', `the inputs and the target must have as many dimensions as each other, got ${shapes}`);
  }
  return ranking(input1, input2, target, margin, reductionNumber(reduction));
}

const hinge = aten('hinge_embedding_loss');

/** Distances pulled to 0 for target 1, pushed over `margin` (1) for -1; see `torch.nn.functional.hinge_embedding_loss`. */
export function hingeEmbeddingLoss(
  input: Tensor,
  target: Tensor,
  ...rest: Rest<MarginLossOptions, ['margin', 'reduction']>
): Tensor {
  const { margin, reduction } = named<MarginLossOptions>('hingeEmbeddingLoss', rest, { margin: 1, reduction: 'mean' });
  return hinge(input, target, margin, reductionNumber(reduction));
}

const cosine = aten('cosine_embedding_loss');

/** Cosines pulled to 1 for target 1, pushed under `margin` (0) for -1; see `torch.nn.functional.cosine_embedding_loss`. */
export function cosineEmbeddingLoss(
  input1: Tensor,
  input2: Tensor,
  target: Tensor,
  ...rest: Rest<MarginLossOptions, ['margin', 'reduction']>
): Tensor {
  const { margin, reduction } = named<MarginLossOptions>('cosineEmbeddingLoss', rest, { margin: 0, reduction: 'mean' });
  return cosine(input1, input2, target, margin, reductionNumber(reduction));
}

export interface MultiMarginLossOptions extends ReductionOptions {
  /** The power of the difference, 1 or 2. Default: 1. */
  p?: number;
  /** Default: 1. */
  margin?: number;
  /** A weight for each class. */
  weight?: Tensor | null;
}

const multiMargin = aten('multi_margin_loss');

/** The hinge loss of one class a sample; see `torch.nn.functional.multi_margin_loss`. */
export function multiMarginLoss(
  input: Tensor,
  target: Tensor,
  ...rest: Rest<MultiMarginLossOptions, ['p', 'margin', 'weight', 'reduction']>
): Tensor {
  const defaults = { p: 1, margin: 1, weight: null, reduction: 'mean' as const };
  const { p, margin, weight, reduction } = named<MultiMarginLossOptions>('multiMarginLoss', rest, defaults);
  if (p !== 1 && p !== 2) refuse('multiMarginLoss', `p must be 1 or 2, got ${p}`);
  if (weight !== null && weight.dim() !== 1) {
    refuse('multiMarginLoss', `weight must have one dimension, got ${sizes(weight)}`);
  }
  return multiMargin(input, target, p, margin, weight, reductionNumber(reduction));
}

export interface MultilabelSoftMarginLossOptions extends ReductionOptions {
  weight?: Tensor | null;
}

/** The logistic loss of several classes a sample; see `torch.nn.functional.multilabel_soft_margin_loss`. */
export function multilabelSoftMarginLoss(
  input: Tensor,
  target: Tensor,
  ...rest: Rest<MultilabelSoftMarginLossOptions, ['weight', 'reduction']>
): Tensor {
  const defaults = { weight: null, reduction: 'mean' as const };
  const given = named<MultilabelSoftMarginLossOptions>('multilabelSoftMarginLoss', rest, defaults);
  const positive = target.mul(logSigmoid(input));
  let losses = positive.add(rsub(target, 1).mul(logSigmoid(input.neg()))).neg();
  if (given.weight !== null) losses = losses.mul(given.weight);
  const classes = input.dim() - 1;
  return reduce(losses.sum(classes).div(input.size(classes)), given.reduction);
}

export interface TripletMarginLossOptions extends ReductionOptions {
  /** Default: 1. */
  margin?: number;
  /** The norm. Default: 2. */
  p?: number;
  /** Default: 1e-6. */
  eps?: number;
  /** Whether the distance from positive to negative may stand for the anchor's. Default: false. */
  swap?: boolean;
}

const triplet = aten('triplet_margin_loss');

/** The anchor nearer to the positive than to the negative by `margin`; see `torch.nn.functional.triplet_margin_loss`. */
export function tripletMarginLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  ...rest: Rest<TripletMarginLossOptions, ['margin', 'p', 'eps', 'swap', 'reduction']>
): Tensor {
  const defaults = { margin: 1, p: 2, eps: 1e-6, swap: false, reduction: 'mean' as const };
  const { margin, p, eps, swap, reduction } = named<TripletMarginLossOptions>('tripletMarginLoss', rest, defaults);
  if (margin <= 0) refuse('tripletMarginLoss', `margin must be greater than 0, got ${margin}`);
  return triplet(anchor, positive, negative, margin, p, eps, swap, reductionNumber(reduction));
}

export interface TripletMarginWithDistanceLossOptions {
  /** Default: the Euclidean distance. */
  distanceFunction?: ((a: Tensor, b: Tensor) => Tensor) | null;
  /** Default: 1. */
  margin?: number;
  /** Default: false. */
  swap?: boolean;
  /** Default: `'mean'`. */
  reduction?: Reduction;
}

/** `tripletMarginLoss` with a distance of your own; see `torch.nn.functional.triplet_margin_with_distance_loss`. */
export function tripletMarginWithDistanceLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  { distanceFunction, margin = 1, swap = false, reduction = 'mean' }: TripletMarginWithDistanceLossOptions = {},
): Tensor {
  const name = 'tripletMarginWithDistanceLoss';
  if (margin <= 0) refuse(name, `margin must be greater than 0, got ${margin}`);
  if (anchor.dim() !== positive.dim() || positive.dim() !== negative.dim()) {
    refuse(
      name,
      `the tensors must have as many dimensions as each other, got ${[anchor, positive, negative].map(sizes).join(', ')}`,
    );
  }
  const distance = distanceFunction ?? pairwiseDistance;
  const near = distance(anchor, positive);
  let far = distance(anchor, negative);
  if (swap) far = minimum(far, distance(positive, negative));
  return reduce(near.add(margin).sub(far).clampMin(0), reduction);
}
