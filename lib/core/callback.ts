import type { ExperimentConfig } from '../config/experimentConfig.js';
import type { Device } from '../tensor/index.js';
import type { ClassificationScores } from './training/classCounts.js';

/** The beginning of a run, or of the rest of one, on every rank. */
export interface RunStart {
  /** With the model's defaults, absolute paths, and the ranks that there are. */
  config: ExperimentConfig;
  /** The run's folder. */
  runDirectory: string;
  /** Numbers that the model's parameters have together. */
  parameters: number;
  /** Samples of each split. */
  samples: { train: number; val: number; test: number };
  /** This process among `worldSize`. */
  rank: number;
  /** Processes that train together. */
  worldSize: number;
  /** Where this process trains: `'cpu'` or one such as `'cuda:0'`. */
  device: Device;
}

/** A batch that was trained on. */
export interface StepEnd {
  /** The number of the epoch, from 1 to `epochs`. */
  epoch: number;
  /** Epochs that the run is planned to have. */
  epochs: number;
  /** Batches done in this epoch, from 1 to `batches`. */
  batch: number;
  /** Batches of an epoch on this rank. */
  batches: number;
  /** Samples done in this epoch over all ranks. */
  samples: number;
  /** The mean loss of the epoch so far, on this rank. On a GPU, reading it waits for the steps so far. */
  loss: number;
  /** The share of right predictions of the epoch so far, on this rank, read in the same way; undefined where there are no classes. */
  accuracy: number | undefined;
  /** What the steps logged with `progressBar`, of the epoch so far, on this rank, read in the same way. */
  logged: Record<string, number>;
}

/** An epoch that was trained and validated. */
export interface EpochEnd {
  /** The number of the epoch, from 1 to `epochs`. */
  epoch: number;
  /** Epochs that the run is planned to have. */
  epochs: number;
  /** How long it took. */
  seconds: number;
  /** `train_loss`, `val_loss`, for classification accuracies and F1 scores, and what the steps measured: `val_mae`. */
  metrics: Record<string, number>;
  /** Whether the monitored metric is the best so far; its weights are saved already. */
  isBest: boolean;
}

/** The end of a run, as `runExperiment` gives it. */
export interface RunResult {
  /** `interrupted`: by the signal given; a checkpoint to resume from was written. */
  status: 'finished' | 'interrupted';
  /** What the signal was aborted with, of another rank if this one's was not: `SIGTERM`; undefined when that is no text. */
  interruptedBy: string | undefined;
  /** The run's folder. */
  runDirectory: string;
  /** Epochs that were completed, in this run and those that it resumed. */
  epochs: number;
  /** The number of the epoch whose weights are the best, from 1; null when the monitored metric was never a number. */
  bestEpoch: number | null;
  /** Whether `earlyStoppingPatience` ended it. */
  stoppedEarly: boolean;
  /** The metrics of each epoch since the run began or went on, with its number as `epoch`. */
  history: Record<string, number>[];
  /** On the held-out split, with the best checkpoint's weights; undefined when there is none or the run was interrupted. */
  test: ({ loss: number; metrics: Record<string, number> } & Partial<ClassificationScores>) | undefined;
  /** Processes that trained together. */
  worldSize: number;
  /** Null where nothing is recorded in MLflow. */
  mlflowRunId: string | null;
  /** Those of the data set. */
  classNames: readonly string[] | undefined;
}

/**
 * Listens to a run; any of the methods may be left out, and may be asynchronous: training waits for it. An error in one, or a
 * rejection, ends the run; what one returns is not looked at: a run is stopped by its `signal`. What a method is given cannot be
 * written into. Methods that nothing calls, such as other trainers' names of events, are refused.
 */
export interface Callback {
  /** Before the first batch. */
  onRunStart?(run: RunStart): unknown;
  /** After each batch. */
  onStepEnd?(step: StepEnd): unknown;
  /** After each epoch, when it is validated, recorded and saved. */
  onEpochEnd?(epoch: EpochEnd): unknown;
  /** When the run is over and its best weights are tested, or it was interrupted. Not after an error. */
  onRunEnd?(result: RunResult): unknown;
}
