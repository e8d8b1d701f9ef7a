import { AiforgeError } from '../../errors.js';
import { string, number, whole, orNull, type Kinds } from '../../kinds.js';
import { show } from '../../show.js';
import { noGrad } from '../../autograd/modes.js';
import { scope } from '../../tensor/memory/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { normalize } from '../functional/normalization.js';
import { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from '../modules/convTranspose.js';
import type { Module } from '../module.js';

export interface SpectralNormOptions {
  /** The tensor. Default: `'weight'`. */
  name?: string;
  /** How often the vectors are improved at each use in training. Default: 1. */
  nPowerIterations?: number;
  /** Keeps divisions by a length from overflowing. Default: 1e-12. */
  eps?: number;
  /** The dimension of the outputs. Default: 1 for transposed convolutions, else 0. */
  dim?: number | null;
}

export const spectralNormOptions: Kinds<SpectralNormOptions> = {
  name: string,
  nPowerIterations: whole,
  eps: number,
  dim: orNull(whole),
};

export const outputDim = (module: Module): number =>
  [ConvTranspose1d, ConvTranspose2d, ConvTranspose3d].some((type) => module instanceof type) ? 1 : 0;

export function checkIterations(count: number): number {
  if (Number.isInteger(count) && count > 0) return count;
  throw new AiforgeError('INVALID_ARGUMENT', `spectralNorm: nPowerIterations must be 1 or more, got ${show(count)}.`);
}

/** A weight as a matrix with a row for each index of a dimension. */
export function toMatrix(weight: Tensor, dim: number): Tensor {
  if (dim === 0) return weight.flatten(1);
  const others = Array.from({ length: weight.dim() }, (_, d) => d).filter((d) => d !== dim);
  return weight.permute([dim, ...others]).flatten(1);
}

export const unit = (vector: Tensor, eps: number): Tensor => normalize(vector, { dim: 0, eps });

/** A vector of length 1 of some size, drawn from the normal distribution. */
export const drawUnit = (like: Tensor, size: number, eps: number): Tensor =>
  scope(() => noGrad(() => unit(like.newEmpty([size]).normal_(0, 1), eps)));
