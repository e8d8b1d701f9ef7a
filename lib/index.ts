import { provideRanks } from './core/ranks.js';

export * from './tensor/index.js';
export * from './autograd/index.js';
export * from './core/index.js';
export * as amp from './amp/index.js';
export * as autograd from './autograd/namespace.js';
export * as cuda from './cuda/index.js';
export * as data from './data/index.js';
export * as distributed from './distributed/index.js';
export * as func from './func/index.js';
export * as metrics from './metrics/index.js';
export * as nn from './nn/index.js';
export * as optim from './optim/index.js';
export * as profiler from './profiler/index.js';
export * as testing from './testing/index.js';
export { defineExperiment, type ExperimentInput } from './config/defineExperiment.js';
export { ExperimentConfig } from './config/experimentConfig.js';
export { dumpConfig, loadExperimentConfig } from './config/load.js';
export { ModelConfig, SimpleNNConfig, TransformerConfig } from './config/modelConfigs.js';
export { resolveData } from './config/resolveData.js';
export { SchedulerConfig } from './config/schedulerConfig.js';
export { readSettings, settings, type Settings } from './config/settings.js';
export { TrainingConfig } from './config/trainingConfig.js';
export { validate, type ValidateOptions } from './config/validate.js';
export { AiforgeError, errorCodes, TensorDisposedError, type ErrorCode } from './errors.js';
export { addLogFile, childLogger, logger, type Logger } from './log.js';
export { load, save, type LoadOptions } from './serialization/index.js';

// `core` knows nothing of process groups.
provideRanks(async (device) => (await import('./distributed/ranks.js')).joinRanks({ device }));
