import { AiforgeError } from '../errors.js';
import { logger } from '../log.js';
import { noGrad } from '../autograd/modes.js';
import { broadcastTensors } from '../tensor/generated/functions.js';
import type { DType } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkPaddingIdx, checkProbability } from './checks.js';
import * as operators from './operators.js';
import { reductionNumber, type Reduction } from './operators.js';

export { prelu, selu, sigmoid, tanh } from '../tensor/generated/functions.js';
export {
  elu,
  hardsigmoid,
  hardswish,
  hardtanh,
  leakyRelu,
  logSigmoid,
  mish,
  relu6,
  silu,
  softplus,
} from '../tensor/generated/nn.js';
export {
  multiHeadAttentionForward,
  type AttentionForwardOptions,
  type AttentionOptions,
  type AttentionWeights,
} from './attentionForward.js';
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

/** The rows of `weight` that `input`, a tensor of integers, names. */
export function embedding(input: Tensor, weight: Tensor, options: EmbeddingOptions = {}): Tensor {
  const { paddingIdx = null, maxNorm = null, normType = 2, scaleGradByFreq = false, sparse = false } = options;
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
  { weight = null, bias = null, eps = 1e-5 }: LayerNormFunctionOptions = {},
): Tensor {
  return operators.layerNorm(input, normalizedShape, weight, bias, eps);
}

export interface DropoutFunctionOptions {
  /** Default: 0.5. */
  p?: number;
  /** Default: true. */
  training?: boolean;
  /** Default: false. */
  inplace?: boolean;
}

/** Zeroes elements with probability `p`, and scales the others by 1 / (1 - p). */
export function dropout(
  input: Tensor,
  { p = 0.5, training = true, inplace = false }: DropoutFunctionOptions = {},
): Tensor {
  return operators.dropout(input, checkProbability(p), training, inplace);
}

export function relu(input: Tensor, { inplace = false }: { inplace?: boolean } = {}): Tensor {
  return inplace ? input.relu_() : operators.relu(input);
}

export function gelu(input: Tensor, { approximate = 'none' }: { approximate?: 'none' | 'tanh' } = {}): Tensor {
  return operators.gelu(input, approximate);
}

export interface SoftmaxOptions {
  /** The dtype to compute in. Default: the input's. */
  dtype?: DType;
}

export function softmax(input: Tensor, dim: number, { dtype }: SoftmaxOptions = {}): Tensor {
  return dtype === undefined ? input.softmax(dim) : input.softmax(dim, { dtype });
}

export function logSoftmax(input: Tensor, dim: number, { dtype }: SoftmaxOptions = {}): Tensor {
  return dtype === undefined ? input.logSoftmax(dim) : input.logSoftmax(dim, { dtype });
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

export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: ScaledDotProductAttentionOptions = {},
): Tensor {
  const { attnMask = null, dropoutP = 0, isCausal = false, scale = null, enableGqa = false } = options;
  return operators.scaledDotProductAttention(query, key, value, attnMask, dropoutP, isCausal, scale, enableGqa);
}

export interface ReductionOptions {
  /** Default: `'mean'`. */
  reduction?: Reduction;
}

export interface NllLossOptions extends ReductionOptions {
  /** A weight for each class. */
  weight?: Tensor | null;
  /** A class that counts for nothing. Default: -100. */
  ignoreIndex?: number;
}

/** The negative log likelihood of classes, from log probabilities. */
export function nllLoss(input: Tensor, target: Tensor, options: NllLossOptions = {}): Tensor {
  const { weight = null, ignoreIndex = -100, reduction = 'mean' } = options;
  return operators.nllLoss(input, target, weight, reductionNumber(reduction), ignoreIndex);
}

export interface CrossEntropyOptions extends NllLossOptions {
  /** From 0 to 1. Default: 0. */
  labelSmoothing?: number;
}

/** The cross entropy of logits [batch, classes, …] with class numbers or class probabilities. */
export function crossEntropy(input: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const { weight = null, ignoreIndex = -100, reduction = 'mean', labelSmoothing = 0 } = options;
  return operators.crossEntropyLoss(input, target, weight, reductionNumber(reduction), ignoreIndex, labelSmoothing);
}

function sameShape(a: Tensor, b: Tensor): boolean {
  const [first, second] = [a.shape, b.shape];
  return first.length === second.length && first.every((size, i) => size === second[i]);
}

// A target of another shape is most often a mistake: [batch] against [batch, 1] gives batch * batch differences.
function broadcast(name: string, input: Tensor, target: Tensor): [Tensor, Tensor] {
  if (sameShape(input, target)) return [input, target];
  logger.warn(
    `${name}: the target has shape [${target.shape.join(', ')}], the input [${input.shape.join(', ')}]: they are broadcast.`,
  );
  return broadcastTensors([input, target]) as [Tensor, Tensor];
}

export interface ElementLossOptions extends ReductionOptions {
  /** A weight for each element; `'mean'` then divides by their sum. */
  weight?: Tensor | null;
}

function weighted(errors: Tensor, weight: Tensor, input: Tensor, reduction: Reduction): Tensor {
  if (!sameShape(weight, input)) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `weight: expected the input's shape [${input.shape.join(', ')}], got [${weight.shape.join(', ')}].`,
    );
  }
  const losses = errors.mul(weight);
  if (reduction === 'none') return losses;
  return reduction === 'sum' ? losses.sum() : losses.sum().div(weight.sum());
}

/** The squared error. A target of another shape is broadcast, with a warning in the log. */
export function mseLoss(
  input: Tensor,
  target: Tensor,
  { reduction = 'mean', weight = null }: ElementLossOptions = {},
): Tensor {
  const number = reductionNumber(reduction);
  const [a, b] = broadcast('mseLoss', input, target);
  return weight === null ? operators.mseLoss(a, b, number) : weighted(a.sub(b).pow(2), weight, input, reduction);
}

/** The absolute error. A target of another shape is broadcast, with a warning in the log. */
export function l1Loss(
  input: Tensor,
  target: Tensor,
  { reduction = 'mean', weight = null }: ElementLossOptions = {},
): Tensor {
  const number = reductionNumber(reduction);
  const [a, b] = broadcast('l1Loss', input, target);
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
  { weight = null, posWeight = null, reduction = 'mean' }: BinaryCrossEntropyOptions = {},
): Tensor {
  if (!sameShape(input, target)) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `binaryCrossEntropyWithLogits: the target must have the input's shape [${input.shape.join(', ')}], got [${target.shape.join(', ')}].`,
    );
  }
  return operators.binaryCrossEntropyWithLogits(input, target, weight, posWeight, reductionNumber(reduction));
}
