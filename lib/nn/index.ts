export * as functional from './functional.js';
export * as init from './init.js';
export {
  Flatten,
  GELU,
  ReLU,
  Sigmoid,
  Softmax,
  Tanh,
  type GELUOptions,
  type ReLUOptions,
} from './modules/activations.js';
export {
  AdaptiveLogSoftmaxWithLoss,
  type AdaptiveLogSoftmaxOptions,
  type AdaptiveSoftmaxOutput,
} from './modules/adaptiveSoftmax.js';
export { MultiheadAttention, type MultiheadAttentionOptions } from './modules/attention.js';
export { type AttentionOptions } from './functional/attention.js';
export { clipGradNorm_, clipGradValue_, type ClipGradNormOptions } from './clipping.js';
export {
  BCELoss,
  BCEWithLogitsLoss,
  CrossEntropyLoss,
  KLDivLoss,
  NLLLoss,
  NLLLoss2d,
} from './modules/classificationLosses.js';
export { ModuleList, Sequential, type Layer } from './modules/containers.js';
export { Dropout, type DropoutOptions } from './modules/dropout.js';
export { Embedding, type EmbeddingLayerOptions, type PretrainedEmbeddingOptions } from './modules/embedding.js';
export {
  EmbeddingBag,
  type EmbeddingBagLayerOptions,
  type PretrainedEmbeddingBagOptions,
} from './modules/embeddingBag.js';
export { LayerNorm, type LayerNormOptions } from './modules/layerNorm.js';
export { functionalCall, type FunctionalCallOptions, type NamedTensors } from './functionalCall.js';
export { Bilinear, Identity, Linear, type FactoryOptions, type LinearOptions } from './modules/linear.js';
export { type LoadStateDictOptions, type LoadStateDictResult, type StateDict } from './loadStateDict.js';
export {
  LinearCrossEntropyLoss,
  LinearCrossEntropyOptions,
  type AccumulationPolicy,
  type LinearCrossEntropyLossOptions,
  type LinearCrossEntropySettings,
} from './modules/linearCrossEntropyLoss.js';
export { type Loss } from './modules/losses.js';
export {
  MarginRankingLoss,
  MultiLabelMarginLoss,
  MultiLabelSoftMarginLoss,
  MultiMarginLoss,
  SoftMarginLoss,
} from './modules/marginLosses.js';
export {
  GaussianNLLLoss,
  HuberLoss,
  L1Loss,
  MSELoss,
  PoissonNLLLoss,
  SmoothL1Loss,
} from './modules/regressionLosses.js';
export { CTCLoss } from './modules/sequenceLosses.js';
export {
  CosineEmbeddingLoss,
  HingeEmbeddingLoss,
  TripletMarginLoss,
  TripletMarginWithDistanceLoss,
  type DistanceModule,
  type TripletMarginWithDistanceLayerOptions,
} from './modules/similarityLosses.js';
export { Buffer, type BufferOptions } from './buffer.js';
export { Module } from './module.js';
export { type ModuleTarget, type ModuleToOptions } from './movement.js';
export { Parameter } from './parameter.js';
export { type NamedModulesOptions, type NamedOptions } from './traversal.js';
