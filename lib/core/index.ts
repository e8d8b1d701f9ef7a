export { BaseDataset, type LoadContext, type Splits } from './baseDataset.js';
export { BaseModel, type LossModule, type StepOutput } from './baseModel.js';
export { BasePreprocessor } from './basePreprocessor.js';
export type {
  BatchEnd,
  BatchStart,
  Callback,
  CheckpointEvent,
  Counters,
  EpochEnd,
  EpochStart,
  EvaluationScores,
  ForwardEnd,
  OptimizerStepEnd,
  OptimizerStepStart,
  PassEvent,
  RunException,
  RunResult,
  RunStart,
  Stage,
  StageEnd,
  StageEvent,
} from './callbacks/callback.js';
export type { ManualOptimizer } from './training/optimization/manualOptimization.js';
export { generateData, type GeneratedData } from './generatedData.js';
export { loadWeights, saveWeights } from './checkpoints/checkpoint.js';
export { Container, createToken, type Factory, type Provider, type Token } from './container.js';
export type { ClassificationScores, ConfusionTable } from './training/measuring/classCounts.js';
export type { ParameterGroup } from './training/weights/parameterGroups.js';
export type { LogOptions } from './training/measuring/logbook.js';
export { Orchestrator, orchestrator, orchestratorOptions, type OrchestratorOptions } from './orchestrator.js';
export { definePlugin, type LoadedPlugin, type PluginMetadata, type PluginModule } from './plugins/plugin.js';
export { loadPlugin, registerPlugin, type LoadPluginOptions } from './plugins/plugins.js';
export { evaluateRun, type EvaluateRunOptions } from './runs/evaluateRun.js';
export { loadRun, type LoadedRun, type LoadRunOptions, type Prediction } from './runs/loadRun.js';
export { predictRun, type ClassifiedPrediction, type PredictRunOptions } from './runs/predictRun.js';
export { createScheduler, type ConfiguredScheduler, type RunLength } from './training/optimization/scheduling.js';
export { singleProcess, type ParallelModel, type ParallelOptions, type ParallelStep, type Ranks } from './ranks.js';
export {
  batchSizeFind,
  type BatchSizeFindOptions,
  type BatchSizeFindResult,
  type BatchSizeTrial,
} from './tuning/batchSizeFind.js';
export { lrFind, type LrFindOptions, type LrFindResult } from './tuning/lrFind.js';
export {
  prepareExperiment,
  type PreparedExperiment,
  type PrepareExperimentOptions,
} from './tuning/preparedExperiment.js';
