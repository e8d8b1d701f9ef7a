import { Buffer } from 'node:buffer';
import { rmSync } from 'node:fs';

import { writeFileAtomic } from '../atomicFile.js';
import type { ExperimentConfig } from '../config/experimentConfig.js';
import { dumpConfig } from '../config/load.js';
import { placed, withSourceOf } from '../config/source.js';
import { checkSettings, readSettings, type Settings } from '../config/settings.js';
import { AiforgeError } from '../errors.js';
import { anything, kind, string, type Kind } from '../kinds.js';
import { addLogFile, fileLogger, logger } from '../log.js';
import { signature } from '../signature.js';
import { manualSeed, scope, setNumThreads, type Device } from '../tensor/index.js';
import type { RunStatus, Tracker } from '../tracking/tracker.js';
import type { Callback, RunResult } from './callbacks/callback.js';
import { Callbacks, callbacksKind } from './callbacks/callbacks.js';
import type { RunState } from './checkpoints/checkpoint.js';
import { CheckpointWriter } from './checkpoints/checkpointWriter.js';
import { goBackTo } from './checkpoints/goingBack.js';
import { splitTensors } from './checkpoints/tensorTree.js';
import { checksumOfFile } from './checkpoints/checksum.js';
import { checkedConfig, Container, createToken } from './container.js';
import { frozenCopy } from './copies.js';
import { describeDevice, deviceOf, onDevice } from './devices.js';
import { restoreRandomState } from './randomState.js';
import { joinLaunchedRanks, ranksKind, type Ranks } from './ranks.js';
import { initialState, requireSame, startOf, tracked } from './runs/beginning.js';
import { describeSamples } from './runs/workerSamples.js';
import { prepareData, resolvedConfig, sharePreprocessor, type ExperimentData } from './runs/experiment.js';
import { planRun, resumeOptimizers, type ResumedRun, type RunPlan } from './runs/plan.js';
import { withResumed } from './runs/resuming.js';
import { createRunDirectory, removeHalfWritten, runFiles, warnOfMissing, type RunFiles } from './runs/runDirectory.js';
import { RunLock } from './runs/runLock.js';
import { saving } from './runs/saving.js';
import { asSoleRun } from './runs/soleRun.js';
import { openTracking, type OpenTracking } from './runs/tracking.js';
import { Agreement, RunRequests } from './training/agreement.js';
import { Averaging } from './training/weights/averaging.js';
import { warnOfNoAverages } from './training/noAverages.js';
import { countersOf } from './training/counters.js';
import { EarlyStopping } from './training/earlyStopping.js';
import { fit, tryMonitor, type Run } from './training/fit.js';
import { limitSplits } from './training/limits.js';
import { Parallel, parallelOptions } from './training/parallel.js';
import { Placement } from './training/placement.js';
import { Precision } from './training/optimization/precision.js';
import { whileUnderWay } from './training/measuring/runsUnderWay.js';
import { Trainer } from './training/trainer.js';
import { signalKind, throwErrorOf, untilAborted } from './untilAborted.js';

export interface OrchestratorOptions {
  /**
   * Folder from which plugins are looked for by their names, that of the configuration file, and which paths are relative to in
   * a configuration that was not read from a file. Default: the working directory.
   */
  from?: string;
  /** The processes that train together. Default: those that `aiforge-launch` or torchrun started, else this one alone. */
  ranks?: Ranks;
  /** Aborting it ends the run at the next batch, with a checkpoint to resume from. */
  signal?: AbortSignal;
  /** What listens to the run, in this order. Default: nothing. */
  callbacks?: readonly Callback[];
  /** Folders and the address of MLflow. Default: those of the environment. */
  settings?: Settings;
}

const orchestratorTakes = signature<OrchestratorOptions>(
  { container: kind<Container>('a Container', (value) => value instanceof Container) },
  {
    from: string,
    ranks: ranksKind,
    signal: signalKind,
    callbacks: callbacksKind,
    // What is in it may be anybody's environment, which no error shows.
    settings: anything as Kind<Settings>,
  },
);

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
  readonly #settings: Settings;
  readonly #callbacks: Callbacks;
  readonly #requests: RunRequests;

  /**
   * Throws INVALID_ARGUMENT for an option, or a callback's method, that nobody knows or that is of a wrong kind; CONFIG_INVALID
   * for a configuration that is none.
   */
  constructor(container: Container, options: OrchestratorOptions = {}) {
    orchestratorTakes.check(new.target.name, arguments);
    if (options.settings !== undefined) checkSettings(options.settings);
    // As it is now: what plugins and callbacks do to it, or whoever made it, does not change the run.
    const given = container.experimentConfig();
    this.#config = withSourceOf(given, frozenCopy(checkedConfig(given)));
    this.#givenRunId = container.mlflowRunId();
    this.#options = options;
    this.#settings = options.settings ?? readSettings();
    this.#callbacks = new Callbacks(options.callbacks ?? []);
    this.#requests = new RunRequests(options.signal ?? new AbortController().signal);
  }

  /**
   * Trains and tests. Rejects with the first error, after the run was closed as FAILED; never leaves a file half-written.
   * An abort resolves with status `interrupted`, or rejects with RUN_INTERRUPTED while the data is still prepared. An abort
   * with an error of its own as the reason saves the checkpoint too, and rejects with that error.
   */
  async runExperiment(): Promise<RunResult> {
    return asSoleRun(this.#config.training, () => this.#run());
  }

  async #run(): Promise<RunResult> {
    const device = placed(this.#config, () => deviceOf(this.#config.training.device));
    return onDevice(device, async () => this.#runJoined(device));
  }

  async #runJoined(device: Device): Promise<RunResult> {
    if (this.#options.ranks !== undefined) return this.#runOn(this.#options.ranks, device);
    const { ranks, leave } = await untilAborted(this.#requests.signal, 'it started', joinLaunchedRanks(device));
    try {
      const result = await this.#runOn(ranks, device);
      await leave();
      return result;
    } catch (error) {
      // It may wait for ranks that wait for this one.
      leave().catch(() => undefined);
      throw error;
    }
  }

  /** Asks for a checkpoint after the batch that is under way; training goes on. One rank's request is enough. */
  requestCheckpoint(): void {
    this.#requests.save();
  }

  async #runOn(ranks: Ranks, device: Device): Promise<RunResult> {
    this.#useThreads();
    const config = await withResumed(this.#config, this.#settings.RUNS_DIR, ranks);
    const plan = planRun(config, this.#options.from ?? process.cwd(), ranks, device);
    return whileUnderWay(plan.model, () => this.#runPlanned(plan, ranks));
  }

  async #runPlanned(plan: RunPlan, ranks: Ranks): Promise<RunResult> {
    const lock = ranks.rank === 0 && plan.resumed ? RunLock.acquire(plan.resumed.directory) : undefined;
    try {
      const data = await this.#prepareData(plan, ranks);
      // Nothing is written before every rank has come so far.
      await untilAborted(this.#requests.signal, 'its data was prepared', ranks.barrier());
      return await this.#open(plan, data, ranks);
    } finally {
      lock?.release();
    }
  }

  #useThreads(): void {
    const { numThreads } = this.#config.training;
    if (numThreads !== null) setNumThreads(numThreads);
  }

  async #prepareData({ config, plugins, resumed, rng, device }: RunPlan, ranks: Ranks): Promise<ExperimentData> {
    // What the data draws depends on the seed alone, and what training draws does not depend on the data.
    manualSeed(config.training.seed);
    const context = { ranks, dataDir: this.#settings.DATA_DIR, signal: this.#requests.signal };
    const preprocessor = resumed && runFiles(resumed.directory).preprocessor;
    const prepared = await untilAborted(
      this.#requests.signal,
      'its data was prepared',
      prepareData(config, plugins, context, preprocessor),
    );
    const data = { ...prepared, splits: limitSplits(prepared.splits, config.training, ranks.worldSize) };
    restoreRandomState(rng, device);
    if (config.training.earlyStoppingMonitor.startsWith('val_') && data.splits.val.length === 0) {
      throw new AiforgeError(
        'CONFIG_INVALID',
        `training.earlyStoppingMonitor is '${config.training.earlyStoppingMonitor}', but there are no samples to validate on: ` +
          'set training.valFraction above 0 and training.limitValBatches not to 0, or watch train_loss.',
      );
    }
    if (resumed !== undefined && resumed.checkpoint.state.trainSamples !== data.splits.train.length) {
      throw new AiforgeError(
        'TRAINING_FAILED',
        `The run trained on ${resumed.checkpoint.state.trainSamples} samples, and there are ${data.splits.train.length} now: ` +
          'it can only be resumed with the same data.',
      );
    }
    return data;
  }

  /** Opens the folder and the trackers, and sees to it that they are closed whatever comes. */
  async #open(plan: RunPlan, data: ExperimentData, ranks: Ranks): Promise<RunResult> {
    const files = await this.#openFiles(plan, ranks);
    const isFirst = ranks.rank === 0;
    const lock = isFirst && plan.resumed === undefined ? RunLock.acquire(files.directory) : undefined;
    const closeLog = isFirst ? saving(files.log, () => addLogFile(files.log)) : () => undefined;
    let status: RunStatus = 'FAILED';
    let tracker: Tracker | undefined;
    process.on('uncaughtExceptionMonitor', logFatal);
    try {
      if (isFirst) removeHalfWritten(files);
      if (isFirst && plan.resumed !== undefined) goBackTo(plan.resumed, files);
      const state = initialState(ranks.worldSize, data);
      const tracking = await openTracking(
        tracked(plan, files),
        this.#settings,
        ranks,
        this.#givenRunId ?? plan.resumed?.checkpoint.state.mlflowRunId ?? null,
        plan.config.training.tensorboard,
      );
      ({ tracker } = tracking);
      state.mlflowRunId = tracking.mlflowRunId;
      const run = await this.#prepareRun(plan, data, ranks, { files, state, tracking });
      const result = await this.#runThrough(run);
      status = result.status === 'finished' ? 'FINISHED' : 'KILLED';
      return result;
    } catch (error) {
      status = 'FAILED';
      // The console shows what is thrown, once.
      fileLogger.error(error as Error, 'The run failed');
      throw error;
    } finally {
      process.off('uncaughtExceptionMonitor', logFatal);
      await tracker?.finish(status);
      if (isFirst && status !== 'FAILED') warnOfMissing(files);
      closeLog();
      lock?.release();
    }
  }

  /** From onRunStart to onRunEnd: whatever is thrown there is told to onException, once. */
  async #runThrough(run: Run): Promise<RunResult> {
    const { plan, ranks, state, trainer, callbacks } = run;
    const { training } = plan.config;
    let isTraining = false;
    try {
      await this.#begin(run);
      isTraining = true;
      const result = await fit(run);
      isTraining = false;
      if (result.status === 'interrupted') throwErrorOf(run.agreement.reason);
      if (ranks.rank === 0 && result.status === 'finished') warnOfNoAverages(run.averaging, training, state);
      await callbacks.tell('onRunEnd', () => result);
      return result;
    } catch (error) {
      await quietly('onException', () =>
        callbacks.tell('onException', () => ({ ...countersOf(state, training), error })),
      );
      // An error between two batches leaves a checkpoint, of a process that trains alone: others would be waited for.
      const isOurs = error instanceof AiforgeError && error.code === 'TRAINING_FAILED';
      const mayLeave = isTraining && training.checkpoint.onException && ranks.worldSize === 1;
      if (mayLeave && trainer.isWhole && !isOurs) await quietly('The checkpoint', () => trainer.save());
      throw error;
    } finally {
      await quietly('Ending what makes batches', () => trainer.close());
    }
  }

  /** What is to be found out before anything is trained. */
  async #begin(run: Run): Promise<void> {
    const { plan, data, ranks, files, state, callbacks } = run;
    const known = new Set(plan.model.parameters());
    await callbacks.tell('onRunStart', () => startOf(plan, data, ranks, files));
    requireSame(plan.model, known);
    // What a checkpoint cannot hold is told before the first one is due.
    scope(() => splitTensors(callbacks.save()));
    // Also in a run that goes on from a stop before its first batch, which may have come in there.
    if (state.trainedBatches === 0) await tryMonitor(run);
  }

  /** Rank 0 makes the run's folder, or goes on in that of the checkpoint, and tells the others. */
  async #openFiles({ resumed, config }: RunPlan, ranks: Ranks): Promise<RunFiles> {
    if (ranks.rank !== 0) return runFiles(Buffer.from(await ranks.broadcastBytes(null)).toString());
    const directory = resumed?.directory ?? createRunDirectory(this.#settings.RUNS_DIR, config.experimentName);
    try {
      await ranks.broadcastBytes(Buffer.from(directory));
      return runFiles(directory);
    } catch (error) {
      if (resumed === undefined) rmSync(directory, { recursive: true, force: true });
      throw error;
    }
  }

  async #prepareRun(
    plan: RunPlan,
    data: ExperimentData,
    ranks: Ranks,
    { files, state, tracking }: { files: RunFiles; state: RunState; tracking: OpenTracking },
  ): Promise<Run> {
    const { model, optimizers, plugins, resumed, config, device } = plan;
    const { training } = config;
    const callbacks = this.#callbacks;
    const placement = new Placement(model, device, device !== 'cpu' && (training.pinMemory ?? true));
    const precision = new Precision(training.precision, device, training.logStepMetrics);
    fileLogger.info({ device: describeDevice(device), precision: training.precision }, 'The model trains here');
    const { tracker } = tracking;
    const recorded = resolvedConfig(config, plugins, files.directory);
    const agreement = new Agreement(this.#requests, ranks);
    const parallel = await Parallel.open(ranks, model, parallelOptions(training, resumed?.checkpoint));
    if (resumed === undefined) await sharePreprocessor(data, ranks, files.preprocessor);
    const preprocessor = checksumOfFile(files.preprocessor);
    describeSamples(data, data.source, data.preprocessor === undefined ? null : files.preprocessor);
    const averaging = training.averaging === null ? null : new Averaging(training.averaging, model);
    const writer = new CheckpointWriter({
      ...{ training, files, ranks, state, callbacks, preprocessor },
      flush: () => tracker.flush?.(),
    });
    const shared = { ranks, parallel, agreement, callbacks, placement, precision, averaging, state, writer, data };
    const trainer = new Trainer({
      ...shared,
      training,
      model,
      optimizers,
      identity: {
        config: recorded,
        plugins: { model: plugins.model.name, dataset: plugins.dataset.name },
        preprocessor,
      },
      onStep: (metrics, at, recorder) => {
        tracker.logMetrics(metrics, at);
        recorder?.write(tracker, at);
      },
    });
    // Each rank draws its own numbers from here on (dropout), after all have drawn the same initial weights.
    if (ranks.worldSize > 1) manualSeed(training.seed + ranks.rank);
    const stopping = new EarlyStopping(training);
    if (resumed === undefined) {
      tracker.logParams(recorded);
    } else {
      // Again: making the scheduler has set the rates of a first step.
      resumeOptimizers(resumed, optimizers, model);
      trainer.resume(resumed.checkpoint);
      stopping.restore(state.stopping);
      this.#restoreCallbacks(resumed);
      if (Object.keys(resumed.changes).length > 0) {
        logger.info({ changes: resumed.changes, step: state.step }, 'The run goes on with other settings');
        tracker.logChanges(resumed.changes, { step: state.step, epoch: state.epoch + 1 });
      }
    }
    if (ranks.rank === 0) saving(files.config, () => writeFileAtomic(files.config, dumpConfig(recorded)));
    return { ...shared, plan, files, trainer, stopping, tracker, history: [] };
  }

  #restoreCallbacks({ checkpoint }: ResumedRun): void {
    const left = this.#callbacks.restore(checkpoint.callbacks);
    if (left.length === 0) return;
    logger.warn(
      `The checkpoint has the state of ${left.join(' and ')}, which no callback of this run takes: it is dropped`,
    );
  }
}

/** Where nobody else takes it, such an error ends the process, and no `finally` runs. */
function logFatal(error: Error): void {
  if (process.listenerCount('uncaughtException') === 0)
    fileLogger.error(error, 'An error that nobody caught ended the run');
}

/** Work after an error, which is the one to be told. */
async function quietly(what: string, work: () => Promise<void> | undefined): Promise<void> {
  try {
    await work();
  } catch (error) {
    logger.warn({ err: error }, `${what} failed after the error that ends the run`);
  }
}

/** The options that a container's orchestrator gets; override them with `container.provide`. */
export const orchestratorOptions = createToken<OrchestratorOptions>('orchestratorOptions');

/** The orchestrator of a container's experiment. */
export const orchestrator = createToken<Orchestrator>('orchestrator');

Container.register(orchestratorOptions, () => ({}));
Container.register(orchestrator, (container) => new Orchestrator(container, container.get(orchestratorOptions)));
