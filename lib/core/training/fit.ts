import { rmSync } from 'node:fs';

import { AiforgeError } from '../../errors.js';
import { logger } from '../../log.js';
import type { Tracker } from '../../tracking/tracker.js';
import type { RunResult } from '../callbacks/callback.js';
import type { Callbacks } from '../callbacks/callbacks.js';
import { loadWeights, type RunState } from '../checkpoints/checkpoint.js';
import type { CheckpointWriter } from '../checkpoints/checkpointWriter.js';
import { randomState, restoreRandomState } from '../randomState.js';
import type { Ranks } from '../ranks.js';
import type { ExperimentData } from '../runs/experiment.js';
import type { RunPlan } from '../runs/plan.js';
import type { RunFiles } from '../runs/runDirectory.js';
import type { Agreement } from './agreement.js';
import type { Averaging } from './weights/averaging.js';
import { averageStatistics } from './weights/averageStatistics.js';
import { countersOf } from './counters.js';
import { loadingOf } from './loading.js';
import { requireMetric, type EarlyStopping, type MonitorSetting } from './earlyStopping.js';
import { evaluate, named, scoresOf, tryValidation } from './evaluation.js';
import type { Parallel } from './parallel.js';
import { setMetricsAside } from './measuring/modelMetrics.js';
import { thaw } from './weights/parameterGroups.js';
import type { Placement } from './placement.js';
import type { Precision } from './optimization/precision.js';
import { Recorder } from './measuring/recorder.js';
import type { Trainer } from './trainer.js';

/** A run's parts that do not change while it goes on. */
export interface Run {
  plan: RunPlan;
  files: RunFiles;
  data: ExperimentData;
  ranks: Ranks;
  parallel: Parallel;
  trainer: Trainer;
  writer: CheckpointWriter;
  agreement: Agreement;
  callbacks: Callbacks;
  placement: Placement;
  precision: Precision;
  averaging: Averaging | null;
  state: RunState;
  stopping: EarlyStopping;
  tracker: Tracker;
  /** The metrics of each epoch, with its number as `epoch`. */
  history: Record<string, number>[];
}

/** Trains to the end of the run, or until it is asked to stop, and tests the best weights. */
export async function fit(run: Run): Promise<RunResult> {
  try {
    const result = await trainAndTest(run);
    await run.writer.settle();
    return result;
  } catch (error) {
    // What fails in the background, after an error, is not the one to be told.
    await run.writer
      .settle()
      .catch((failure: unknown) => logger.warn({ err: failure }, 'A checkpoint was not written'));
    throw error;
  }
}

async function trainAndTest(run: Run): Promise<RunResult> {
  const { state, stopping, plan, files, ranks, writer } = run;
  const { training } = plan.config;
  while (state.epoch < training.epochs && !stopping.shouldStop) {
    if (!(await runEpoch(run))) return resultOf(run, 'interrupted');
  }
  if (state.best === null) {
    throw new AiforgeError(
      'TRAINING_FAILED',
      `'${writer.monitor}' was a number in no epoch, so no weights are the best. The last ones are in ${run.files.last}; ` +
        'look at what the steps compute, or lower training.learningRate.',
    );
  }
  const tested = await test(run);
  if (tested === 'interrupted') return resultOf(run, 'interrupted');
  if (ranks.rank === 0 && !training.checkpoint.keepLast) rmSync(files.last, { force: true });
  return resultOf(run, 'finished', tested);
}

/** Trains an epoch, or the rest of one, with its validations; false when it was interrupted. */
async function runEpoch(run: Run): Promise<boolean> {
  const { state, plan, callbacks, trainer, stopping } = run;
  const { training } = plan.config;
  const start = performance.now();
  thaw(plan.model, training.freeze, state.epoch);
  await callbacks.tell('onEpochStart', () => countersOf(state, training));
  await run.parallel.renew();
  for (;;) {
    // A run that goes on may stand where a validation is due.
    if (trainer.isValidationDue && !(await validateWithin(run))) return false;
    if (stopping.shouldStop) {
      await trainer.save();
      return true;
    }
    const stage = () => ({ ...countersOf(state, training), stage: 'train' as const, batches: trainer.batches });
    await callbacks.tell('onStageStart', stage);
    const pause = await trainer.train();
    const metrics = pause === 'done' ? named('train', await trainer.trainMetrics()) : {};
    await callbacks.tell('onStageEnd', () => ({ ...stage(), metrics, interrupted: pause === 'stopped' }));
    if (pause === 'stopped') return false;
    if (pause === 'done') return endEpoch(run, start, metrics);
  }
}

function resultOf(run: Run, status: RunResult['status'], tested?: RunResult['test']): RunResult {
  const { state, stopping, files, data, ranks, agreement } = run;
  return {
    status,
    interruptedBy: typeof agreement.reason === 'string' ? agreement.reason : undefined,
    runDirectory: files.directory,
    epochs: state.epoch,
    bestEpoch: state.best === null ? null : state.bestEpoch,
    stoppedEarly: stopping.shouldStop,
    history: run.history,
    test: tested,
    worldSize: ranks.worldSize,
    mlflowRunId: state.mlflowRunId,
    classNames: data.classNames,
  };
}

/**
 * What the split to validate on measures now, with the averaged weights where there are some; undefined when it was interrupted.
 * `whileAveraged` is run with the weights that were measured.
 */
function validate(
  run: Run,
  recorder: Recorder,
  whileAveraged: (metrics: Record<string, number>) => Promise<void>,
): Promise<Record<string, number> | undefined> {
  return measureAveraged(run, async () => {
    const passed = await evaluateSplit(run, run.data.splits.val, 'validation', recorder);
    if (passed === undefined) return undefined;
    const metrics = named('val', passed);
    await whileAveraged(metrics);
    return metrics;
  });
}

/**
 * Runs a body while the model has the averaged weights, if there are some, with statistics that fit them; undefined when that or the
 * body was interrupted, with a checkpoint from which it begins again.
 */
async function measureAveraged<T>(run: Run, body: () => Promise<T | undefined>): Promise<T | undefined> {
  const { averaging, placement, trainer, plan } = run;
  const drawn = randomState(placement.device);
  // One that training measures by as well is in the middle of its epoch.
  const restoreMetrics = setMetricsAside(plan.model);
  let measured: T | undefined;
  try {
    measured = averaging === null ? await body() : await averaging.with(() => withStatistics(run, averaging, body));
  } finally {
    restoreMetrics();
    // It begins again, also after an error, with what it drew.
    if (measured === undefined) restoreRandomState(drawn, placement.device);
  }
  if (measured === undefined) await trainer.save();
  return measured;
}

async function withStatistics<T>(
  { plan, trainer, placement }: Run,
  averaging: Averaging,
  body: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const isDue = averaging.needsStatistics;
  if (isDue && !(await averageStatistics(plan.model, trainer, placement.device))) return undefined;
  return body();
}

/** Validates between the batches of an epoch; false when it was interrupted. */
async function validateWithin(run: Run): Promise<boolean> {
  const { state, stopping, writer, tracker, placement } = run;
  // What is trained does not depend on how often it is looked at.
  const drawn = randomState(placement.device);
  const isWithin = (monitor: string) => monitor.startsWith('val_');
  const recorder = new Recorder('val');
  const metrics = await validate(run, recorder, async (measured) => {
    if (isWithin(writer.monitor)) await writer.writeBest(run.plan.model, measured, state.epoch + 1);
  });
  if (metrics === undefined) return false;
  restoreRandomState(drawn, placement.device);
  if (isWithin(stopping.monitor)) stopping.update(metrics);
  Object.assign(state, { stopping: stopping.state(), validatedBatch: state.batch });
  const at = { step: state.step, epoch: state.epoch + 1, batch: state.trainedBatches, interval: 'validation' } as const;
  tracker.logMetrics(metrics, at);
  recorder.write(tracker, at);
  await run.trainer.saveWhenDue();
  return true;
}

/** Validates, records and saves; false when it was interrupted, with a checkpoint from which validation begins again. */
async function endEpoch(run: Run, start: number, train: Record<string, number>): Promise<boolean> {
  const { state, stopping, plan, tracker, trainer, writer, averaging, data } = run;
  const { training } = plan.config;
  requireTrained(stopping.monitor, train, 'earlyStoppingMonitor');
  requireTrained(writer.monitor, train, 'checkpoint.monitor');
  const epoch = state.epoch + 1;
  averaging?.afterEpoch(state, epoch);
  const isChecked = data.splits.val.length > 0 && (epoch % training.checkValEveryNEpoch === 0 || epoch === training.epochs); // prettier-ignore
  let isBest = false;
  const recorder = new Recorder('val');
  const val = await validateIf(run, isChecked, recorder, async (measured) => {
    const metrics = { ...train, ...measured };
    if (writer.monitor in metrics || isChecked) isBest = await writer.writeBest(plan.model, metrics, epoch);
  });
  if (val === undefined) return false;
  const metrics = { ...train, ...val };
  if (stopping.monitor in metrics || isChecked) stopping.update(metrics);
  const rates = trainer.endEpoch(metrics, isChecked);
  Object.assign(state, { epoch, batch: 0, taken: 0, validatedBatch: 0, stopping: stopping.state() });
  const at = { step: state.step, epoch, batch: state.trainedBatches, interval: 'epoch' } as const;
  tracker.logMetrics({ ...metrics, ...rates }, at);
  recorder.write(tracker, at);
  if (writer.isEpochDue(state)) await trainer.save();
  writer.keepBestCheckpoint();
  run.history.push({ epoch, ...metrics });
  const seconds = (performance.now() - start) / 1000;
  await run.callbacks.tell('onEpochEnd', () => ({ ...countersOf(state, training), epoch, seconds, metrics, isBest }));
  return true;
}

function requireTrained(monitor: string, train: Record<string, number>, setting: MonitorSetting): void {
  if (monitor.startsWith('train_')) requireMetric(monitor, Object.keys(train), setting);
}

async function validateIf(
  run: Run,
  isChecked: boolean,
  recorder: Recorder,
  whileAveraged: (metrics: Record<string, number>) => Promise<void>,
): Promise<Record<string, number> | undefined> {
  if (isChecked) return validate(run, recorder, whileAveraged);
  return measureAveraged(run, async () => {
    await whileAveraged({});
    return {};
  });
}

function evaluateSplit(run: Run, indices: readonly number[], stage: 'validation' | 'test', taker: Recorder) {
  const { plan, data, ranks, parallel, agreement, placement, precision, callbacks, state } = run;
  const { training } = plan.config;
  const { samples } = data;
  const counters = countersOf(state, training);
  return evaluate({
    ...{
      model: plan.model,
      samples,
      indices,
      batchSize: training.batchSize,
      loading: loadingOf(training, false),
      ranks,
      parallel,
      agreement,
    },
    ...{ placement, precision, callbacks, stage, counters, recorder: ranks.rank === 0 ? taker : undefined },
  });
}

/** Tests the best epoch's weights on the held-out split. */
async function test(run: Run): Promise<RunResult['test'] | 'interrupted'> {
  const { plan, data, files, tracker, state, ranks, trainer, writer } = run;
  if (data.splits.test.length === 0) return undefined;
  // Where the test is broken off, the run goes on from before it.
  if (!plan.config.training.checkpoint.keepLast) await trainer.save();
  await writer.settle();
  await ranks.barrier();
  trainer.end();
  loadWeights(files.best, plan.model);
  const recorder = new Recorder('test');
  const passed = await evaluateSplit(run, data.splits.test, 'test', recorder);
  if (passed === undefined) return 'interrupted';
  const at = { step: state.step, epoch: state.epoch, batch: state.trainedBatches, interval: 'run' } as const;
  tracker.logMetrics(named('test', passed), at);
  recorder.write(tracker, at);
  return scoresOf(passed);
}

/**
 * Validates one batch, so that a metric to watch that nobody measures, or a step that fails, shows before an epoch was trained. A
 * stop breaks it off; training, which comes next, leaves the checkpoint.
 */
export async function tryMonitor({ plan, data, placement, precision, agreement, callbacks }: Run): Promise<void> {
  const { model, config } = plan;
  const { samples, splits, classNames } = data;
  const { training } = config;
  const { sanityValBatches: batches, batchSize } = training;
  if (batches === 0) return;
  const counters = { epoch: 1, epochs: training.epochs, optimizerStep: 0, trainedBatches: 0 };
  const stage = { ...counters, stage: 'sanity' as const, batches };
  await callbacks.tell('onStageStart', () => ({ ...stage }));
  const parts = { model, samples, indices: splits.val, batchSize, batches, placement, precision, agreement };
  const measured = await tryValidation(parts, classNames);
  await callbacks.tell('onStageEnd', () => ({ ...stage, metrics: {}, interrupted: measured === undefined }));
  if (measured === undefined || splits.val.length === 0) return;
  const names = ['train_loss', ...measured.map((name) => `val_${name}`)];
  const { earlyStoppingMonitor, checkpoint } = training;
  if (earlyStoppingMonitor.startsWith('val_')) requireMetric(earlyStoppingMonitor, names);
  if (checkpoint.monitor?.startsWith('val_') === true) requireMetric(checkpoint.monitor, names, 'checkpoint.monitor');
}
