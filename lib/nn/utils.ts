export {
  clipGradNorm_,
  clipGradsWithNorm_,
  clipGradValue_,
  getTotalNorm,
  type ClipGradNormOptions,
} from './weights/clipping.js';
export {
  fuseConvBnEval,
  fuseConvBnWeights,
  fuseLinearBnEval,
  fuseLinearBnWeights,
  type BatchNormTensors,
  type Normalizing,
  type Weighted,
} from './weights/fusion.js';
export { convertConv2dWeightMemoryFormat, convertConv3dWeightMemoryFormat } from './weights/memoryFormat.js';
export * as rnn from './packing/index.js';
export { parametersToVector, vectorToParameters } from './weights/parameterVector.js';
export * as parametrizations from './parametrizations/index.js';
export { removeSpectralNorm, spectralNorm } from './parametrizations/legacySpectralNorm.js';
export { removeWeightNorm, weightNorm } from './parametrizations/legacyWeightNorm.js';
export * as parametrize from './parametrize/index.js';
export * as prune from './pruning/index.js';
export { skipInit } from './weights/skipInit.js';
