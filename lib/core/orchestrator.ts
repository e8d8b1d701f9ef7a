import path from 'node:path';

import { writeFileAtomic } from '../atomicFile.js';
import type { ExperimentConfig } from '../config/experimentConfig.js';
import { dumpConfig } from '../config/load.js';
import { readSettings, type Settings } from '../config/settings.js';
import { addLogFile, logger } from '../log.js';
import { manualSeed, setNumThreads } from '../tensor/index.js';
import type { RunStatus, Tracker } from '../tracking/tracker.js';
import type { BaseModel } from './baseModel.js';
import type { Callback, RunResult } from './callback.js';
import {
  checkpointFile,
  loadCheckpoint,
  loadWeights,
  saveWeights,
  type Checkpoint,
  type RunState,
} from './checkpoints/checkpoint.js';
import { Container, createToken } from './container.js';
import { EarlyStopping } from './training/earlyStopping.js';
import { evaluate } from './training/evaluation.js';
import { createModel, prepareData, resolvedConfig, resolvePlugins, type ExperimentData } from './runs/experiment.js';
import { singleProcess, type Ranks } from './ranks.js';
import { createRunDirectory, runFiles, type RunFiles } from './runs/runDirectory.js';
import { openTracking } from './runs/tracking.js';
import { Trainer } from './training/trainer.js';

export interface OrchestratorOptions {
  /** Folder that plugin paths are relative to, that of the configuration file. Default: the working directory. */
  from?: string;
  /** The processes that train together. Default: this one alone. */
  ranks?: Ranks;
  /** Aborting it ends the run at the next step, with a checkpoint to resume from. */
  signal?: AbortSignal;
  callbacks?: readonly Callback[];
  /** Default: the environment's. */
  settings?: Settings;
}

/** A run's parts that do not change while it goes on. */
interface Run {
  config: ExperimentConfig;
  files: RunFiles;
  data: ExperimentData;
  model: BaseModel;
  trainer: Trainer;
  state: RunState;
  stopping: EarlyStopping;
  tracker: Tracker;
}

/**
 * Runs one experiment: loads the plugins and the data, fits the preprocessor, trains with validation, early stopping and
 * checkpoints, tests the best weights and records everything in the run's folder and in MLflow.
 *
 * @example
 * import { Container, loadExperimentConfig, orchestrator } from 'aiforge';
 * const container = new Container();
 * container.experimentConfig.override(loadExperimentConfig('experiments/simple_nn.yaml', ['training.epochs=1']));
 * const result = await container.get(orchestrator).runExperiment();
 */
export class Orchestrator {
  readonly #config: ExperimentConfig;
  readonly #givenRunId: string | null;
  readonly #options: OrchestratorOptions;
  readonly #ranks: Ranks;
  readonly #settings: Settings;
  readonly #callback: Required<Callback>;
  readonly #history: Record<string, number>[] = [];

  constructor(container: Container, options: OrchestratorOptions = {}) {
    this.#config = container.experimentConfig();
    this.#givenRunId = container.mlflowRunId();
    this.#options = options;
    this.#ranks = options.ranks ?? singleProcess;
    this.#settings = options.settings ?? readSettings();
    const all = options.callbacks ?? [];
    this.#callback = {
      onRunStart: (run) => all.forEach((callback) => callback.onRunStart?.(run)),
      onStepEnd: (step) => all.forEach((callback) => callback.onStepEnd?.(step)),
      onEpochEnd: (epoch) => all.forEach((callback) => callback.onEpochEnd?.(epoch)),
      onRunEnd: (result) => all.forEach((callback) => callback.onRunEnd?.(result)),
    };
  }

  /**
   * Trains and tests. Rejects with the first error, after the run was closed as FAILED; never leaves a file half-written.
   * An abort resolves with status `interrupted`.
   */
  async runExperiment(): Promise<RunResult> {
    const from = this.#options.from ?? process.cwd();
    const plugins = resolvePlugins(this.#config, from);
    const resumed = this.#readResumed();
    const files = await this.#openFiles(resumed?.file);
    const config = resolvedConfig(this.#config, plugins, from, files.directory);
    const closeLog = this.#ranks.rank === 0 ? addLogFile(files.log) : () => undefined;
    const runName = path.basename(files.directory);
    const tracked = { experimentName: config.experimentName, runName, directory: files.directory };
    const runId = this.#givenRunId ?? resumed?.checkpoint.state.mlflowRunId ?? null;
    const { tracker, mlflowRunId } = await openTracking(tracked, this.#settings, this.#ranks, runId);
    let status: RunStatus = 'FAILED';
    try {
      if (this.#ranks.rank === 0) writeFileAtomic(files.config, dumpConfig(config));
      if (resumed === undefined) tracker.logParams(config);
      this.#useThreads();
      const data = await prepareData(config, plugins, this.#ranks, this.#settings.DATA_DIR, files.preprocessor);
      // Only now: the initial weights do not depend on what the data drew.
      manualSeed(config.training.seed);
      const run = await this.#prepareRun({ config, files, data, tracker }, createModel(plugins), mlflowRunId);
      if (resumed !== undefined) this.#resume(run, resumed.checkpoint);
      const result = await this.#train(run);
      status = result.status === 'finished' ? 'FINISHED' : 'KILLED';
      this.#callback.onRunEnd(result);
      return result;
    } catch (error) {
      logger.error(error as Error, 'The run failed');
      throw error;
    } finally {
      await tracker.finish(status);
      closeLog();
    }
  }

  #readResumed(): { file: string; checkpoint: Checkpoint } | undefined {
    const { resumeFrom } = this.#config.training;
    if (resumeFrom === null) return undefined;
    const file = checkpointFile(resumeFrom);
    return { file, checkpoint: loadCheckpoint(file) };
  }

  /** Rank 0 makes the run's folder, or goes on in that of the checkpoint, and tells the others. */
  async #openFiles(resumedFile: string | undefined): Promise<RunFiles> {
    let directory: string | null = null;
    if (this.#ranks.rank === 0) {
      directory =
        resumedFile === undefined
          ? createRunDirectory(this.#settings.RUNS_DIR, this.#config.experimentName)
          : path.dirname(resumedFile);
    }
    const bytes = await this.#ranks.broadcastBytes(directory === null ? null : Buffer.from(directory));
    return runFiles(Buffer.from(bytes).toString());
  }

  #useThreads(): void {
    const { numThreads } = this.#config.training;
    if (numThreads !== null) setNumThreads(numThreads);
  }

  async #prepareRun(
    { config, files, data, tracker }: Pick<Run, 'config' | 'files' | 'data' | 'tracker'>,
    model: BaseModel,
    mlflowRunId: string | null,
  ): Promise<Run> {
    const { training } = config;
    model.lossFn = model.configureLossFn(training.lossFnName);
    const optimizer = model.configureOptimizer(training.optimizerName, training.learningRate, training.optimizerArgs);
    const { worldSize, rank } = this.#ranks;
    const state: RunState = {
      epoch: 0,
      batch: 0,
      step: 0,
      best: null,
      bestEpoch: 0,
      badEpochs: 0,
      worldSize,
      mlflowRunId,
    };
    const trainer = new Trainer({
      training,
      model,
      optimizer,
      parallel: await this.#ranks.parallelize(model),
      data,
      ranks: this.#ranks,
      state,
      checkpointFile: files.last,
      signal: this.#options.signal,
      callback: this.#callback,
      onStep: (metrics) => tracker.logMetrics(metrics, { step: state.step, epoch: state.epoch }),
    });
    // Each rank draws its own numbers from here on (dropout), after all have drawn the same initial weights.
    if (worldSize > 1) manualSeed(training.seed + rank);
    const { train, val, test } = data.splits;
    this.#callback.onRunStart({
      config,
      runDirectory: files.directory,
      parameters: [...model.parameters()].reduce((sum, parameter) => sum + parameter.numel(), 0),
      samples: { train: train.length, val: val.length, test: test.length },
      rank,
      worldSize,
    });
    return { config, files, data, model, trainer, state, stopping: new EarlyStopping(training), tracker };
  }

  #resume(run: Run, checkpoint: Checkpoint): void {
    run.trainer.resume(checkpoint);
    run.stopping.best = run.state.best;
    run.stopping.badEpochs = run.state.badEpochs;
  }

  async #train(run: Run): Promise<RunResult> {
    const { state, stopping, config } = run;
    let isInterrupted = false;
    while (state.epoch < config.training.epochs && !stopping.shouldStop && !isInterrupted) {
      const start = performance.now();
      isInterrupted = !(await run.trainer.trainEpoch());
      if (!isInterrupted) await this.#endEpoch(run, (performance.now() - start) / 1000);
    }
    return {
      status: isInterrupted ? 'interrupted' : 'finished',
      runDirectory: run.files.directory,
      epochs: state.epoch,
      bestEpoch: state.bestEpoch,
      stoppedEarly: stopping.shouldStop,
      history: this.#history,
      test: isInterrupted ? undefined : await this.#test(run),
      mlflowRunId: state.mlflowRunId,
      classNames: run.data.classNames,
    };
  }

  async #endEpoch(run: Run, seconds: number): Promise<void> {
    const { state, stopping, config, files, model, tracker } = run;
    const metrics = await this.#epochMetrics(run);
    const isBest = stopping.update(metrics);
    const rates = run.trainer.endEpoch(metrics);
    const epoch = state.epoch;
    Object.assign(state, { epoch: epoch + 1, batch: 0, best: stopping.best, badEpochs: stopping.badEpochs });
    if (isBest) state.bestEpoch = epoch;
    if (isBest && this.#ranks.rank === 0) saveWeights(files.best, model, epoch);
    if (config.training.checkpoint.keepLast) await run.trainer.save();
    tracker.logMetrics({ ...metrics, ...rates }, { step: state.step, epoch });
    this.#history.push(metrics);
    this.#callback.onEpochEnd({ epoch, epochs: config.training.epochs, seconds, metrics, isBest });
  }

  async #epochMetrics(run: Run): Promise<Record<string, number>> {
    const { model, data, config } = run;
    const train = await run.trainer.trainMetrics();
    const metrics: Record<string, number> = { train_loss: train.loss };
    if (train.scores !== undefined) metrics.train_accuracy = train.scores.accuracy;
    if (data.splits.val.length === 0) return metrics;
    const val = await evaluate(model, data.samples, data.splits.val, config.training.batchSize, this.#ranks);
    metrics.val_loss = val.loss;
    if (val.scores !== undefined) Object.assign(metrics, { val_accuracy: val.scores.accuracy, val_f1: val.scores.f1 });
    return metrics;
  }

  /** Tests the best epoch's weights on the held-out split. */
  async #test(run: Run): Promise<RunResult['test']> {
    const { model, data, config, files, tracker, state } = run;
    if (data.splits.test.length === 0) return undefined;
    await this.#ranks.barrier();
    if (state.best !== null) loadWeights(files.best, model);
    const { loss, scores } = await evaluate(
      model,
      data.samples,
      data.splits.test,
      config.training.batchSize,
      this.#ranks,
    );
    const metrics: Record<string, number> = { test_loss: loss };
    if (scores !== undefined) Object.assign(metrics, { test_accuracy: scores.accuracy, test_f1: scores.f1 });
    tracker.logMetrics(metrics, { step: state.step, epoch: state.epoch });
    return { loss, ...scores };
  }
}

/** The options that a container's orchestrator gets; override them with `container.provide`. */
export const orchestratorOptions = createToken<OrchestratorOptions>('orchestratorOptions');

/** The orchestrator of a container's experiment. */
export const orchestrator = createToken<Orchestrator>('orchestrator');

Container.register(orchestratorOptions, () => ({}));
Container.register(orchestrator, (container) => new Orchestrator(container, container.get(orchestratorOptions)));
