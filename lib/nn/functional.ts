// A table of contents: what `torch.nn.functional` has, by family. Only types and functions of its own are named here.

export {
  channelShuffle,
  conv1d,
  conv2d,
  conv3d,
  convTbc,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  cosineSimilarity,
  hardshrink,
  nativeChannelShuffle,
  pairwiseDistance,
  pdist,
  pixelShuffle,
  pixelUnshuffle,
  prelu,
  sigmoid,
  tanh,
} from '../tensor/generated/functions.js';
export { glu, pad, softplus, softshrink } from '../tensor/generated/nn.js';
export * from './functional/activations.js';
export {
  multiHeadAttentionForward,
  type AttentionForwardOptions,
  type AttentionOptions,
  type AttentionWeights,
} from './functional/attention.js';
export {
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  crossEntropy,
  klDiv,
  nllLoss,
  type BinaryCrossEntropyOptions,
  type BinaryCrossEntropyProbabilitiesOptions,
  type CrossEntropyOptions,
  type KlDivOptions,
  type KlReduction,
  type NllLossOptions,
} from './functional/classificationLosses.js';
export * from './functional/dropout.js';
export { embedding, oneHot, type EmbeddingOptions } from './functional/embedding.js';
export { embeddingBag, type EmbeddingBagOptions } from './functional/embeddingBag.js';
export { layerNorm, type LayerNormFunctionOptions } from './functional/layerNorm.js';
export { bilinear, linear } from './functional/linear.js';
export { linearCrossEntropy, type LinearCrossEntropyFunctionOptions } from './functional/linearCrossEntropy.js';
export {
  marginRankingLoss,
  multilabelMarginLoss,
  multilabelSoftMarginLoss,
  multiMarginLoss,
  softMarginLoss,
  type MarginRankingLossOptions,
  type MultilabelSoftMarginLossOptions,
  type MultiMarginLossOptions,
} from './functional/marginLosses.js';
export {
  groupedMm,
  scaledGroupedMm,
  scaledMm,
  type GroupedMmOptions,
  type ScaledGroupedMmOptions,
  type ScaledMmOptions,
  type ScalingType,
  type SwizzleType,
} from './functional/matrixProducts.js';
export * from './functional/normalization.js';
export * from './functional/otherPooling.js';
export * from './functional/pooling.js';
export * from './functional/poolingWithIndices.js';
export { gelu, relu, relu_ } from './functional/rectifiers.js';
export type { ReductionOptions } from './functional/reductions.js';
export {
  gaussianNllLoss,
  huberLoss,
  l1Loss,
  mseLoss,
  poissonNllLoss,
  smoothL1Loss,
  type ElementLossOptions,
  type GaussianNllLossOptions,
  type HuberLossOptions,
  type PoissonNllLossOptions,
  type SmoothL1LossOptions,
} from './functional/regressionLosses.js';
export {
  scaledDotProductAttention,
  type ScaledDotProductAttentionOptions,
} from './functional/scaledDotProductAttention.js';
export { ctcLoss, type CtcLossOptions, type Lengths } from './functional/sequenceLosses.js';
export {
  cosineEmbeddingLoss,
  hingeEmbeddingLoss,
  tripletMarginLoss,
  tripletMarginWithDistanceLoss,
  type CosineEmbeddingLossOptions,
  type Distance,
  type HingeEmbeddingLossOptions,
  type TripletMarginLossOptions,
  type TripletMarginWithDistanceLossOptions,
} from './functional/similarityLosses.js';
export * from './functional/sliding.js';
export * from './functional/softmax.js';
export { upsample } from './functional/upsample.js';
export * from './functional/vision.js';
export type { Reduction } from './operators.js';
