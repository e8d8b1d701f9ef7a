export { Adam, AdamW, type AdamOptions } from './adam.js';
export { type ParameterState } from './bucket.js';
export {
  Optimizer,
  type OptimizerOptions,
  type ParameterGroup,
  type ParameterGroupOptions,
  type Parameters,
} from './optimizer.js';
export * as lrScheduler from './lrScheduler/index.js';
export { SGD, type SGDOptions } from './sgd.js';
export * as swaUtils from './swaUtils.js';
export { type OptimizerStateDict, type PackedGroup } from './stateDict.js';
