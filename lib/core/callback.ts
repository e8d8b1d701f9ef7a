import type { ExperimentConfig } from '../config/experimentConfig.js';
import type { ClassificationScores } from './training/classCounts.js';

export interface RunStart {
  config: ExperimentConfig;
  runDirectory: string;
  parameters: number;
  samples: { train: number; val: number; test: number };
  rank: number;
  worldSize: number;
}

export interface StepEnd {
  epoch: number;
  epochs: number;
  /** Batches done in this epoch, and all of them. */
  batch: number;
  batches: number;
  /** Samples done in this epoch over all ranks. */
  samples: number;
  /** The mean loss of the epoch so far, on this rank. */
  loss: number;
  /** The share of right predictions of the epoch so far, on this rank; undefined where there are no classes. */
  accuracy: number | undefined;
}

export interface EpochEnd {
  epoch: number;
  epochs: number;
  seconds: number;
  /** `train_loss`, `val_loss`, for classification accuracies and F1 scores, and what the steps measured: `val_mae`. */
  metrics: Record<string, number>;
  isBest: boolean;
}

/** The end of a run, as `runExperiment` gives it. */
export interface RunResult {
  /** `interrupted`: by the signal given; a checkpoint to resume from was written. */
  status: 'finished' | 'interrupted';
  runDirectory: string;
  /** Epochs that were completed, in this run and those that it resumed. */
  epochs: number;
  /** Null when the monitored metric was never a number. */
  bestEpoch: number | null;
  stoppedEarly: boolean;
  /** Metrics of each epoch of this run. */
  history: Record<string, number>[];
  /** On the held-out split, with the best checkpoint's weights; undefined when there is none or the run was interrupted. */
  test: ({ loss: number; metrics: Record<string, number> } & Partial<ClassificationScores>) | undefined;
  /** Processes that trained together. */
  worldSize: number;
  mlflowRunId: string | null;
  classNames: readonly string[] | undefined;
}

/**
 * Listens to a run; every method may be left out, and may be asynchronous: training waits for it. An error in one, or a
 * rejection, ends the run. A method that begins with `on` and is none of these is refused.
 */
export interface Callback {
  onRunStart?(run: RunStart): void | Promise<void>;
  onStepEnd?(step: StepEnd): void | Promise<void>;
  onEpochEnd?(epoch: EpochEnd): void | Promise<void>;
  onRunEnd?(result: RunResult): void | Promise<void>;
}
