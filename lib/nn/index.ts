export * as functional from './functional.js';
export * as init from './init.js';
export * as utils from './utils.js';
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
export { MultiheadAttention, type MultiheadAttentionOptions } from './modules/attention.js';
export { type AttentionOptions } from './functional/attention.js';
export { clipGradNorm_, clipGradValue_, type ClipGradNormOptions } from './clipping.js';
export { ModuleList, Sequential, type Layer } from './modules/containers.js';
export { Dropout, type DropoutOptions } from './modules/dropout.js';
export { Embedding, type EmbeddingLayerOptions } from './modules/embedding.js';
export { LayerNorm, type LayerNormOptions } from './modules/layerNorm.js';
export { functionalCall, type FunctionalCallOptions, type NamedTensors } from './functionalCall.js';
export { Identity, Linear, type FactoryOptions, type LinearOptions } from './modules/linear.js';
export {
  Transformer,
  TransformerDecoder,
  TransformerEncoder,
  type Decoder,
  type DecoderLayer,
  type Encoder,
  type EncoderLayer,
  type TransformerDecoderMasks,
  type TransformerDecoderOptions,
  type TransformerEncoderMasks,
  type TransformerEncoderOptions,
  type TransformerMasks,
  type TransformerOptions,
} from './modules/transformer.js';
export {
  TransformerDecoderLayer,
  TransformerEncoderLayer,
  type TransformerActivation,
  type TransformerDecoderLayerMasks,
  type TransformerEncoderLayerMasks,
  type TransformerLayerOptions,
} from './modules/transformerLayers.js';
export { type LoadStateDictOptions, type LoadStateDictResult, type StateDict } from './loadStateDict.js';
export { GRU, LSTM, RNN, type LSTMStates, type RNNOptions } from './modules/recurrent.js';
export { RNNBase, type RecurrentBaseOptions, type RecurrentOptions } from './modules/recurrentBase.js';
export {
  GRUCell,
  LSTMCell,
  RNNCell,
  RNNCellBase,
  type RecurrentCellOptions,
  type RNNCellOptions,
} from './modules/recurrentCells.js';
export { BCEWithLogitsLoss, CrossEntropyLoss, L1Loss, MSELoss, NLLLoss, type Loss } from './modules/losses.js';
export { Buffer, type BufferOptions } from './buffer.js';
export { Module } from './module.js';
export { type ModuleTarget, type ModuleToOptions } from './movement.js';
export { Parameter } from './parameter.js';
export { type NamedModulesOptions, type NamedOptions } from './traversal.js';
