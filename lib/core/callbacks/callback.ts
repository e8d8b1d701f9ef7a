import type { ExperimentConfig } from '../../config/experimentConfig.js';
import type { Optimizer } from '../../optim/index.js';
import type { Device } from '../../tensor/index.js';
import type { BaseModel } from '../baseModel.js';
import type { ClassificationScores } from '../training/measuring/classCounts.js';

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
  /** The model itself. */
  model: BaseModel;
  /** The optimizers themselves, by name; one alone is `optimizer`. */
  optimizers: Readonly<Record<string, Optimizer>>;
}

/** A pass over a split: `sanity` is the batch that is validated before training begins. */
export type Stage = 'sanity' | 'train' | 'validation' | 'test';

/** Where a run stands. */
export interface Counters {
  /** The number of the epoch, from 1 to `epochs`. */
  epoch: number;
  /** Epochs that the run is planned to have. */
  epochs: number;
  /** Steps that the optimizer has made since the run began. */
  optimizerStep: number;
  /** Batches that were trained on since the run began, on this rank. */
  trainedBatches: number;
}

/** The beginning of a pass, or its end. */
export interface StageEvent extends Counters {
  /** Which pass it is. */
  stage: Stage;
  /** Batches of the pass on this rank. */
  batches: number;
}

/** The end of a pass. */
export interface StageEnd extends StageEvent {
  /** What it measured over all ranks, by names such as `val_loss`; nothing where it was interrupted, and after `sanity`. */
  metrics: Record<string, number>;
  /** Whether the run was asked to stop in it. */
  interrupted: boolean;
}

/** The beginning of a batch. */
export interface BatchStart extends Counters {
  /** The pass that the batch is of. */
  stage: Stage;
  /** The batch of the pass, from 1 to `batches`. */
  batch: number;
  /** Batches of the pass on this rank. */
  batches: number;
}

/** A batch that was trained on, or evaluated. */
export interface BatchEnd extends BatchStart {
  /** Samples done in this pass over all ranks. */
  samples: number;
  /** The mean loss of the pass so far, on this rank. On a GPU, reading it waits for the steps so far. */
  loss: number;
  /** The share of right predictions of the pass so far, on this rank, read in the same way; undefined where there are no classes. */
  accuracy: number | undefined;
  /** What the steps logged with `progressBar`, of the pass so far, on this rank, read in the same way. */
  logged: Record<string, number>;
}

/** A forward or a backward pass of training. */
export interface PassEvent extends Counters {
  /** The batch of the epoch, from 1. */
  batch: number;
}

/** The end of a forward pass of training. */
export interface ForwardEnd extends PassEvent {
  /** The loss of the batch. On a GPU, reading it waits for the pass. */
  loss: number;
}

/** A step of an optimizer is due: its gradients are there. */
export interface OptimizerStepStart extends Counters {
  /** The optimizer's name where the model has several; `optimizer` otherwise. */
  optimizer: string;
}

/** A step of an optimizer was made, unless `skipped`. */
export interface OptimizerStepEnd extends OptimizerStepStart {
  /** Whether nothing was done, since gradients were not finite in float16. */
  skipped: boolean;
}

/** A checkpoint, or the best weights, are written. */
export interface CheckpointEvent extends Counters {
  /** The file. */
  file: string;
  /** The checkpoint to go on from, the best weights, or those of another good epoch. */
  kind: 'last' | 'best' | 'kept';
}

/** An error that ends the run. */
export interface RunException extends Counters {
  /** What was thrown. */
  error: unknown;
}

/** The beginning of an epoch, or of the rest of one. */
export type EpochStart = Counters;

/** An epoch that was trained and validated. */
export interface EpochEnd extends Counters {
  /** How long it took. */
  seconds: number;
  /** `train_loss`, `val_loss`, for classification accuracies and F1 scores, and what the steps measured: `val_mae`. */
  metrics: Record<string, number>;
  /** Whether the monitored metric is the best so far; its weights are saved already. */
  isBest: boolean;
}

/** What a model scored on a split. */
export interface EvaluationScores extends Partial<ClassificationScores> {
  /** The mean loss. */
  loss: number;
  /** Accuracy and F1 where there are classes, and what the steps measured beside, without `val_` or `test_` before their names. */
  metrics: Record<string, number>;
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
  test: EvaluationScores | undefined;
  /** Processes that trained together. */
  worldSize: number;
  /** Null where nothing is recorded in MLflow. */
  mlflowRunId: string | null;
  /** Those of the data set. */
  classNames: readonly string[] | undefined;
}

/**
 * Listens to a run; any of the methods may be left out, and may be asynchronous: training waits for it, but for `onForwardEnd` and
 * `onBackwardStart`, within whose pass nothing can wait. An error in one, or a rejection, ends the run; what one returns is not
 * looked at: a run is stopped by its `signal`. What a method is given cannot be written into, but for the `model` and the
 * `optimizers` of `onRunStart`. Methods that nothing calls, such as other trainers' names of events, are refused.
 *
 * Every rank has callbacks of its own. What `stateDict` gives on rank 0, tensors and plain data, goes into checkpoints, and a run
 * that goes on gives it to `loadStateDict` on every rank, before `onRunStart`.
 *
 * @example
 * import type { Callback, OptimizerStepEnd } from 'aiforge';
 * class SkippedSteps implements Callback {
 *   readonly name = 'SkippedSteps';
 *   skipped = 0;
 *   onOptimizerStepEnd({ skipped }: OptimizerStepEnd): void {
 *     if (skipped) ++this.skipped;
 *   }
 *   stateDict() {
 *     return { skipped: this.skipped };
 *   }
 *   loadStateDict({ skipped }: { skipped: number }): void {
 *     this.skipped = skipped;
 *   }
 * }
 */
export interface Callback {
  /** Under which a checkpoint has its state. Default: that of its class. */
  readonly name?: string;
  /** What it is to have again when the run goes on. */
  stateDict?(): unknown;
  /** Takes what `stateDict` gave. */
  loadStateDict?(state: never): void;
  /** Before the first batch. */
  onRunStart?(run: RunStart): unknown;
  /** When the run is over and its best weights are tested, or it was interrupted. Not after an error. */
  onRunEnd?(result: RunResult): unknown;
  /**
   * After an error in `onRunStart` or later, once, before the run is closed as failed. What this method throws is logged, and the run
   * ends with the first error.
   */
  onException?(exception: RunException): unknown;
  /** Before an epoch, or the rest of one, is trained. */
  onEpochStart?(epoch: EpochStart): unknown;
  /** After each epoch, when it is validated, recorded and saved. */
  onEpochEnd?(epoch: EpochEnd): unknown;
  /** Before a pass over a split. */
  onStageStart?(stage: StageEvent): unknown;
  /** After a pass over a split. */
  onStageEnd?(stage: StageEnd): unknown;
  /** Before each batch, of every stage but `sanity`. */
  onBatchStart?(batch: BatchStart): unknown;
  /** After each batch, of every stage but `sanity`. */
  onBatchEnd?(batch: BatchEnd): unknown;
  /** Before the forward pass of a batch to train on. */
  onForwardStart?(pass: PassEvent): unknown;
  /** After it. Must be synchronous. */
  onForwardEnd?(pass: ForwardEnd): void;
  /** Before the backward pass. Must be synchronous. */
  onBackwardStart?(pass: PassEvent): void;
  /** After it. */
  onBackwardEnd?(pass: PassEvent): unknown;
  /** Before each step of an optimizer; gradients are there, not yet unscaled and not clipped. */
  onOptimizerStepStart?(step: OptimizerStepStart): unknown;
  /** After each step of an optimizer. */
  onOptimizerStepEnd?(step: OptimizerStepEnd): unknown;
  /** Before a checkpoint is written, on every rank. */
  onCheckpointStart?(checkpoint: CheckpointEvent): unknown;
  /** After it was written. */
  onCheckpointEnd?(checkpoint: CheckpointEvent): unknown;
}
