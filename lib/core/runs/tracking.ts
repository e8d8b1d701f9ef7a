import type { Settings } from '../../config/settings.js';
import { JsonlTracker } from '../../tracking/jsonlTracker.js';
import { openRunOf } from '../../tracking/mlflowLedger.js';
import { MlflowRecovery } from '../../tracking/mlflowRecovery.js';
import { MlflowTracker } from '../../tracking/mlflowTracker.js';
import { MultiTracker } from '../../tracking/multiTracker.js';
import { bytesToRunId, runIdToBytes } from '../../tracking/runId.js';
import { TensorboardTracker } from '../../tracking/tensorboard/tensorboardTracker.js';
import type { TrackedRun, Tracker } from '../../tracking/tracker.js';
import type { Ranks } from '../ranks.js';
import { RunLock } from './runLock.js';

/** Does nothing: rank 0 alone records. */
const silent: Tracker = {
  start: () => Promise.resolve(),
  logParams: () => undefined,
  logChanges: () => undefined,
  logMetrics: () => undefined,
  finish: () => Promise.resolve(),
};

export interface OpenTracking {
  tracker: Tracker;
  /** The id of the MLflow run, the same on every rank; null when there is none. */
  mlflowRunId: string | null;
}

/** Opens the run's trackers on rank 0, `metrics.jsonl`, event files if they are asked for and MLflow if it is set up, and tells every rank the MLflow run's id. */
export async function openTracking(
  run: TrackedRun,
  settings: Settings,
  ranks: Ranks,
  givenRunId: string | null,
  hasEventFiles: boolean,
): Promise<OpenTracking> {
  const mlflow = ranks.rank === 0 ? await openMlflow(run, settings.MLFLOW_TRACKING_URI, givenRunId) : undefined;
  // 128 bits do not fit into an integer tensor: the id travels as bytes.
  const bytes = await ranks.broadcastBytes(ranks.rank === 0 ? runIdToBytes(mlflow?.runId ?? null) : null);
  const mlflowRunId = bytesToRunId(bytes);
  if (ranks.rank !== 0) return { tracker: silent, mlflowRunId };
  const trackers: Tracker[] = [new JsonlTracker()];
  if (hasEventFiles) trackers.push(new TensorboardTracker());
  if (mlflow !== undefined) trackers.push(mlflow, new MlflowRecovery(settings.MLFLOW_TRACKING_URI!, whereFree));
  const tracker = new MultiTracker(trackers);
  await tracker.start(run);
  return { tracker, mlflowRunId };
}

/** Works in a run's folder unless its run, or another such work, is under way. */
async function whereFree(directory: string, work: () => Promise<void>): Promise<void> {
  const lock = RunLock.tryAcquire(directory);
  if (lock === undefined) return;
  try {
    await work();
  } finally {
    lock.release();
  }
}

function openMlflow(
  run: TrackedRun,
  uri: string | undefined,
  runId: string | null,
): Promise<MlflowTracker> | undefined {
  if (uri === undefined) return undefined;
  const known = runId ?? openRunOf(run.directory)?.runId ?? null;
  if (known !== null) return Promise.resolve(MlflowTracker.attach({ uri, runId: known, closesRun: true }));
  return MlflowTracker.create({ uri, experimentName: run.experimentName, runName: run.runName });
}
