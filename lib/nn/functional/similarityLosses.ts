import { boolean, number, func, orNull, type Kinds } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { minimum, pairwiseDistance } from '../../tensor/generated/functions.js';
import type { Tensor } from '../../tensor/tensor.js';
import { reductionNumber } from '../operators.js';
import { named, type Rest } from './arguments.js';
import { aten } from '../../tensor/calls/aten.js';
import { reduce, refuse, sizes, reductionOptions, type ReductionOptions } from './reductions.js';
import { tensorKind } from '../../tensor/kinds.js';

export interface HingeEmbeddingLossOptions extends ReductionOptions {
  /** The distance from which on unlike pairs cost nothing. Default: 1. */
  margin?: number;
}

export const hingeEmbeddingLossOptions: Kinds<HingeEmbeddingLossOptions> = { margin: number, ...reductionOptions };

const hinge = aten('hinge_embedding_loss');

/**
 * Distances pulled to 0 for target 1, pushed over `margin` for -1: `input` or `max(0, margin - input)`. As
 * `torch.nn.functional.hinge_embedding_loss`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.hingeEmbeddingLoss(tensor([0.5, 0.5]), tensor([1, -1])).item(); // 0.5
 */
export function hingeEmbeddingLoss(
  input: Tensor,
  target: Tensor,
  ...rest: Rest<HingeEmbeddingLossOptions, ['margin', 'reduction']>
): Tensor {
  const defaults = { margin: 1, reduction: 'mean' as const };
  const { margin, reduction } = named<HingeEmbeddingLossOptions>('hingeEmbeddingLoss', rest, defaults);
  return hinge(input, target, margin, reductionNumber(reduction));
}

export interface CosineEmbeddingLossOptions extends ReductionOptions {
  /** The cosine below which unlike pairs cost nothing, from -1 to 1. Default: 0. */
  margin?: number;
}

export const cosineEmbeddingLossOptions: Kinds<CosineEmbeddingLossOptions> = { margin: number, ...reductionOptions };

const cosine = aten('cosine_embedding_loss');

/**
 * Cosines pulled to 1 for target 1, pushed under `margin` for -1: `1 - cos` or `max(0, cos - margin)`. As
 * `torch.nn.functional.cosine_embedding_loss`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.cosineEmbeddingLoss(tensor([[0.5, 0]]), tensor([[0, 0.5]]), tensor([1])).item(); // 1
 */
export function cosineEmbeddingLoss(
  input1: Tensor,
  input2: Tensor,
  target: Tensor,
  ...rest: Rest<CosineEmbeddingLossOptions, ['margin', 'reduction']>
): Tensor {
  const defaults = { margin: 0, reduction: 'mean' as const };
  const { margin, reduction } = named<CosineEmbeddingLossOptions>('cosineEmbeddingLoss', rest, defaults);
  return cosine(input1, input2, target, margin, reductionNumber(reduction));
}

/** Throws unless a margin is more than 0. */
export function checkMargin(name: string, margin: number): number {
  return margin > 0 ? margin : refuse(name, `margin must be greater than 0, got ${show(margin)}`);
}

export interface TripletMarginLossOptions extends ReductionOptions {
  /** By how much nearer the positive must be, more than 0. Default: 1. */
  margin?: number;
  /** The norm of the distance. Default: 2. */
  p?: number;
  /** Added to differences, so that the distance has a derivative. Default: 1e-6. */
  eps?: number;
  /** Whether the distance from positive to negative may stand for the anchor's. Default: false. */
  swap?: boolean;
}

export const tripletMarginLossOptions: Kinds<TripletMarginLossOptions> = {
  margin: number,
  p: number,
  eps: number,
  swap: boolean,
  ...reductionOptions,
};

const triplet = aten('triplet_margin_loss');

/**
 * The anchor nearer to the positive than to the negative: `max(0, d(anchor, positive) - d(anchor, negative) + margin)`. As
 * `torch.nn.functional.triplet_margin_loss`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * const [anchor, far] = [tensor([[0, 0.5]]), tensor([[9, 0.5]])];
 * nn.functional.tripletMarginLoss(anchor, anchor, far).item(); // 0
 */
export function tripletMarginLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  ...rest: Rest<TripletMarginLossOptions, ['margin', 'p', 'eps', 'swap', 'reduction']>
): Tensor {
  const defaults = { margin: 1, p: 2, eps: 1e-6, swap: false, reduction: 'mean' as const };
  const { margin, p, eps, swap, reduction } = named<TripletMarginLossOptions>('tripletMarginLoss', rest, defaults);
  checkMargin('tripletMarginLoss', margin);
  return triplet(anchor, positive, negative, margin, p, eps, swap, reductionNumber(reduction));
}

/** A distance of two batches, a number for each pair. */
export type Distance = (a: Tensor, b: Tensor) => Tensor;

export interface TripletMarginWithDistanceLossOptions extends ReductionOptions {
  /** Default: the Euclidean distance. */
  distanceFunction?: Distance | null;
  /** By how much nearer the positive must be, more than 0. Default: 1. */
  margin?: number;
  /** Whether the distance from positive to negative may stand for the anchor's. Default: false. */
  swap?: boolean;
}

const withDistanceTakes = signature<TripletMarginWithDistanceLossOptions>(
  { anchor: tensorKind, positive: tensorKind, negative: tensorKind },
  { distanceFunction: orNull(func<Distance>()), margin: number, swap: boolean, ...reductionOptions },
);

/**
 * `tripletMarginLoss` with a distance of your own. As `torch.nn.functional.triplet_margin_with_distance_loss`.
 *
 * @example
 * import { nn, tensor, type Tensor } from 'aiforge';
 * const [anchor, far] = [tensor([[0, 0.5]]), tensor([[1, 0.5]])];
 * const distanceFunction = (a: Tensor, b: Tensor): Tensor => a.sub(b).abs().amax([1]);
 * nn.functional.tripletMarginWithDistanceLoss(anchor, far, anchor, { distanceFunction }).item(); // 2
 */
export function tripletMarginWithDistanceLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletMarginWithDistanceLossOptions = {},
): Tensor {
  withDistanceTakes.check('tripletMarginWithDistanceLoss', arguments);
  const { distanceFunction, margin = 1, swap = false, reduction = 'mean' } = options;
  const name = 'tripletMarginWithDistanceLoss';
  reductionNumber(reduction);
  checkMargin(name, margin);
  if (anchor.dim() !== positive.dim() || positive.dim() !== negative.dim()) {
    const shapes = [anchor, positive, negative].map(sizes).join(', ');
    refuse(name, `the tensors must have as many dimensions as each other, got ${shapes}`);
  }
  const distance = distanceFunction ?? pairwiseDistance;
  const near = distance(anchor, positive);
  let far = distance(anchor, negative);
  if (swap) far = minimum(far, distance(positive, negative));
  return reduce(near.add(margin).sub(far).clampMin(0), reduction);
}
