import { boolean, number, func, either, orNull, type Kinds } from '../../kinds.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import {
  checkMargin,
  cosineEmbeddingLoss,
  hingeEmbeddingLoss,
  tripletMarginLoss,
  tripletMarginWithDistanceLoss,
  hingeEmbeddingLossOptions,
  cosineEmbeddingLossOptions,
  tripletMarginLossOptions,
  type CosineEmbeddingLossOptions,
  type Distance,
  type HingeEmbeddingLossOptions,
  type TripletMarginLossOptions,
  type TripletMarginWithDistanceLossOptions,
} from '../functional/similarityLosses.js';
import { Module } from '../module.js';
import { PairwiseDistance } from './distance.js';
import { PlainLoss } from './losses.js';
import { reductionOptions } from '../functional/reductions.js';
import { layerKind } from '../moduleKinds.js';
import { refuseSurplus } from '../checks.js';

const hingeEmbeddingLossTakes = signature({}, hingeEmbeddingLossOptions);

/**
 * Distances pulled to 0 for target 1, pushed over `margin` for -1: `input` or `max(0, margin - input)`. Two tensors of
 * one shape [...]. As `torch.nn.HingeEmbeddingLoss`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an unknown reduction.
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.HingeEmbeddingLoss({ margin: 2 }).forward(tensor([0.5, 0.5]), tensor([1, -1])).item(); // 1
 */
export class HingeEmbeddingLoss extends PlainLoss {
  readonly margin: number;

  constructor(options: HingeEmbeddingLossOptions = {}) {
    hingeEmbeddingLossTakes.check(new.target.name, arguments);
    const { margin = 1, ...rest } = options;
    super(rest);
    this.margin = margin;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    if (arguments.length > 2) refuseSurplus(this, arguments, 2);
    return hingeEmbeddingLoss(input, target, this.margin, this.reduction);
  }
}

const cosineEmbeddingLossTakes = signature({}, cosineEmbeddingLossOptions);

/**
 * Cosines pulled to 1 for target 1, pushed under `margin` for -1: `1 - cos(x1, x2)` or `max(0, cos(x1, x2) - margin)`.
 * Inputs [batch, features] and a target [batch], or [features] and a scalar. As `torch.nn.CosineEmbeddingLoss`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an unknown reduction.
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.CosineEmbeddingLoss().forward(tensor([[0.5, 0]]), tensor([[0, 0.5]]), tensor([1])).item(); // 1
 */
export class CosineEmbeddingLoss extends PlainLoss {
  readonly margin: number;

  constructor(options: CosineEmbeddingLossOptions = {}) {
    cosineEmbeddingLossTakes.check(new.target.name, arguments);
    const { margin = 0, ...rest } = options;
    super(rest);
    this.margin = margin;
  }

  override forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    if (arguments.length > 3) refuseSurplus(this, arguments, 3);
    return cosineEmbeddingLoss(input1, input2, target, this.margin, this.reduction);
  }
}

const tripletMarginLossTakes = signature({}, tripletMarginLossOptions);

/**
 * The anchor nearer to the positive than to the negative: `max(0, d(anchor, positive) - d(anchor, negative) + margin)`,
 * d being the norm `p` of the difference. Three tensors [batch, features] or [features]. As `torch.nn.TripletMarginLoss`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an unknown reduction and a margin that is not more than 0.
 * @example
 * import { nn, tensor } from 'aiforge';
 * const [anchor, far] = [tensor([[0, 0.5]]), tensor([[9, 0.5]])];
 * new nn.TripletMarginLoss({ margin: 2 }).forward(anchor, anchor, far).item(); // 0
 */
export class TripletMarginLoss extends PlainLoss {
  readonly margin: number;
  readonly p: number;
  readonly eps: number;
  readonly swap: boolean;

  constructor(options: TripletMarginLossOptions = {}) {
    tripletMarginLossTakes.check(new.target.name, arguments);
    const { margin = 1, p = 2, eps = 1e-6, swap = false, ...rest } = options;
    super(rest);
    this.margin = checkMargin('TripletMarginLoss', margin);
    this.p = p;
    this.eps = eps;
    this.swap = swap;
  }

  override forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    if (arguments.length > 3) refuseSurplus(this, arguments, 3);
    const { margin, p, eps, swap, reduction } = this;
    return tripletMarginLoss(anchor, positive, negative, margin, p, eps, swap, reduction);
  }
}

/** A module that is a distance. */
export interface DistanceModule extends Module {
  forward(a: Tensor, b: Tensor): Tensor;
}

export interface TripletMarginWithDistanceLayerOptions extends Omit<
  TripletMarginWithDistanceLossOptions,
  'distanceFunction'
> {
  /** A function or a module, which then belongs to the loss. Default: `new PairwiseDistance()`. */
  distanceFunction?: Distance | DistanceModule | null;
}

const tripletMarginWithDistanceLossOptions: Kinds<TripletMarginWithDistanceLayerOptions> = {
  distanceFunction: orNull(either(func<Distance>(), layerKind<DistanceModule>())),
  margin: number,
  swap: boolean,
  ...reductionOptions,
};

const tripletMarginWithDistanceLossTakes = signature({}, tripletMarginWithDistanceLossOptions);

/**
 * `TripletMarginLoss` with a distance of your own: `max(0, d(anchor, positive) - d(anchor, negative) + margin)`. Three
 * tensors such as the distance takes. As `torch.nn.TripletMarginWithDistanceLoss`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an unknown reduction and a margin that is not more than 0.
 * @example
 * import { nn, tensor, type Tensor } from 'aiforge';
 * const distanceFunction = (a: Tensor, b: Tensor): Tensor => a.sub(b).abs().amax([1]);
 * const [anchor, far] = [tensor([[0, 0.5]]), tensor([[1, 0.5]])];
 * new nn.TripletMarginWithDistanceLoss({ distanceFunction }).forward(anchor, far, anchor).item(); // 2
 */
export class TripletMarginWithDistanceLoss extends PlainLoss {
  readonly distanceFunction: Distance | DistanceModule;
  readonly margin: number;
  readonly swap: boolean;

  constructor(options: TripletMarginWithDistanceLayerOptions = {}) {
    tripletMarginWithDistanceLossTakes.check(new.target.name, arguments);
    const { distanceFunction, margin = 1, swap = false, ...plain } = options;
    super(plain);
    this.margin = checkMargin('TripletMarginWithDistanceLoss', margin);
    this.distanceFunction = distanceFunction ?? new PairwiseDistance();
    this.swap = swap;
  }

  override forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    if (arguments.length > 3) refuseSurplus(this, arguments, 3);
    const { distanceFunction: given, margin, swap, reduction } = this;
    const distanceFunction = given instanceof Module ? (a: Tensor, b: Tensor) => given.forward(a, b) : given;
    return tripletMarginWithDistanceLoss(anchor, positive, negative, { distanceFunction, margin, swap, reduction });
  }
}
