import { AiforgeError } from '../errors.js';
import { noGrad } from '../autograd/modes.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkPaddingIdx } from './checks.js';
import { named, type Rest } from './functional/arguments.js';
import { broadcastTarget, checkWeightShape, sameShape, type ReductionOptions } from './functional/losses.js';
import * as operators from './operators.js';
import { reductionNumber, type Reduction } from './operators.js';

export {
  bilinear,
  cosineSimilarity,
  hardshrink,
  pairwiseDistance,
  pdist,
  prelu,
  sigmoid,
  tanh,
} from '../tensor/generated/functions.js';
export { glu, logSigmoid, oneHot, softplus, softshrink } from '../tensor/generated/nn.js';
export * from './functional/activations.js';
export * from './functional/adaptivePooling.js';
export * from './functional/convolution.js';
export * from './functional/dropout.js';
export { embeddingBag, type EmbeddingBagOptions } from './functional/embeddingBag.js';
export * from './functional/fractionalPooling.js';
export * from './functional/losses.js';
export * from './functional/lpPooling.js';
export * from './functional/marginLosses.js';
export * from './functional/normalization.js';
export * from './functional/padding.js';
export * from './functional/pooling.js';
export * from './functional/shuffling.js';
export * from './functional/sliding.js';
export * from './functional/unpooling.js';
export * from './functional/upsampling.js';
export * from './functional/vision.js';
export {
  multiHeadAttentionForward,
  type AttentionForwardOptions,
  type AttentionOptions,
  type AttentionWeights,
} from './functional/attention.js';
export type { Reduction } from './operators.js';

/** `input @ weight.T + bias`. */
export function linear(input: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  return operators.linear(input, weight, bias);
}

export interface EmbeddingOptions {
  /** The row that gets no gradient; negative ones count from the end. Default: none. */
  paddingIdx?: number | null;
  /** Rows that are longer are shortened, in place. Default: none. */
  maxNorm?: number | null;
  /** The norm that `maxNorm` is about. Default: 2. */
  normType?: number;
  /** Divides gradients by how often their row occurs. Default: false. */
  scaleGradByFreq?: boolean;
  /** Whether the gradient of `weight` is a sparse tensor. Default: false. */
  sparse?: boolean;
}

type EmbeddingOrder = ['paddingIdx', 'maxNorm', 'normType', 'scaleGradByFreq', 'sparse'];

/** The rows of `weight` that `input`, a tensor of integers, names. */
export function embedding(input: Tensor, weight: Tensor, ...rest: Rest<EmbeddingOptions, EmbeddingOrder>): Tensor {
  const { paddingIdx, maxNorm, normType, scaleGradByFreq, sparse } = named<EmbeddingOptions>('embedding', rest, {
    paddingIdx: null,
    maxNorm: null,
    normType: 2,
    scaleGradByFreq: false,
    sparse: false,
  });
  const padding = paddingIdx === null ? -1 : checkPaddingIdx(paddingIdx, weight.size(0));
  if (maxNorm !== null) {
    const indices = input.contiguous();
    noGrad(() => operators.embeddingRenorm_(weight, indices, maxNorm, normType));
    return operators.embedding(weight, indices, padding, scaleGradByFreq, sparse);
  }
  return operators.embedding(weight, input, padding, scaleGradByFreq, sparse);
}

export interface LayerNormFunctionOptions {
  weight?: Tensor | null;
  bias?: Tensor | null;
  /** Default: 1e-5. */
  eps?: number;
}

/** Normalises over the last dimensions, whose sizes are `normalizedShape`. */
export function layerNorm(
  input: Tensor,
  normalizedShape: readonly number[],
  ...rest: Rest<LayerNormFunctionOptions, ['weight', 'bias', 'eps']>
): Tensor {
  const defaults = { weight: null, bias: null, eps: 1e-5 };
  const { weight, bias, eps } = named<LayerNormFunctionOptions>('layerNorm', rest, defaults);
  return operators.layerNorm(input, normalizedShape, weight, bias, eps);
}

/** `max(0, x)`; see `torch.nn.functional.relu`. */
export function relu(input: Tensor, ...rest: Rest<{ inplace?: boolean }, ['inplace']>): Tensor {
  const { inplace } = named<{ inplace?: boolean }>('relu', rest, { inplace: false });
  return inplace ? input.relu_() : operators.relu(input);
}

export function gelu(input: Tensor, { approximate = 'none' }: { approximate?: 'none' | 'tanh' } = {}): Tensor {
  return operators.gelu(input, approximate);
}

export interface ScaledDotProductAttentionOptions {
  /** True for pairs that take part, or numbers to add. */
  attnMask?: Tensor | null;
  /** Default: 0. */
  dropoutP?: number;
  /** Default: false. */
  isCausal?: boolean;
  /** Default: 1 / sqrt(features). */
  scale?: number | null;
  /** Default: false. */
  enableGqa?: boolean;
}

type AttentionOrder = ['attnMask', 'dropoutP', 'isCausal'];

/** Attention of [batch, …, length, features]; see `torch.nn.functional.scaled_dot_product_attention`. */
export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  ...rest: Rest<ScaledDotProductAttentionOptions, AttentionOrder>
): Tensor {
  const defaults = { attnMask: null, dropoutP: 0, isCausal: false, scale: null, enableGqa: false };
  const given = named<ScaledDotProductAttentionOptions>('scaledDotProductAttention', rest, defaults);
  const { attnMask, dropoutP, isCausal, scale, enableGqa } = given;
  return operators.scaledDotProductAttention(query, key, value, attnMask, dropoutP, isCausal, scale, enableGqa);
}

export interface NllLossOptions extends ReductionOptions {
  /** A weight for each class. */
  weight?: Tensor | null;
  /** A class that counts for nothing. Default: -100. */
  ignoreIndex?: number;
}

/** The negative log likelihood of classes, from log probabilities. */
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
  /** From 0 to 1. Default: 0. */
  labelSmoothing?: number;
}

/** The cross entropy of logits [batch, classes, …] with class numbers or class probabilities. */
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

export interface ElementLossOptions extends ReductionOptions {
  /** A weight for each element; `'mean'` then divides by their sum. */
  weight?: Tensor | null;
}

export interface LinearCrossEntropyOptions extends CrossEntropyOptions {
  /** [classes, …]. */
  linearBias?: Tensor | null;
}

/** The cross entropy of `linear(input, linearWeight, linearBias)`; see `torch.nn.functional.linear_cross_entropy`. */
export function linearCrossEntropy(
  input: Tensor,
  linearWeight: Tensor,
  target: Tensor,
  options: LinearCrossEntropyOptions = {},
): Tensor {
  const { linearBias = null, ...loss } = options;
  const [classes, ...rest] = linearWeight.shape;
  const features = rest.pop();
  if (input.dim() < 1 || input.dim() > 2 || features === undefined || features !== input.size(-1)) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `linearCrossEntropy: expected an input [batch, features] or [features] and a weight [classes, …, features], got [${input.shape.join(', ')}] and [${linearWeight.shape.join(', ')}].`,
    );
  }
  if (rest.length > 0 && input.dim() < 2) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `linearCrossEntropy: a weight [${linearWeight.shape.join(', ')}] of more than two dimensions needs an input [batch, features], got [${input.shape.join(', ')}].`,
    );
  }
  const logits = linear(input, linearWeight.reshape([-1, features]), linearBias?.reshape([-1]) ?? null);
  return crossEntropy(logits.reshape([...input.shape.slice(0, -1), classes!, ...rest]), target, loss);
}

function weighted(errors: Tensor, weight: Tensor, input: Tensor, reduction: Reduction): Tensor {
  checkWeightShape(weight, input);
  const losses = errors.mul(weight);
  if (reduction === 'none') return losses;
  return reduction === 'sum' ? losses.sum() : losses.sum().div(weight.sum());
}

/** The squared error. A target of another shape is broadcast, with a warning in the log. */
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

/** The absolute error. A target of another shape is broadcast, with a warning in the log. */
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

export interface BinaryCrossEntropyOptions extends ReductionOptions {
  weight?: Tensor | null;
  /** A weight for the positive answers of each class. */
  posWeight?: Tensor | null;
}

/** The binary cross entropy of logits with targets of the same shape between 0 and 1. */
export function binaryCrossEntropyWithLogits(
  input: Tensor,
  target: Tensor,
  ...rest: Rest<BinaryCrossEntropyOptions, ['weight', 'reduction', 'posWeight']>
): Tensor {
  const defaults = { weight: null, reduction: 'mean' as const, posWeight: null };
  const given = named<BinaryCrossEntropyOptions>('binaryCrossEntropyWithLogits', rest, defaults);
  const { weight, reduction, posWeight } = given;
  if (!sameShape(input, target)) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `binaryCrossEntropyWithLogits: the target must have the input's shape [${input.shape.join(', ')}], got [${target.shape.join(', ')}].`,
    );
  }
  return operators.binaryCrossEntropyWithLogits(input, target, weight, posWeight, reductionNumber(reduction));
}
