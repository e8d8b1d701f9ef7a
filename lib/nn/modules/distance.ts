import { boolean, number, whole, type Kinds } from '../../kinds.js';
import { signature } from '../../signature.js';
import { cosineSimilarity, pairwiseDistance } from '../../tensor/generated/functions.js';
import type { Tensor } from '../../tensor/tensor.js';
import { Module } from '../module.js';
import { refuseSurplus } from '../checks.js';

export interface CosineSimilarityOptions {
  /** The dimension of the vectors. Default: 1. */
  dim?: number;
  /** The least product of norms to divide by. Default: 1e-8. */
  eps?: number;
}

const cosineSimilarityOptions: Kinds<CosineSimilarityOptions> = { dim: whole, eps: number };

const cosineSimilarityTakes = signature({}, cosineSimilarityOptions);

/**
 * The cosine of the angle between the vectors along `dim`, `x1 · x2 / max(|x1| |x2|, eps)`: from two tensors of the same or
 * of broadcastable shapes to one without that dimension. As `torch.nn.CosineSimilarity`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * const [a, b] = [tensor([[3, 4]], { dtype: 'float32' }), tensor([[4, 3]], { dtype: 'float32' })];
 * new nn.CosineSimilarity().forward(a, b); // tensor([0.9600])
 */
export class CosineSimilarity extends Module {
  readonly dim: number;
  readonly eps: number;

  constructor(options: CosineSimilarityOptions = {}) {
    cosineSimilarityTakes.check(new.target.name, arguments);
    const { dim = 1, eps = 1e-8 } = options;
    super();
    this.dim = dim;
    this.eps = eps;
  }

  override forward(x1: Tensor, x2: Tensor): Tensor {
    if (arguments.length > 2) refuseSurplus(this, arguments, 2);
    return cosineSimilarity(x1, x2, this.dim, this.eps);
  }
}

export interface PairwiseDistanceOptions {
  /** The norm, which may be negative. Default: 2. */
  p?: number;
  /** Added to each difference. Default: 1e-6. */
  eps?: number;
  /** Whether the last dimension stays, with size 1. Default: false. */
  keepdim?: boolean;
}

const pairwiseDistanceOptions: Kinds<PairwiseDistanceOptions> = { p: number, eps: number, keepdim: boolean };

const pairwiseDistanceTakes = signature({}, pairwiseDistanceOptions);

/**
 * The distance of vectors, `|x1 - x2 + eps|` in the `p`-norm over the last dimension: from [N, D] or [D] to [N] or a single
 * number. As `torch.nn.PairwiseDistance`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * const [a, b] = [tensor([[1, 2]], { dtype: 'float32' }), tensor([[4, 6]], { dtype: 'float32' })];
 * new nn.PairwiseDistance({ p: 1 }).forward(a, b); // tensor([7.0000])
 */
export class PairwiseDistance extends Module {
  readonly norm: number;
  readonly eps: number;
  readonly keepdim: boolean;

  constructor(options: PairwiseDistanceOptions = {}) {
    pairwiseDistanceTakes.check(new.target.name, arguments);
    const { p = 2, eps = 1e-6, keepdim = false } = options;
    super();
    this.norm = p;
    this.eps = eps;
    this.keepdim = keepdim;
  }

  override forward(x1: Tensor, x2: Tensor): Tensor {
    if (arguments.length > 2) refuseSurplus(this, arguments, 2);
    return pairwiseDistance(x1, x2, this.norm, this.eps, this.keepdim);
  }
}
