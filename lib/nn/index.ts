export * as functional from './functional.js';
export * as init from './init.js';
export { Flatten } from './modules/activations.js';
export { MultiheadAttention, type MultiheadAttentionOptions } from './modules/attention.js';
export { type AttentionOptions } from './functional/attention.js';
export { BatchNorm1d, BatchNorm2d, BatchNorm3d, type BatchNormLayerOptions } from './modules/batchNorm.js';
export { clipGradNorm_, clipGradValue_, type ClipGradNormOptions } from './clipping.js';
export { ModuleList, Sequential, type Layer } from './modules/containers.js';
export {
  CosineSimilarity,
  PairwiseDistance,
  type CosineSimilarityOptions,
  type PairwiseDistanceOptions,
} from './modules/distance.js';
export {
  AlphaDropout,
  Dropout,
  Dropout1d,
  Dropout2d,
  Dropout3d,
  FeatureAlphaDropout,
  type DropoutOptions,
} from './modules/dropout.js';
export { Embedding, type EmbeddingLayerOptions } from './modules/embedding.js';
export {
  InstanceNorm1d,
  InstanceNorm2d,
  InstanceNorm3d,
  type InstanceNormLayerOptions,
} from './modules/instanceNorm.js';
export { functionalCall, type FunctionalCallOptions, type NamedTensors } from './functionalCall.js';
export { Identity, Linear, type FactoryOptions, type LinearOptions } from './modules/linear.js';
export { type LoadStateDictOptions, type LoadStateDictResult, type StateDict } from './loadStateDict.js';
export { BCEWithLogitsLoss, CrossEntropyLoss, L1Loss, MSELoss, NLLLoss, type Loss } from './modules/losses.js';
export {
  GroupNorm,
  LayerNorm,
  RMSNorm,
  type GroupNormLayerOptions,
  type LayerNormOptions,
  type RMSNormOptions,
} from './modules/normalization.js';
export { CrossMapLRN2d, LocalResponseNorm, type ResponseNormOptions } from './modules/responseNorm.js';
export { Buffer, type BufferOptions } from './buffer.js';
export {
  CELU,
  ELU,
  Hardtanh,
  LeakyReLU,
  PReLU,
  ReLU,
  ReLU6,
  RReLU,
  SELU,
  Threshold,
  type PReLUOptions,
} from './modules/rectifiers.js';
export {
  Hardshrink,
  Hardsigmoid,
  LogSigmoid,
  Sigmoid,
  Softshrink,
  Softsign,
  Tanh,
  Tanhshrink,
  type ShrinkOptions,
} from './modules/sigmoids.js';
export {
  GELU,
  GLU,
  Hardswish,
  Mish,
  SiLU,
  Softplus,
  type GELUOptions,
  type SoftplusOptions,
} from './modules/smoothActivations.js';
export { LogSoftmax, Softmax, Softmax2d, Softmin } from './modules/softmax.js';
export { Module } from './module.js';
export { type ModuleTarget, type ModuleToOptions } from './movement.js';
export { Parameter } from './parameter.js';
export { type NamedModulesOptions, type NamedOptions } from './traversal.js';
