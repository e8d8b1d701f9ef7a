export {
  clipGradNorm_,
  clipGradsWithNorm_,
  clipGradValue_,
  getTotalNorm,
  type ClipGradNormOptions,
} from './clipping.js';
export * as rnn from './packing/index.js';
export * as parametrizations from './parametrizations/index.js';
export { removeSpectralNorm, spectralNorm } from './parametrizations/legacySpectralNorm.js';
export { removeWeightNorm, weightNorm } from './parametrizations/legacyWeightNorm.js';
export * as parametrize from './parametrize/index.js';
export * as prune from './pruning/index.js';
