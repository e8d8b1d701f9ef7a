export {
  clipGradNorm_,
  clipGradsWithNorm_,
  clipGradValue_,
  getTotalNorm,
  type ClipGradNormOptions,
} from './clipping.js';
export * as rnn from './packing/index.js';
