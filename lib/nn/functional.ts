// A table of contents: what `torch.nn.functional` has, by family.
export * from './functional/activations.js';
export * from './functional/adaptivePooling.js';
export * from './functional/convolution.js';
export * from './functional/dropout.js';
export * from './functional/fractionalPooling.js';
export * from './functional/lpPooling.js';
export * from './functional/normalization.js';
export * from './functional/padding.js';
export * from './functional/pooling.js';
export * from './functional/shuffling.js';
export * from './functional/sliding.js';
export * from './functional/softmax.js';
export * from './functional/unpooling.js';
export * from './functional/upsampling.js';
export * from './functional/vision.js';
export {
  cosineSimilarity,
  hardshrink,
  pairwiseDistance,
  pdist,
  prelu,
  sigmoid,
  tanh,
} from '../tensor/generated/functions.js';
export { glu, softplus, softshrink } from '../tensor/generated/nn.js';
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
export { embedding, oneHot, type EmbeddingOptions } from './functional/embedding.js';
export { embeddingBag, type EmbeddingBagOptions } from './functional/embeddingBag.js';
export { layerNorm, type LayerNormFunctionOptions } from './functional/layerNorm.js';
export { bilinear, linear } from './functional/linear.js';
export { linearCrossEntropy, type LinearCrossEntropyFunctionOptions } from './functional/linearCrossEntropy.js';
export {
  marginRankingLoss,
  multiMarginLoss,
  multilabelMarginLoss,
  multilabelSoftMarginLoss,
  softMarginLoss,
  type MarginRankingLossOptions,
  type MultiMarginLossOptions,
  type MultilabelSoftMarginLossOptions,
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
export { gelu, relu, relu_ } from './functional/rectifiers.js';
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
