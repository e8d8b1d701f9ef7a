import type { ExperimentConfig } from '../config/experimentConfig.js';
import type { ClassificationScores } from './training/metrics.js';

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
  /** `train_loss`, `val_loss` and, for classification, `val_accuracy` and `val_f1`. */
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
  bestEpoch: number;
  stoppedEarly: boolean;
  /** Metrics of each epoch of this run. */
  history: Record<string, number>[];
  /** On the held-out split, with the best checkpoint's weights; undefined when there is none or the run was interrupted. */
  test: ({ loss: number } & Partial<ClassificationScores>) | undefined;
  mlflowRunId: string | null;
  classNames: readonly string[] | undefined;
}

/** Listens to a run; every method may be left out. An error in one ends the run. */
export interface Callback {
  onRunStart?(run: RunStart): void;
  onStepEnd?(step: StepEnd): void;
  onEpochEnd?(epoch: EpochEnd): void;
  onRunEnd?(result: RunResult): void;
}
