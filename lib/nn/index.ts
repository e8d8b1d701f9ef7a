export * as functional from './functional.js';
export * as init from './init.js';
export { GELU, ReLU, Sigmoid, Softmax, Tanh, type GELUOptions, type ReLUOptions } from './modules/activations.js';
export {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AdaptiveAvgPool3d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
  AdaptiveMaxPool3d,
  type AdaptiveMaxPoolLayerOptions,
  type AdaptiveSize2,
  type AdaptiveSize3,
} from './modules/adaptivePooling.js';
export { MultiheadAttention, type MultiheadAttentionOptions } from './modules/attention.js';
export { type AttentionOptions } from './functional/attention.js';
export { clipGradNorm_, clipGradValue_, type ClipGradNormOptions } from './clipping.js';
export { ModuleList, Sequential, type Layer } from './modules/containers.js';
export { Conv1d, Conv2d, Conv3d, type ConvOptions } from './modules/conv.js';
export { type ConvPaddingMode } from './modules/convNd.js';
export { Dropout, type DropoutOptions } from './modules/dropout.js';
export { Embedding, type EmbeddingLayerOptions } from './modules/embedding.js';
export { Flatten, Unflatten } from './modules/flatten.js';
export { LayerNorm, type LayerNormOptions } from './modules/layerNorm.js';
export { functionalCall, type FunctionalCallOptions, type NamedTensors } from './functionalCall.js';
export { Identity, Linear, type FactoryOptions, type LinearOptions } from './modules/linear.js';
export { type LoadStateDictOptions, type LoadStateDictResult, type StateDict } from './loadStateDict.js';
export { BCEWithLogitsLoss, CrossEntropyLoss, L1Loss, MSELoss, NLLLoss, type Loss } from './modules/losses.js';
export { MaxPool1d, MaxPool2d, MaxPool3d, type MaxPoolLayerOptions, type Pooled } from './modules/pooling.js';
export { type AnySize, type Size1, type Size2, type Size3 } from './modules/sizes.js';
export { Buffer, type BufferOptions } from './buffer.js';
export { Module } from './module.js';
export { type ModuleTarget, type ModuleToOptions } from './movement.js';
export { Parameter } from './parameter.js';
export { type NamedModulesOptions, type NamedOptions } from './traversal.js';
