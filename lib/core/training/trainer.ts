import { setImmediate } from 'node:timers/promises';

import type { GradScalerStateDict } from '../../amp/index.js';
import type { TrainingConfig } from '../../config/trainingConfig.js';
import { DataLoader, DistributedSampler, Subset } from '../../data/index.js';
import { AiforgeError } from '../../errors.js';
import { logger } from '../../log.js';
import type { Optimizer } from '../../optim/index.js';
import { keep, scope, Tensor, tensor } from '../../tensor/index.js';
import type { MetricPoint } from '../../tracking/tracker.js';
import type { BaseModel } from '../baseModel.js';
import type { Callbacks } from '../callbacks.js';
import { saveCheckpoint, type Checkpoint, type RunState } from '../checkpoints/checkpoint.js';
import { saveModel } from '../checkpoints/modelState.js';
import { gatherGradients, restoreGradients } from '../checkpoints/gradients.js';
import { flattenOptimizer } from '../checkpoints/optimizerState.js';
import { called } from '../plugins/calls.js';
import { randomState, restoreRandomState } from '../randomState.js';
import type { ParallelStep, Ranks } from '../ranks.js';
import type { ExperimentData } from '../runs/experiment.js';
import { AccumulationWindow, zeroOf } from './accumulation.js';
import type { Agreement } from './agreement.js';
import { limited } from './limits.js';
import { isLoggedMetric, logging, type LogEntries } from './logbook.js';
import { RunningMetrics } from './metrics.js';
import type { Feed, Placement } from './placement.js';
import type { Precision } from './precision.js';
import { StepProfiling } from './profiling.js';
import { Scheduling } from './scheduling.js';
import { StepLog, type LoggedStep } from './stepLog.js';
import type { Measured } from './runningSum.js';
import { readStep } from './stepOutput.js';

/** How long a step may keep the event loop from other work before it gets a turn. */
const turnMs = 10;

export interface TrainerParts {
  training: TrainingConfig;
  model: BaseModel;
  optimizer: Optimizer;
  parallel: ParallelStep;
  data: ExperimentData;
  ranks: Ranks;
  state: RunState;
  /** Where `last.safetensors` is written, and what is written of the run as a whole. */
  checkpointFile: string;
  identity: Pick<Checkpoint, 'config' | 'plugins' | 'preprocessor'>;
  agreement: Agreement;
  callbacks: Callbacks;
  placement: Placement;
  precision: Precision;
  /** Called with the metrics of each step of the optimizer; on a GPU some time after it. */
  onStep: (metrics: Record<string, number>, at: MetricPoint) => void;
}

/** Trains epoch by epoch. `state` says where it stands; at any batch it can be saved and taken up again, to the last bit. */
export class Trainer {
  readonly #parts: TrainerParts;
  readonly #sampler: DistributedSampler;
  readonly #loader: DataLoader<unknown, unknown>;
  /** Those of an epoch. */
  readonly #batches: number;
  readonly #scheduling: Scheduling;
  readonly #window: AccumulationWindow;
  #running = new RunningMetrics();
  #turn = performance.now();
  #savedStep = 0;
  #epochStep = 0;
  #skipped = 0;
  /** What the last batch logged of itself. */
  #readLogged: () => Record<string, number> = () => ({});
  #feed: Feed | undefined;
  readonly #log: StepLog;
  readonly #profiling: StepProfiling | null;

  constructor(parts: TrainerParts) {
    const { data, training, ranks } = parts;
    this.#parts = parts;
    this.#profiling = StepProfiling.of(parts);
    const train = new Subset(data.samples, data.splits.train);
    this.#sampler = new DistributedSampler(train.length, {
      numReplicas: ranks.worldSize,
      rank: ranks.rank,
      seed: training.seed,
      shuffle: training.overfitBatches === null,
    });
    this.#loader = new DataLoader<unknown, unknown>(train, { batchSize: training.batchSize, sampler: this.#sampler });
    this.#window = new AccumulationWindow(training.batchSize, ranks);
    this.#log = new StepLog(parts.placement.device !== 'cpu', (step, loss) => this.#write(step, loss));
    this.#batches = limited(training.limitTrainBatches, this.#loader.length);
    const stepsPerEpoch = Math.ceil(this.#batches / training.accumulationSteps);
    this.#scheduling = Scheduling.of(parts.model, parts.optimizer, training, stepsPerEpoch);
  }

  /** Takes up where a checkpoint stands; model and optimizer have its state already. */
  resume(checkpoint: Checkpoint): void {
    const { model, state, ranks, precision } = this.#parts;
    this.#scheduling.restore(checkpoint.scheduler);
    Object.assign(state, { ...checkpoint.state, mlflowRunId: state.mlflowRunId });
    this.#savedStep = state.step;
    const [weight = 0, loss = 0, ...sums] = checkpoint.running[ranks.rank]!.tolist<number[]>();
    if (state.batch > 0) {
      this.#running.restore(sums, state.metricKeys);
      this.#running.restoreMetrics(model, checkpoint.metrics, ranks.rank);
    }
    this.#window.restore(weight, loss);
    const gradients = checkpoint.gradients[ranks.rank] ?? {};
    this.#repeatUse(Object.keys(gradients));
    restoreGradients(model, gradients);
    this.#restoreRandomState(checkpoint);
    if (checkpoint.scaler !== null) precision.scaler?.loadStateDict(checkpoint.scaler);
  }

  #restoreRandomState({ rng, cudaRng }: Checkpoint): void {
    const { ranks, placement } = this.#parts;
    const own = { cpu: rng[ranks.rank]!, cuda: cudaRng[ranks.rank] ?? null };
    if (placement.device !== 'cpu' && own.cuda === null) {
      logger.info('The checkpoint was written on the CPU: what is drawn on the GPU begins anew');
    }
    restoreRandomState(own, placement.device);
  }

  /** Has `parallel` see again which parameters the open window has used: it averages those, whichever its last batch uses. */
  #repeatUse(names: string[]): void {
    const { model, parallel, training } = this.#parts;
    if (!training.findUnusedParameters || names.length === 0) return;
    const used = [...model.namedParameters()].filter(([name]) => names.includes(name));
    parallel.noSync(() => scope(() => zeroOf(used.map(([, parameter]) => parameter)).backward()));
  }

  /** Trains the epoch that `state` names to its end; false when it was interrupted. */
  async trainEpoch(): Promise<boolean> {
    const { model, state, agreement, placement } = this.#parts;
    model.train();
    this.#sampler.setEpoch(state.epoch);
    this.#epochStep = state.step;
    if (state.batch === 0) this.#running = new RunningMetrics();
    let isStopping = await agreement.decide();
    // It draws from the random state, which a checkpoint before the first batch must have as it is.
    this.#feed = isStopping ? undefined : placement.feed(this.#loader.batches(state.batch));
    try {
      this.#profiling?.beginEpoch();
      while (state.batch < this.#batches && !isStopping) {
        await this.#step(this.#feed!);
        await this.#takeTurn();
        await this.#saveWhenDue();
        isStopping = await agreement.shouldStop();
      }
      if (isStopping) await this.save();
      return !isStopping;
    } finally {
      this.#profiling?.endEpoch();
      this.#feed?.close();
      this.#feed = undefined;
    }
  }

  /** The means and scores of the epoch so far, over all ranks. */
  async trainMetrics() {
    const { model, ranks, training, state } = this.#parts;
    this.#log.flush();
    this.#tellSkipped();
    const metrics = await this.#running.finish(model, ranks);
    // Batches that count are looked at one by one.
    if (!Number.isNaN(metrics.values.loss) || training.nonFiniteLoss === 'ignore') return metrics;
    throw new AiforgeError(
      'TRAINING_FAILED',
      `Nothing counted in epoch ${state.epoch + 1}: trainingStep returned the weight 0 for every batch, so there is no mean loss. ` +
        'Look at the weights, or at the data that they come from; training.nonFiniteLoss=ignore trains on.',
    );
  }

  #tellSkipped(): void {
    const { state, precision } = this.#parts;
    const skipped = this.#skipped;
    this.#skipped = 0;
    if (skipped === 0) return;
    const text =
      `Epoch ${state.epoch + 1} skipped ${skipped} steps, whose gradients were not finite in float16; ` +
      `the scale of the loss is ${precision.scaler?.getScale()}`;
    if (state.step === this.#epochStep) logger.warn(`${text}. It made no other step`);
    else logger.info(text);
  }

  /**
   * Takes the metrics of an epoch that has ended, `validated` or not; gives the learning rates of its last step, where they
   * change.
   */
  endEpoch(metrics: Record<string, number>, validated: boolean): Record<string, number> {
    this.#scheduling.endEpoch(metrics, validated);
    return this.#scheduling.rates;
  }

  /** Writes the checkpoint to resume from; every rank takes part, rank 0 writes. */
  async save(): Promise<void> {
    const { model, optimizer, state, ranks, checkpointFile, identity, placement, precision } = this.#parts;
    // What is not finite shows here at the latest, and is not written.
    this.#log.flush();
    const open = this.#isWindowOpen ? this.#window.readLoss() : null;
    if (open !== null) this.#checkFinite(open, state.epoch, state.batch);
    const drawn = this.#feed?.drawnBefore ?? randomState(placement.device);
    const rng = await ranks.gather(drawn.cpu);
    const cudaRng = drawn.cuda === null ? [] : await ranks.gather(drawn.cuda);
    const sums = [...this.#window.state(), ...this.#running.sums()];
    const running = await ranks.gather(tensor(sums, { dtype: 'float64' }));
    const metrics = state.batch > 0 ? await this.#running.saveMetrics(model, ranks) : {};
    const gradients = this.#isWindowOpen ? await gatherGradients(model, ranks) : [];
    if (ranks.rank !== 0) return;
    state.metricKeys = this.#running.extraKeys;
    scope(() =>
      saveCheckpoint(checkpointFile, {
        ...identity,
        state,
        ...saveModel(model),
        ...flattenOptimizer(optimizer, model),
        frozen: [...model.namedParameters()].flatMap(([name, { requiresGrad }]) => (requiresGrad ? [] : name)),
        scheduler: this.#scheduling.save(),
        scaler: precision.scaler === null ? null : (precision.scaler.stateDict() as GradScalerStateDict),
        rng,
        cudaRng,
        running,
        metrics,
        gradients,
      }),
    );
  }

  get #isWindowOpen(): boolean {
    const { state, training } = this.#parts;
    return state.batch % training.accumulationSteps !== 0 && state.batch < this.#batches;
  }

  async #step(feed: Feed): Promise<void> {
    const { state, training, callbacks, parallel } = this.#parts;
    const open = state.batch % training.accumulationSteps;
    const size = Math.min(training.accumulationSteps, this.#batches - state.batch + open);
    const closes = open + 1 === size;
    scope(() => {
      const batch = feed.next();
      if (closes) this.#backward(batch, size);
      else parallel.noSync(() => this.#backward(batch, size));
    });
    if (closes) await this.#update();
    if (closes) this.#profiling?.endStep();
    ++state.batch;
    // The GPU has its work; what is loaded now is loaded in the order of a run without one.
    if (state.batch < this.#batches) feed.prefetch();
    await callbacks.onStepEnd(this.#progress());
  }

  #backward(batch: unknown, windowSize: number): void {
    const { model, parallel, training, state, precision } = this.#parts;
    const step = () => called('trainingStep', () => model.trainingStep(batch as Record<string, Tensor>, state.batch));
    const samples = Math.min(training.batchSize, this.#sampler.length - state.batch * training.batchSize);
    // Nothing but the loss leaves it: what else a step gives says nothing about which parameters have a gradient.
    const loss = parallel.run(() => {
      const given = precision.run(() => logging(model, step));
      const read = readStep(given, 'trainingStep', batch, samples);
      if (typeof read.value === 'number' && read.weight > 0)
        this.#checkFinite(read.value, state.epoch, state.batch + 1);
      this.#running.add(read);
      this.#readLogged = readerOf(read.logged);
      return this.#window.add(read, windowSize, model.parameters());
    });
    precision.backward(loss);
  }

  /** `batch` and `epoch` are those that the loss is of, or of the last batch of its step. */
  #checkFinite(loss: number, epoch: number, batch: number): void {
    const { training, state } = this.#parts;
    if (Number.isFinite(loss) || training.nonFiniteLoss === 'ignore') return;
    throw new AiforgeError(
      'TRAINING_FAILED',
      `The loss is ${loss} in epoch ${epoch + 1}, batch ${batch} (step ${state.step}): training cannot go on from it. ` +
        'Lower training.learningRate, set training.gradClipNorm, or look at the data; training.nonFiniteLoss=ignore trains on.',
    );
  }

  /** Takes a step that was done to the trackers. */
  #write({ step, epoch, batch, rates, time, readLogged }: LoggedStep, loss: number | null): void {
    if (rates !== null) {
      this.#parts.onStep(
        { train_loss_step: loss ?? NaN, ...readLogged(), ...rates },
        { step, epoch, time, interval: 'step' },
      );
    }
    if (loss !== null) this.#checkFinite(loss, epoch - 1, batch);
  }

  async #update(): Promise<void> {
    const { training, state, model, optimizer, precision } = this.#parts;
    const { readLoss } = this.#window;
    const counts = await this.#window.close(model.parameters());
    if (!counts) {
      optimizer.zeroGrad();
      return;
    }
    const isStep = precision.step(optimizer, model.parameters(), training);
    if (isStep) {
      ++state.step;
      this.#scheduling.endStep();
    } else {
      ++this.#skipped;
    }
    const rates = isStep ? this.#scheduling.rates : null;
    const at = { step: state.step, epoch: state.epoch + 1, batch: state.batch + 1, time: Date.now() };
    this.#log.add({ ...at, readLoss, readLogged: this.#readLogged, rates });
  }

  #progress() {
    const { state, training, ranks } = this.#parts;
    const own = Math.min(state.batch * training.batchSize, this.#sampler.length);
    const running = this.#running;
    return {
      epoch: state.epoch + 1,
      epochs: training.epochs,
      batch: state.batch,
      batches: this.#batches,
      samples: own * ranks.worldSize,
      // Asked for by few, and read from a GPU or computed from counts.
      get loss() {
        return running.loss;
      },
      get accuracy() {
        return running.accuracy;
      },
      get logged() {
        return running.shown;
      },
    };
  }

  async #takeTurn(): Promise<void> {
    if (performance.now() - this.#turn < turnMs) return;
    await setImmediate();
    this.#turn = performance.now();
  }

  async #saveWhenDue(): Promise<void> {
    const { state, training, agreement } = this.#parts;
    const { everySteps } = training.checkpoint;
    const isDue = everySteps !== null && state.step !== this.#savedStep && state.step % everySteps === 0;
    if (!isDue && !agreement.takeSave()) return;
    this.#savedStep = state.step;
    await this.save();
  }
}

/** What reads the values that a batch logged to be recorded with its step; on a GPU they are kept until then. */
function readerOf(logged: LogEntries): () => Record<string, number> {
  const values = Object.entries(logged).flatMap(([name, { onStep, value }]): [string, Measured][] =>
    onStep && !isLoggedMetric(value) ? [[`train_${name}_step`, Tensor.isTensor(value) ? keep(value) : value]] : [],
  );
  return () =>
    Object.fromEntries(values.map(([name, value]) => [name, Tensor.isTensor(value) ? Number(value.item()) : value]));
}
