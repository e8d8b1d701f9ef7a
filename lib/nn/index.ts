export * as functional from './functional.js';
export * as init from './init.js';
export * as utils from './utils.js';
export { type BackwardHook, type BackwardPreHook, type ModuleGradients } from './hooks/backwardHooks.js';
export { Buffer, type BufferOptions } from './buffer.js';
export { type AttentionOptions } from './functional/attention.js';
export { functionalCall, type FunctionalCallOptions, type NamedTensors } from './state/functionalCall.js';
export { ModuleHookHandle, type ForwardHookOptions, type HookOptions } from './hooks/hookLists.js';
export { hasUninitializedParams, initializeOnForward, type LazyModule } from './lazy.js';
export {
  type LoadStateDictOptions,
  type LoadStateDictResult,
  type ModuleMetadata,
  type StateDictLoading,
} from './state/loadStateDict.js';
export { Module } from './module.js';
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
export {
  AdaptiveLogSoftmaxWithLoss,
  type AdaptiveLogSoftmaxOptions,
  type AdaptiveSoftmaxOutput,
} from './modules/adaptiveSoftmax.js';
export { MultiheadAttention, type MultiheadAttentionOptions } from './modules/attention.js';
export { AvgPool1d, AvgPool2d, AvgPool3d, type AvgPool1dOptions, type AvgPoolOptions } from './modules/avgPooling.js';
export { BatchNorm1d, BatchNorm2d, BatchNorm3d, type BatchNormLayerOptions } from './modules/batchNorm.js';
export { ChannelShuffle } from './modules/channelShuffle.js';
export {
  BCELoss,
  BCEWithLogitsLoss,
  CrossEntropyLoss,
  KLDivLoss,
  NLLLoss,
  NLLLoss2d,
} from './modules/classificationLosses.js';
export { ModuleList, Sequential, type Layer, type Named } from './modules/containers.js';
export { Conv1d, Conv2d, Conv3d, type ConvOptions } from './modules/conv.js';
export { type ConvPaddingMode } from './modules/convNd.js';
export {
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
  type ConvTransposeForwardOptions,
  type ConvTransposeOptions,
} from './modules/convTranspose.js';
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
export { Embedding, type EmbeddingLayerOptions, type PretrainedEmbeddingOptions } from './modules/embedding.js';
export {
  EmbeddingBag,
  type BagsOptions,
  type EmbeddingBagLayerOptions,
  type PretrainedEmbeddingBagOptions,
} from './modules/embeddingBag.js';
export { Flatten, Unflatten } from './modules/flatten.js';
export { Fold, Unfold, type FoldLayerOptions } from './modules/fold.js';
export {
  FractionalMaxPool2d,
  FractionalMaxPool3d,
  type FractionalMaxPoolLayerOptions,
} from './modules/fractionalPooling.js';
export {
  InstanceNorm1d,
  InstanceNorm2d,
  InstanceNorm3d,
  type InstanceNormLayerOptions,
} from './modules/instanceNorm.js';
export {
  LazyConv1d,
  LazyConv2d,
  LazyConv3d,
  LazyConvTranspose1d,
  LazyConvTranspose2d,
  LazyConvTranspose3d,
} from './modules/lazyConv.js';
export {
  LazyBatchNorm1d,
  LazyBatchNorm2d,
  LazyBatchNorm3d,
  LazyInstanceNorm1d,
  LazyInstanceNorm2d,
  LazyInstanceNorm3d,
} from './modules/lazyNorms.js';
export { Bilinear, Identity, LazyLinear, Linear, type FactoryOptions, type LinearOptions } from './modules/linear.js';
export {
  LinearCrossEntropyLoss,
  LinearCrossEntropyOptions,
  type AccumulationPolicy,
  type LinearCrossEntropyLossOptions,
  type LinearCrossEntropySettings,
} from './modules/linearCrossEntropyLoss.js';
export { type Loss } from './modules/losses.js';
export { LPPool1d, LPPool2d, LPPool3d, type LPPoolOptions } from './modules/lpPooling.js';
export {
  MarginRankingLoss,
  MultiLabelMarginLoss,
  MultiLabelSoftMarginLoss,
  MultiMarginLoss,
  SoftMarginLoss,
} from './modules/marginLosses.js';
export { MaxPool1d, MaxPool2d, MaxPool3d, type MaxPoolLayerOptions, type Pooled } from './modules/maxPooling.js';
export { ModuleDict } from './modules/moduleDict.js';
export {
  GroupNorm,
  LayerNorm,
  RMSNorm,
  type GroupNormLayerOptions,
  type LayerNormOptions,
  type RMSNormOptions,
} from './modules/normalization.js';
export {
  CircularPad1d,
  CircularPad2d,
  CircularPad3d,
  ConstantPad1d,
  ConstantPad2d,
  ConstantPad3d,
  ReflectionPad1d,
  ReflectionPad2d,
  ReflectionPad3d,
  ReplicationPad1d,
  ReplicationPad2d,
  ReplicationPad3d,
  ZeroPad1d,
  ZeroPad2d,
  ZeroPad3d,
  type Padding1,
  type Padding2,
  type Padding3,
} from './modules/padding.js';
export { ParameterDict, ParameterList } from './modules/parameterContainers.js';
export { PixelShuffle, PixelUnshuffle } from './modules/pixelShuffle.js';
export {
  CELU,
  ELU,
  Hardtanh,
  LeakyReLU,
  PReLU,
  RReLU,
  ReLU,
  ReLU6,
  SELU,
  Threshold,
  type PReLUOptions,
} from './modules/rectifiers.js';
export { GRU, LSTM, RNN, type LSTMStates, type RNNOptions } from './modules/recurrent.js';
export { RNNBase, type RecurrentBaseOptions, type RecurrentOptions } from './modules/recurrentBase.js';
export {
  GRUCell,
  LSTMCell,
  RNNCell,
  RNNCellBase,
  type RNNCellOptions,
  type RecurrentCellOptions,
} from './modules/recurrentCells.js';
export {
  GaussianNLLLoss,
  HuberLoss,
  L1Loss,
  MSELoss,
  PoissonNLLLoss,
  SmoothL1Loss,
} from './modules/regressionLosses.js';
export { CrossMapLRN2d, LocalResponseNorm, type ResponseNormOptions } from './modules/responseNorm.js';
export { CTCLoss } from './modules/sequenceLosses.js';
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
  CosineEmbeddingLoss,
  HingeEmbeddingLoss,
  TripletMarginLoss,
  TripletMarginWithDistanceLoss,
  type DistanceModule,
  type TripletMarginWithDistanceLayerOptions,
} from './modules/similarityLosses.js';
export { type AnySize, type Size1, type Size2, type Size3 } from './modules/sizes.js';
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
export { SyncBatchNorm, type SyncBatchNormOptions } from './modules/syncBatchNorm.js';
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
export {
  MaxUnpool1d,
  MaxUnpool2d,
  MaxUnpool3d,
  type MaxUnpoolForwardOptions,
  type MaxUnpoolLayerOptions,
} from './modules/unpooling.js';
export {
  Upsample,
  UpsamplingBilinear2d,
  UpsamplingNearest2d,
  type UpsampleOptions,
  type UpsamplingOptions,
} from './modules/upsampling.js';
export { type ModuleTarget, type ModuleToOptions } from './movement.js';
export { Parameter } from './parameter.js';
export { type StateDict, type StateDictOptions } from './state/stateDict.js';
export { type SyncGroup } from './syncGroup.js';
export { LayerSummary, ModelSummary, summary, type SummaryInput, type SummaryOptions } from './printing/summary.js';
export { type SummaryColumn } from './printing/summaryTable.js';
export { type NamedModulesOptions, type NamedOptions } from './members/traversal.js';
export { UninitializedBuffer, UninitializedParameter, type UninitializedOptions } from './uninitialized.js';
