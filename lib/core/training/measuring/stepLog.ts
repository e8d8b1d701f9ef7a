import type { MetricPoint } from '../../../tracking/tracker.js';
import type { Recorder } from './recorder.js';

/** A step of the optimizer that was done. */
export interface LoggedStep extends Pick<MetricPoint, 'step' | 'epoch'> {
  /** Its last batch in the epoch, from 1. */
  batch: number;
  /** Batches trained on since the run began. */
  trained: number;
  /** The mean loss on this rank, null where nothing counted; reading it waits for the GPU that has it. */
  readLoss: () => number | null;
  /** What its last batch logged of itself. */
  readLogged: () => Record<string, number>;
  /** Reads the norm of its gradients; undefined where it was not measured. */
  readNorm: (() => number) | undefined;
  /** The texts, images and histograms that its last batch logged; undefined on ranks that do not record. */
  recorder: Recorder | undefined;
  /** Null where gradients were not finite: the step was none, but its loss is looked at. */
  rates: Record<string, number> | null;
  /** Milliseconds since 1970. */
  time: number;
}

const mostWaiting = 50;
const longestWaitMs = 1000;

/**
 * The losses of the steps on their way to the trackers. On a GPU they wait for each other: reading one waits for the GPU, which
 * then has nothing queued.
 */
export class StepLog {
  #waiting: LoggedStep[] = [];
  #since = 0;

  constructor(
    private readonly isDeferred: boolean,
    private readonly write: (step: LoggedStep, loss: number | null) => void,
  ) {}

  add(step: LoggedStep): void {
    if (!this.isDeferred) {
      this.write(step, step.readLoss());
      return;
    }
    if (this.#waiting.length === 0) this.#since = performance.now();
    this.#waiting.push(step);
    const isDue = this.#waiting.length >= mostWaiting || performance.now() - this.#since >= longestWaitMs;
    if (isDue) this.flush();
  }

  /** Writes what waits. */
  flush(): void {
    for (const step of this.#waiting.splice(0)) this.write(step, step.readLoss());
  }
}
