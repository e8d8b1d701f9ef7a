import type { TrainingConfig } from '../../../config/trainingConfig.js';
import { detectAnomaly } from '../../../autograd/index.js';
import { LBFGS, type Optimizer } from '../../../optim/index.js';
import { keep, scope, Tensor } from '../../../tensor/index.js';
import type { BaseModel } from '../../baseModel.js';
import type { Callbacks } from '../../callbacks/callbacks.js';
import type { RunState } from '../../checkpoints/checkpoint.js';
import { called } from '../../plugins/calls.js';
import type { ParallelStep, Ranks } from '../../ranks.js';
import { AccumulationWindow, zeroOf } from './accumulation.js';
import type { Averaging } from '../weights/averaging.js';
import { countersOf } from '../counters.js';
import type { Work } from '../drive.js';
import { isLoggedMetric, logging, type LogEntries } from '../measuring/logbook.js';
import { ManualOptimization } from './manualOptimization.js';
import type { NonFinite } from './nonFinite.js';
import { onlyOptimizer, type Optimizers } from './optimizers.js';
import type { Precision } from './precision.js';
import { measured, type Measured } from '../measuring/runningSum.js';
import { Recorder } from '../measuring/recorder.js';
import type { Schedules } from './scheduling.js';
import { StepLog, type LoggedStep } from '../measuring/stepLog.js';
import type { StepMeasures } from '../measuring/stepMeasures.js';
import { readStep, type Step } from '../measuring/stepOutput.js';

export interface OptimizationParts {
  training: TrainingConfig;
  model: BaseModel;
  optimizers: Optimizers;
  schedules: Schedules;
  parallel: ParallelStep;
  ranks: Ranks;
  state: RunState;
  callbacks: Callbacks;
  precision: Precision;
  nonFinite: NonFinite;
  averaging: Averaging | null;
  measures: StepMeasures;
  isOnDevice: boolean;
  /** Takes what a batch's step gave. */
  onBatch: (step: Step) => void;
  /** Takes the loss of each step of the optimizer, and what is measured with it; on a GPU some time after it. */
  onStep: (step: LoggedStep, loss: number | null) => void;
}

/** A batch to train on. */
export interface TrainingBatch {
  /** Gives it, in the scope of its step. */
  load: () => unknown;
  /** Its samples on this rank. */
  samples: number;
  /** Batches of the epoch on this rank. */
  batches: number;
}

/** From a batch to the step of the optimizer: forward, backward, and the mean of a window's gradients. */
export class Optimization {
  readonly #parts: OptimizationParts;
  readonly #window: AccumulationWindow;
  readonly #manual: ManualOptimization | undefined;
  readonly #log: StepLog;
  /** What the last batch logged of itself. */
  #readLogged = readNothing;
  #recorder: Recorder | undefined;
  #skipped = 0;

  constructor(parts: OptimizationParts) {
    this.#parts = parts;
    this.#window = new AccumulationWindow(parts.training.batchSize, parts.ranks, parts.nonFinite.skips);
    this.#log = new StepLog(parts.isOnDevice, (step, loss) => parts.onStep(step, loss));
    if (!parts.model.automaticOptimization) {
      this.#manual = new ManualOptimization(parts, (name, isStep) => this.#endStep(name, isStep));
    }
  }

  /** Whether gradients of a step of the optimizer are being gathered. */
  isOpen(batches: number): boolean {
    const { state, training, model } = this.#parts;
    if (!model.automaticOptimization) return [...model.parameters()].some(({ grad }) => grad !== null);
    return state.batch % training.accumulationSteps !== 0 && state.batch < batches;
  }

  /** Gives the mean loss of the window that is open. */
  get readLoss(): () => number | null {
    return this.#window.readLoss;
  }

  /** What a checkpoint of an open window needs, beside the gradients. */
  windowState(): [weight: number, loss: number] {
    return this.#window.state();
  }

  /** Takes what `windowState` gave, and the names of the parameters that have the window's gradients. */
  restoreWindow(weight: number, loss: number, names: readonly string[]): void {
    const { model, parallel, training } = this.#parts;
    this.#window.restore(weight, loss);
    if (!training.findUnusedParameters || names.length === 0) return;
    // `parallel` is to see again which parameters the window has used: it averages those, whichever its last batch uses.
    const used = [...model.namedParameters()].filter(([name]) => names.includes(name));
    parallel.noSync(() => scope(() => zeroOf(used.map(([, parameter]) => parameter)).backward()));
  }

  /** Has the losses that wait told. */
  flush(): void {
    this.#log.flush();
  }

  /** How many steps were skipped since it was asked last. */
  takeSkipped(): number {
    const skipped = this.#skipped;
    this.#skipped = 0;
    return skipped;
  }

  /** Trains on a batch. */
  *train(batch: TrainingBatch): Work {
    const { callbacks } = this.#parts;
    const { size, closes } = this.#windowAt(batch.batches);
    this.#recorder = closes && this.#parts.ranks.rank === 0 ? new Recorder('train') : undefined;
    yield callbacks.tell('onForwardStart', () => this.#pass());
    if (this.#manual !== undefined) return yield* this.#trainManually(batch, this.#manual);
    const { optimizer } = onlyOptimizer(this.#parts.optimizers);
    if (optimizer instanceof LBFGS) return yield* this.#trainByClosure(batch, optimizer);
    const isAlone = this.#parts.ranks.worldSize === 1 || this.#parts.measures.counts;
    yield this.#inMode(batch.samples, () => {
      const loaded = batch.load();
      const forward = () => this.#windowLoss(loaded, batch.samples, size);
      const passes = () => (isAlone ? this.#passes(forward) : this.#passesAsync(forward));
      return closes ? passes() : this.#parts.parallel.noSync(passes);
    });
    yield callbacks.tell('onBackwardEnd', () => this.#pass());
    if (closes) yield* this.#closeWindow(optimizer);
  }

  #windowAt(batches: number): { size: number; closes: boolean } {
    const { state, training } = this.#parts;
    const open = state.batch % training.accumulationSteps;
    const size = Math.min(training.accumulationSteps, batches - state.batch + open);
    return { size, closes: open + 1 === size };
  }

  /** What a step is computed in: a scope, and the graph's guard where it was asked for. */
  #inMode<T>(samples: number, step: () => T): T {
    const { training, measures } = this.#parts;
    const counted = () => measures.counting(samples, step);
    return scope(() => (training.detectAnomaly ? detectAnomaly(counted) : counted()));
  }

  /** Forward and backward. */
  #passes(forward: () => Tensor): void {
    const { parallel, precision } = this.#parts;
    const loss = parallel.run(forward);
    this.#tellLoss(loss);
    precision.backward(loss);
  }

  /** Forward and backward of one of several ranks, which waits for the others beside the event loop. */
  async #passesAsync(forward: () => Tensor): Promise<void> {
    const { parallel, precision } = this.#parts;
    const loss = await parallel.runAsync(forward);
    this.#tellLoss(loss);
    await precision.backwardAsync(loss);
  }

  /** Nothing but the loss leaves it: what else a step gives says nothing about which parameters have a gradient. */
  #windowLoss(batch: unknown, samples: number, windowSize: number): Tensor {
    const { model, nonFinite } = this.#parts;
    const read = nonFinite.look(this.#forward(batch, samples), batch);
    this.#take(read);
    return this.#window.add(read, windowSize, () => model.parameters());
  }

  #forward(batch: unknown, samples: number): Step {
    const { model, precision, state } = this.#parts;
    const step = () => called('trainingStep', () => model.trainingStep(batch as Record<string, Tensor>, state.batch));
    return readStep(precision.run(() => logging(model, step, this.#recorder)), 'trainingStep', batch, samples, model); // prettier-ignore
  }

  #take(step: Step): void {
    this.#parts.onBatch(step);
    this.#readLogged = readerOf(step.logged);
  }

  #tellLoss(loss: Tensor): void {
    const { callbacks } = this.#parts;
    callbacks.tellNow('onForwardEnd', () => ({ ...this.#pass(), loss: loss.item<number>() }));
    callbacks.tellNow('onBackwardStart', () => this.#pass());
  }

  *#closeWindow(optimizer: Optimizer): Work {
    const { model } = this.#parts;
    const { readLoss } = this.#window;
    const counts = (yield this.#window.close(() => model.parameters())) as boolean;
    if (counts) yield* this.#step(optimizer, readLoss);
    else optimizer.zeroGrad();
  }

  *#step(optimizer: Optimizer, readLoss: () => number | null): Work {
    const { model, precision, training, callbacks } = this.#parts;
    const name = onlyOptimizer(this.#parts.optimizers).name;
    yield callbacks.tell('onOptimizerStepStart', () => ({ ...this.#counters(), optimizer: name }));
    const isStep = precision.step(optimizer, () => model.parameters(), training);
    this.#endStep(name, isStep);
    yield callbacks.tell('onOptimizerStepEnd', () => ({ ...this.#counters(), optimizer: name, skipped: !isStep }));
    this.#logStep(readLoss, isStep);
  }

  #endStep(name: string, isStep: boolean): void {
    const { state, schedules, averaging } = this.#parts;
    if (!isStep) {
      ++this.#skipped;
      return;
    }
    ++state.step;
    schedules.endStep(name);
    averaging?.afterStep(state);
  }

  #logStep(readLoss: () => number | null, isStep: boolean): void {
    const { state, schedules, precision } = this.#parts;
    this.#log.add({
      step: state.step,
      epoch: state.epoch + 1,
      batch: state.batch + 1,
      trained: state.trainedBatches + 1,
      time: Date.now(),
      readLoss,
      readLogged: this.#readLogged,
      readNorm: precision.takeNorm(),
      recorder: this.#recorder,
      rates: isStep ? schedules.rates : null,
    });
  }

  /** LBFGS computes the loss anew as often as it likes; what is recorded is the first. */
  *#trainByClosure(batch: TrainingBatch, optimizer: LBFGS): Work {
    const { callbacks, model, precision, training, parallel, nonFinite } = this.#parts;
    const name = onlyOptimizer(this.#parts.optimizers).name;
    let first: Step | undefined;
    yield callbacks.tell('onOptimizerStepStart', () => ({ ...this.#counters(), optimizer: name }));
    this.#inMode(batch.samples, () => {
      const loaded = batch.load();
      optimizer.step(() => {
        optimizer.zeroGrad();
        const read = this.#forward(loaded, batch.samples);
        if (first === undefined) this.#take((first = nonFinite.look(read, loaded)));
        this.#tellLoss(read.loss);
        parallel.run(() => read.loss).backward();
        precision.clip(() => model.parameters(), training);
        return read.loss;
      });
      first = { ...first!, value: measured(first!.loss) };
    });
    optimizer.zeroGrad();
    this.#endStep(name, true);
    yield callbacks.tell('onBackwardEnd', () => this.#pass());
    yield callbacks.tell('onOptimizerStepEnd', () => ({ ...this.#counters(), optimizer: name, skipped: false }));
    this.#logStep(readerOfLoss(first!.value), true);
  }

  *#trainManually(batch: TrainingBatch, manual: ManualOptimization): Work {
    const { callbacks, parallel, nonFinite } = this.#parts;
    let value: Measured = NaN;
    this.#inMode(batch.samples, () => {
      const loaded = batch.load();
      const read = parallel.noSync(() => manual.during(() => this.#forward(loaded, batch.samples)));
      this.#take(nonFinite.look(read, loaded));
      value = Tensor.isTensor(read.value) ? keep(read.value) : read.value;
    });
    const { steps, skipped } = manual.takeSteps();
    yield callbacks.tell('onBackwardEnd', () => this.#pass());
    if (steps + skipped > 0) this.#logStep(readerOfLoss(value), steps > 0);
  }

  #counters() {
    return countersOf(this.#parts.state, this.#parts.training);
  }

  #pass() {
    return { ...this.#counters(), batch: this.#parts.state.batch + 1 };
  }
}

const numberOf = (value: Measured): number => (Tensor.isTensor(value) ? Number(value.item()) : value);

const readNothing = (): Record<string, number> => ({});

const readerOfLoss = (value: Measured) => () => numberOf(value);

/** What reads the values that a batch logged to be recorded with its step; on a GPU they are kept until then. */
function readerOf(logged: LogEntries): () => Record<string, number> {
  const values = Object.entries(logged).flatMap(([name, { onStep, value }]): [string, Measured][] =>
    onStep && !isLoggedMetric(value) ? [[`train_${name}_step`, Tensor.isTensor(value) ? keep(value) : value]] : [],
  );
  if (values.length === 0) return readNothing;
  return () => Object.fromEntries(values.map(([name, value]) => [name, numberOf(value)]));
}
