import './refusedAssignments.js';

export * as lrScheduler from './lrScheduler/index.js';
export * as swaUtils from './swaUtils.js';
export { Adadelta, type AdadeltaOptions } from './adadelta.js';
export { Adafactor, type AdafactorOptions } from './adafactor.js';
export { Adagrad, type AdagradOptions } from './adagrad.js';
export { Adam, AdamW, type AdamOptions } from './adam.js';
export { Adamax, type AdamaxOptions } from './adamax.js';
export { ASGD, type ASGDOptions } from './asgd.js';
export { type Bucket, type ParameterState, type StateValue } from './bucket.js';
export {
  OptimizerHookHandle,
  registerOptimizerStepPostHook,
  registerOptimizerStepPreHook,
  type OptimizerHook,
  type StateDictHook,
  type StepArguments,
  type StepPostHook,
  type StepPreHook,
} from './hooks.js';
export { LBFGS, type LBFGSOptions } from './lbfgs.js';
export { Muon, type MuonOptions } from './muon.js';
export { NAdam, type NAdamOptions } from './nadam.js';
export {
  Optimizer,
  type OptimizerOptions,
  type ParameterGroup,
  type ParameterGroupOptions,
  type Parameters,
} from './optimizer.js';
export { type CapturableOptions, type CommonOptions } from './options.js';
export { RAdam, type RAdamOptions } from './radam.js';
export { RMSprop, type RMSpropOptions } from './rmsprop.js';
export { Rprop, type RpropOptions } from './rprop.js';
export { type Scalar } from './scalars.js';
export { SGD, type SGDOptions } from './sgd.js';
export { SparseAdam, type SparseAdamOptions } from './sparseAdam.js';
export { type OptimizerStateDict, type PackedGroup } from './stateDict.js';
