import { rmSync } from 'node:fs';

import { AiforgeError } from '../../errors.js';
import type { Tracker } from '../../tracking/tracker.js';
import type { RunResult } from '../callback.js';
import type { Callbacks } from '../callbacks.js';
import { loadWeights, saveWeights, type RunState } from '../checkpoints/checkpoint.js';
import { randomState, restoreRandomState } from '../randomState.js';
import type { ParallelStep, Ranks } from '../ranks.js';
import type { ExperimentData } from '../runs/experiment.js';
import type { RunPlan } from '../runs/plan.js';
import { saving } from '../runs/saving.js';
import type { RunFiles } from '../runs/runDirectory.js';
import type { Agreement } from './agreement.js';
import { requireMetric, type EarlyStopping } from './earlyStopping.js';
import { evaluate, tryValidation } from './evaluation.js';
import type { PassMetrics } from './metrics.js';
import type { Placement } from './placement.js';
import type { Precision } from './precision.js';
import { Recorder } from './recorder.js';
import type { Trainer } from './trainer.js';

/** A run's parts that do not change while it goes on. */
export interface Run {
  plan: RunPlan;
  files: RunFiles;
  data: ExperimentData;
  ranks: Ranks;
  parallel: ParallelStep;
  trainer: Trainer;
  agreement: Agreement;
  callbacks: Callbacks;
  placement: Placement;
  precision: Precision;
  state: RunState;
  stopping: EarlyStopping;
  /** The checksum of the preprocessor's file; null where there is none. */
  preprocessor: string | null;
  tracker: Tracker;
  /** The metrics of each epoch, with its number as `epoch`. */
  history: Record<string, number>[];
}

/** Trains to the end of the run, or until it is asked to stop, and tests the best weights. */
export async function fit(run: Run): Promise<RunResult> {
  const { state, stopping, plan, files, ranks } = run;
  const { training } = plan.config;
  while (state.epoch < training.epochs && !stopping.shouldStop) {
    const start = performance.now();
    if (!(await run.trainer.trainEpoch())) return resultOf(run, 'interrupted');
    if (!(await endEpoch(run, start))) return resultOf(run, 'interrupted');
  }
  if (state.best === null) {
    throw new AiforgeError(
      'TRAINING_FAILED',
      `'${training.earlyStoppingMonitor}' was a number in no epoch, so no weights are the best. The last ones are in ${run.files.last}; ` +
        'look at what the steps compute, or lower training.learningRate.',
    );
  }
  const tested = await test(run);
  if (tested === 'interrupted') return resultOf(run, 'interrupted');
  if (ranks.rank === 0 && !training.checkpoint.keepLast) rmSync(files.last, { force: true });
  return resultOf(run, 'finished', tested);
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

/** Validates, records and saves; false when it was interrupted, with a checkpoint from which validation begins again. */
async function endEpoch(run: Run, start: number): Promise<boolean> {
  const { state, stopping, plan, files, tracker, ranks, trainer } = run;
  const { training } = plan.config;
  const train = await trainer.trainMetrics();
  if (stopping.best === null && training.earlyStoppingMonitor.startsWith('train_')) {
    requireMetric(training.earlyStoppingMonitor, Object.keys(named('train', train)));
  }
  const drawn = randomState(run.placement.device);
  const epoch = state.epoch + 1;
  const isChecked = epoch % training.checkValEveryNEpoch === 0 || epoch === training.epochs;
  const recorder = new Recorder('val');
  const val =
    run.data.splits.val.length === 0 || !isChecked ? null : await evaluateSplit(run, run.data.splits.val, recorder);
  if (val === undefined) {
    restoreRandomState(drawn, run.placement.device);
    await trainer.save();
    return false;
  }
  const metrics = { ...named('train', train), ...(val === null ? {} : named('val', val)) };
  const isMonitored = isChecked || !training.earlyStoppingMonitor.startsWith('val_');
  const isBest = isMonitored && stopping.update(metrics);
  const rates = trainer.endEpoch(metrics, isChecked);
  Object.assign(state, { epoch, batch: 0, best: stopping.best, badEpochs: stopping.badEpochs });
  if (isBest) state.bestEpoch = epoch;
  const at = { step: state.step, epoch, interval: 'epoch' } as const;
  tracker.logMetrics({ ...metrics, ...rates }, at);
  recorder.write(tracker, at);
  if (isBest && ranks.rank === 0)
    saving(files.best, () => saveWeights(files.best, plan.model, epoch, run.preprocessor));
  if (training.checkpoint.keepLast) await trainer.save();
  run.history.push({ epoch, ...metrics });
  const seconds = (performance.now() - start) / 1000;
  await run.callbacks.onEpochEnd({ epoch, epochs: training.epochs, seconds, metrics, isBest });
  return true;
}

function evaluateSplit(run: Run, indices: readonly number[], taker: Recorder) {
  const { plan, data, ranks, parallel, agreement, placement, precision } = run;
  const { batchSize } = plan.config.training;
  const { samples } = data;
  const recorder = ranks.rank === 0 ? taker : undefined;
  const parts = { samples, indices, batchSize, ranks, parallel, agreement, placement, precision, recorder };
  return evaluate({ model: plan.model, ...parts });
}

/** Tests the best epoch's weights on the held-out split. */
async function test(run: Run): Promise<RunResult['test'] | 'interrupted'> {
  const { plan, data, files, tracker, state, ranks, trainer } = run;
  if (data.splits.test.length === 0) return undefined;
  await ranks.barrier();
  loadWeights(files.best, plan.model);
  const recorder = new Recorder('test');
  const passed = await evaluateSplit(run, data.splits.test, recorder);
  if (passed === undefined) {
    if (!plan.config.training.checkpoint.keepLast) await trainer.save();
    return 'interrupted';
  }
  const at = { step: state.step, epoch: state.epoch, interval: 'run' } as const;
  tracker.logMetrics(named('test', passed), at);
  recorder.write(tracker, at);
  const { loss, ...metrics } = passed.values;
  return { loss: loss!, metrics, ...passed.scores };
}

/** Validates one batch, so that a metric to watch that nobody measures, or a step that fails, shows before an epoch was trained. */
export function tryMonitor(
  { model, config }: RunPlan,
  { samples, splits, classNames }: ExperimentData,
  at: Pick<Run, 'placement' | 'precision'>,
): void {
  const { earlyStoppingMonitor: monitor, batchSize } = config.training;
  const measured = tryValidation({ model, samples, indices: splits.val, batchSize, ...at }, classNames);
  if (measured === undefined || !monitor.startsWith('val_')) return;
  requireMetric(monitor, ['train_loss', ...measured.map((name) => `val_${name}`)]);
}

/** The means of a pass under the names that they are recorded by; the mean of F1 over training is not. */
function named(split: 'train' | 'val' | 'test', { values }: PassMetrics): Record<string, number> {
  const entries = Object.entries(values).filter(([name]) => split !== 'train' || name !== 'f1');
  return Object.fromEntries(entries.map(([name, value]) => [`${split}_${name}`, value]));
}
