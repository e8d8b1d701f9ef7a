export { vmap, type MappedDims, type VmapOptions } from './vmap.js';
export { grad, type GradOptions } from './grad.js';
export { enableGrad, inferenceMode, isGradEnabled, isInferenceModeEnabled, noGrad } from './modes.js';
