export { ChainedScheduler, SequentialLR, type ChainedSchedulerOptions } from './composition.js';
export {
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  type CosineAnnealingLROptions,
  type CosineAnnealingWarmRestartsOptions,
} from './cosine.js';
export { CyclicLR, type CyclicLROptions } from './cyclic.js';
export {
  ExponentialLR,
  MultiStepLR,
  PolynomialLR,
  StepLR,
  type PolynomialLROptions,
  type StepLROptions,
} from './decay.js';
export { LambdaLR, MultiplicativeLR } from './lambda.js';
export { LRScheduler, type LRSchedulerOptions } from './lrScheduler.js';
export { OneCycleLR, type OneCycleLROptions } from './oneCycle.js';
export { type Rate } from './rates.js';
export { ReduceLROnPlateau, type ReduceLROnPlateauOptions } from './reduceLROnPlateau.js';
export { type Schedule, type SchedulerStateDict } from './state.js';
export { ConstantLR, LinearLR, type ConstantLROptions, type LinearLROptions } from './warmup.js';
