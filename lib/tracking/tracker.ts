import type { TrackedHistogram } from './histogram.js';
import type { TrackedImage } from './image.js';

/** The run that a tracker records. */
export interface TrackedRun {
  experimentName: string;
  runName: string;
  /** The run's folder. */
  directory: string;
  /** The step and the epoch, from 1, with which a run goes on, and the batch after which it was validated last: what was recorded after it is recorded again, with the same numbers unless settings changed. */
  goesOnFrom?: { step: number; epoch: number; validatedBatch: number; sameNumbers: boolean };
}

/** When metrics were measured. */
export interface MetricPoint {
  /** Optimizer steps done since the run began. */
  step: number;
  /** The number of the epoch, from 1. */
  epoch: number;
  /** Batches trained on since the run began. */
  batch?: number;
  /**
   * Whether they are of a step of the optimizer, of a validation within an epoch, of an epoch, or of the run as a whole, as the
   * test's are. Default: 'step'.
   */
  interval?: 'step' | 'validation' | 'epoch' | 'run';
  /** Milliseconds since 1970; default now. */
  time?: number;
}

export type RunStatus = 'FINISHED' | 'FAILED' | 'KILLED';

/** Records a run. No method of a tracker ever stops training: what cannot be recorded costs a warning in the log. */
export interface Tracker {
  start(run: TrackedRun): Promise<void>;
  /** Settings of the run, nested as they are. */
  logParams(params: object): void;
  /** Settings that a resumed run has otherwise from this step on. */
  logChanges(changes: Record<string, { from: unknown; to: unknown }>, at: Pick<MetricPoint, 'step' | 'epoch'>): void;
  logMetrics(metrics: Record<string, number>, at: MetricPoint): void;
  logText?(name: string, text: string, at: MetricPoint): void;
  logImage?(name: string, image: TrackedImage, at: MetricPoint): void;
  logHistogram?(name: string, histogram: TrackedHistogram, at: MetricPoint): void;
  /** Writes out what a checkpoint that is about to be written is not to be without. */
  flush?(): void;
  /** Writes out what is still waiting and closes the run. */
  finish(status: RunStatus): Promise<void>;
}
