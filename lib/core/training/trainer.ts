import { setImmediate } from 'node:timers/promises';

import type { GradScalerStateDict } from '../../amp/index.js';
import type { TrainingConfig } from '../../config/trainingConfig.js';
import { AiforgeError } from '../../errors.js';
import { logger } from '../../log.js';
import { scope, tensor } from '../../tensor/index.js';
import type { MetricPoint } from '../../tracking/tracker.js';
import type { BaseModel } from '../baseModel.js';
import type { BatchEnd } from '../callbacks/callback.js';
import type { Callbacks } from '../callbacks/callbacks.js';
import { sharesOf } from '../checkpoints/otherRanks.js';
import type { Checkpoint, RunState } from '../checkpoints/checkpoint.js';
import type { CheckpointWriter } from '../checkpoints/checkpointWriter.js';
import { saveModel } from '../checkpoints/modelState.js';
import { gatherGradients, restoreGradients } from '../checkpoints/gradients.js';
import { flattenOptimizer } from '../checkpoints/optimizerState.js';
import { randomState, restoreRandomState } from '../randomState.js';
import type { ParallelStep, Ranks } from '../ranks.js';
import type { ExperimentData } from '../runs/experiment.js';
import type { Agreement } from './agreement.js';
import type { Averaging } from './weights/averaging.js';
import { countersOf } from './counters.js';
import { endOfBatch } from './batchEnd.js';
import { drive, type Work } from './drive.js';
import { EpochBatches } from './epochBatches.js';
import { limited } from './limits.js';
import { RunningMetrics } from './measuring/metrics.js';
import { NonFinite } from './optimization/nonFinite.js';
import { Optimization } from './optimization/optimization.js';
import type { Optimizers } from './optimization/optimizers.js';
import type { Feed, Placement } from './placement.js';
import type { Precision } from './optimization/precision.js';
import { StepProfiling } from './profiling.js';
import type { Recorder } from './measuring/recorder.js';
import { Schedules } from './optimization/scheduling.js';
import type { LoggedStep } from './measuring/stepLog.js';
import { StepMeasures } from './measuring/stepMeasures.js';

/** How long a step may keep the event loop from other work before it gets a turn. */
const turnMs = 10;

export interface TrainerParts {
  training: TrainingConfig;
  model: BaseModel;
  optimizers: Optimizers;
  parallel: ParallelStep;
  data: ExperimentData;
  ranks: Ranks;
  state: RunState;
  /** Where checkpoints are written, and what is written of the run as a whole. */
  writer: CheckpointWriter;
  identity: Pick<Checkpoint, 'config' | 'plugins' | 'preprocessor'>;
  agreement: Agreement;
  callbacks: Callbacks;
  placement: Placement;
  precision: Precision;
  averaging: Averaging | null;
  /** Called with what each step of the optimizer has to record; on a GPU some time after it. */
  onStep: (metrics: Record<string, number>, at: MetricPoint, recorder: Recorder | undefined) => void;
}

/** Why training pauses: the epoch's batches are done, a validation is due, or the run was asked to stop. */
export type Pause = 'done' | 'validation' | 'stopped';

/** Trains epoch by epoch. `state` says where it stands; at any batch it can be saved and taken up again, to the last bit. */
export class Trainer {
  readonly #parts: TrainerParts;
  readonly #batches: EpochBatches;
  readonly #validatesEvery: number | null;
  readonly #schedules: Schedules;
  readonly #optimization: Optimization;
  readonly #nonFinite: NonFinite;
  readonly #measures: StepMeasures;
  #running = new RunningMetrics();
  #turn = performance.now();
  #epochStep = 0;
  #isWhole = true;
  readonly #profiling: StepProfiling | null;

  constructor(parts: TrainerParts) {
    const { training, ranks, model, optimizers, state, placement } = parts;
    this.#parts = parts;
    this.#profiling = StepProfiling.of(parts);
    this.#batches = new EpochBatches(parts);
    const { valCheckInterval } = training;
    this.#validatesEvery = valCheckInterval === null ? null : limited(valCheckInterval, this.batches);
    if (valCheckInterval !== null && valCheckInterval > this.batches && ranks.rank === 0 && !training.fastDevRun) {
      logger.warn(`training.valCheckInterval is ${valCheckInterval}, but an epoch has ${this.batches} batches: it is validated at its end alone`); // prettier-ignore
    }
    const stepsPerEpoch = Math.ceil(this.batches / training.accumulationSteps);
    this.#schedules = new Schedules(model, optimizers, training, { epochs: training.epochs, stepsPerEpoch });
    this.#nonFinite = new NonFinite({ training, model, state, device: placement.device });
    this.#measures = new StepMeasures(training, ranks.worldSize, placement.device);
    this.#optimization = new Optimization({
      ...parts,
      schedules: this.#schedules,
      nonFinite: this.#nonFinite,
      measures: this.#measures,
      isOnDevice: placement.device !== 'cpu',
      onBatch: (step) => {
        this.#running.add(step);
        this.#measures.addBatch(step);
      },
      onStep: (step, loss) => this.#record(step, loss),
    });
  }

  /** Takes up where a checkpoint stands; model and optimizers have its state already. */
  resume(checkpoint: Checkpoint): void {
    const { model, state, ranks, precision, averaging } = this.#parts;
    this.#schedules.restore(checkpoint.schedulers);
    Object.assign(state, { ...checkpoint.state, mlflowRunId: state.mlflowRunId });
    const shares = sharesOf(ranks, checkpoint.running.length);
    const running = shares.map((share) => checkpoint.running[share]!.tolist<number[]>());
    if (state.batch > 0) {
      this.#running.restore(running.map(([, , ...sums]) => sums), state.metricKeys); // prettier-ignore
      this.#running.restoreMetrics(model, checkpoint.metrics, shares);
    }
    // Another number of ranks begins between two windows.
    const [weight = 0, loss = 0] = checkpoint.running.length === ranks.worldSize ? running[0]! : [];
    const gradients = checkpoint.gradients[ranks.rank] ?? {};
    this.#optimization.restoreWindow(weight, loss, Object.keys(gradients));
    restoreGradients(model, gradients);
    this.#restoreRandomState(checkpoint);
    this.#batches.resume(checkpoint.passRng[ranks.rank]);
    if (checkpoint.scaler !== null) precision.scaler?.loadStateDict(checkpoint.scaler);
    averaging?.loadStateDict(checkpoint.averages);
  }

  #restoreRandomState({ rng, cudaRng }: Checkpoint): void {
    const { ranks, placement } = this.#parts;
    const own = { cpu: rng[ranks.rank]!, cuda: cudaRng[ranks.rank] ?? null };
    if (placement.device !== 'cpu' && own.cuda === null) {
      logger.info('The checkpoint was written on the CPU: what is drawn on the GPU begins anew');
    }
    restoreRandomState(own, placement.device);
  }

  /** Trains until the epoch that `state` names is done, or a validation is due, or the run was asked to stop. */
  async train(): Promise<Pause> {
    const { state, agreement } = this.#parts;
    this.#epochStep = state.step;
    if (state.batch === 0) this.#running = new RunningMetrics();
    let isStopping = await agreement.decide();
    let isPaused = false;
    // It draws from the random state, which a checkpoint before the first batch must have as it is.
    const feed = isStopping ? undefined : this.#batches.begin();
    try {
      this.#profiling?.beginEpoch();
      while (state.batch < this.batches && !isStopping) {
        isPaused = this.isValidationDue;
        if (isPaused) return 'validation';
        const stopping = drive(this.#batch(feed!));
        isStopping = typeof stopping === 'boolean' ? stopping : await stopping;
      }
      if (isStopping) await this.save();
      return isStopping ? 'stopped' : 'done';
    } finally {
      this.#profiling?.endEpoch();
      if (!isPaused) this.#batches.end();
    }
  }

  /** Ends what makes batches. */
  async close(): Promise<void> {
    await this.#batches.close();
  }

  /** Those of an epoch. */
  get batches(): number {
    return this.#batches.length;
  }

  /** Whether the split to validate on is to be looked at before the next batch. */
  get isValidationDue(): boolean {
    const { batch, validatedBatch } = this.#parts.state;
    const every = this.#validatesEvery;
    return every !== null && batch > validatedBatch && batch < this.batches && batch % every === 0;
  }

  /** Whether a checkpoint of now would be exact: not in the middle of a batch, nor after the end. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** To be called before the model gets other weights, of which no checkpoint is to be written. */
  end(): void {
    this.#isWhole = false;
  }

  /** The means and scores of the epoch so far, over all ranks. */
  async trainMetrics() {
    const { model, ranks, training, state } = this.#parts;
    this.#optimization.flush();
    const { skipped, leftOut } = this.#tellSkipped();
    const metrics = await this.#running.finish(model, ranks);
    if (!model.automaticOptimization && state.step === 0 && skipped === 0) throw neverStepped(state.epoch + 1);
    // Batches that count are looked at one by one.
    if (!Number.isNaN(metrics.values.loss) || training.nonFiniteLoss === 'ignore') return metrics;
    throw new AiforgeError(
      'TRAINING_FAILED',
      `Nothing counted in epoch ${state.epoch + 1}, so there is no mean loss: ` +
        (leftOut === 0
          ? 'trainingStep returned the weight 0 for every batch. Look at the weights, or at the data that they come from.'
          : `${leftOut} batches were left out, whose loss was not finite, and no other one had a weight above 0. Look at the data, or lower the learning rate; training.nonFiniteLoss=ignore trains on.`),
    );
  }

  /** Tells what did not count since it was last asked; gives how many steps float16 skipped, and how many batches were left out. */
  #tellSkipped(): { skipped: number; leftOut: number } {
    const { state, precision } = this.#parts;
    const leftOut = this.#nonFinite.takeLeftOut();
    if (leftOut > 0) logger.warn(`Epoch ${state.epoch + 1} left out ${leftOut} batches, whose loss was not finite`);
    const skipped = this.#optimization.takeSkipped();
    if (skipped === 0) return { skipped, leftOut };
    const text =
      `Epoch ${state.epoch + 1} skipped ${skipped} steps, whose gradients were not finite in float16; ` +
      `the scale of the loss is ${precision.scaler?.getScale()}`;
    if (state.step === this.#epochStep) logger.warn(`${text}. It made no other step`);
    else logger.info(text);
    return { skipped, leftOut };
  }

  /**
   * Takes the metrics of an epoch that has ended, `validated` or not; gives the learning rates of its last step, where they
   * change.
   */
  endEpoch(metrics: Record<string, number>, validated: boolean): Record<string, number> {
    this.#schedules.endEpoch(metrics, validated);
    return this.#schedules.rates;
  }

  /**
   * Runs a body in training mode for each batch of the epoch that `state` names, without stepping anything; the event loop runs
   * between batches. False when the run was asked to stop.
   */
  async lookThrough(body: (batch: unknown, index: number) => void): Promise<boolean> {
    const { agreement } = this.#parts;
    if (await agreement.decide()) return false;
    const feed = this.#batches.again();
    try {
      for (let index = 0; index < this.batches; ++index) {
        await feed.ready();
        scope(() => body(feed.next(), index));
        await setImmediate();
        if (await agreement.shouldStop()) return false;
      }
    } finally {
      feed.close();
    }
    return true;
  }

  /** Writes the checkpoint to resume from; every rank takes part, rank 0 writes. */
  async save(): Promise<void> {
    const { model, optimizers, state, ranks, writer, identity, placement, precision, callbacks, averaging, parallel } = this.#parts; // prettier-ignore
    // What is not finite shows here at the latest, and is not written.
    this.#optimization.flush();
    const isOpen = this.#optimization.isOpen(this.batches);
    const open = isOpen ? this.#optimization.readLoss() : null;
    if (open !== null) this.#nonFinite.check(open, state.epoch, state.batch);
    const drawn = this.#batches.feed?.drawnBefore ?? randomState(placement.device);
    const rng = await ranks.gather(drawn.cpu);
    const cudaRng = drawn.cuda === null ? [] : await ranks.gather(drawn.cuda);
    const passRng = state.batch > 0 ? await ranks.gather(this.#batches.drawnBefore ?? drawn.cpu) : [];
    state.metricKeys = await this.#running.allKeys(ranks);
    const sums = [...this.#optimization.windowState(), ...this.#running.sums(state.metricKeys)];
    const running = await ranks.gather(tensor(sums, { dtype: 'float64' }));
    const metrics = state.batch > 0 ? await this.#running.saveMetrics(model, ranks) : {};
    const gradients = isOpen ? await gatherGradients(model, ranks) : [];
    await writer.writeLast(() => ({
      ...identity,
      state,
      ...saveModel(model),
      optimizers: Object.fromEntries(
        Object.entries(optimizers).map(([name, optimizer]) => [name, flattenOptimizer(optimizer, model)]),
      ),
      gradientBuckets: parallel.gradientBuckets?.() ?? null,
      frozen: [...model.namedParameters()].flatMap(([name, { requiresGrad }]) => (requiresGrad ? [] : name)),
      schedulers: this.#schedules.save(),
      callbacks: callbacks.save(),
      averages: averaging?.stateDict() ?? {},
      scaler: precision.scaler === null ? null : (precision.scaler.stateDict() as GradScalerStateDict),
      rng,
      cudaRng,
      passRng,
      running,
      metrics,
      gradients,
    }));
  }

  /** A batch, and what is due after it; gives whether the run is to stop. */
  *#batch(feed: Feed): Work<boolean> {
    yield this.#parts.callbacks.tell('onBatchStart', () => this.#batchEvent(this.#parts.state.batch + 1));
    const coming = feed.ready();
    if (coming !== undefined && !(yield this.#parts.agreement.hasCome(coming))) return true;
    yield* this.#train(feed);
    if (this.#isTurnDue) yield this.#takeTurn();
    const isStopping = (yield this.#parts.agreement.shouldStop()) as boolean;
    if (!this.isValidationDue && this.#isSaveDue()) yield this.save();
    return isStopping;
  }

  *#train(feed: Feed): Work {
    const { state, callbacks, ranks } = this.#parts;
    const samples = this.#batches.nextSamples;
    this.#isWhole = false;
    const load = (): unknown => {
      this.#nonFinite.before();
      return feed.next();
    };
    const before = state.step;
    yield* this.#optimization.train({ load, samples, batches: this.batches });
    if (state.step !== before) this.#profiling?.endStep();
    ++state.batch;
    state.taken += samples * ranks.worldSize;
    ++state.trainedBatches;
    // The GPU has its work; what is loaded now is loaded in the order of a run without one.
    if (state.batch < this.batches) feed.prefetch();
    this.#isWhole = true;
    yield callbacks.tell('onBatchEnd', () => this.#batchEnd());
  }

  /** Takes a step that was done to the trackers. */
  #record(
    { step, epoch, batch, trained, rates, time, readLogged, readNorm, recorder }: LoggedStep,
    loss: number | null,
  ): void {
    if (rates !== null) {
      const metrics: Record<string, number> = { train_loss_step: loss ?? NaN };
      Object.assign(metrics, readLogged(), rates, this.#measures.ofStep(readNorm));
      this.#parts.onStep(metrics, { step, epoch, batch: trained, time, interval: 'step' }, recorder);
    }
    if (loss !== null) this.#nonFinite.check(loss, epoch - 1, batch);
  }

  #batchEvent(batch: number) {
    const { state, training } = this.#parts;
    return { ...countersOf(state, training), stage: 'train' as const, batch, batches: this.batches };
  }

  #batchEnd(): BatchEnd {
    const { state } = this.#parts;
    return endOfBatch(this.#batchEvent(state.batch), state.taken, this.#running);
  }

  get #isTurnDue(): boolean {
    return performance.now() - this.#turn >= turnMs;
  }

  async #takeTurn(): Promise<void> {
    await setImmediate();
    this.#turn = performance.now();
  }

  /** Writes a checkpoint if one is due, or was asked for. */
  async saveWhenDue(): Promise<void> {
    if (this.#isSaveDue()) await this.save();
  }

  #isSaveDue(): boolean {
    const { state, agreement, writer, ranks } = this.#parts;
    if (ranks.rank === 0 && writer.isTimeDue) agreement.askSave();
    const isAsked = agreement.takeSave();
    return isAsked || writer.isDue(state);
  }
}

function neverStepped(epoch: number): AiforgeError {
  return new AiforgeError(
    'PLUGIN_INVALID',
    `No optimizer was stepped in epoch ${epoch}: the model's automaticOptimization is false, so its trainingStep is to call manualBackward(loss) and step() of this.optimizers.`,
  );
}
