export { vmap, type MappedDims, type VmapOptions } from './vmap.js';
export { AutogradFunction, type FunctionContext, type FunctionGradients } from './function.js';
export { grad, type GradOptions } from './grad.js';
export { enableGrad, inferenceMode, isGradEnabled, isInferenceModeEnabled, noGrad } from './modes.js';
