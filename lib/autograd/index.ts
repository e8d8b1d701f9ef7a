export { detectAnomaly, isAnomalyEnabled, setDetectAnomaly, type AnomalyOptions } from './anomaly.js';
export { checkpoint, type CheckpointOptions } from './checkpoint/checkpoint.js';
export { checkpointSequential } from './checkpoint/sequential.js';
export { AutogradFunction, type FunctionContext, type FunctionGradients } from './function.js';
export { vmap, type MappedDims, type VmapOptions } from './transforms/vmap.js';
export { grad, type GradOptions } from './grad.js';
export { enableGrad, inferenceMode, isGradEnabled, isInferenceModeEnabled, noGrad, setGradEnabled } from './modes.js';
export { savedTensorsHooks } from './savedTensors.js';
