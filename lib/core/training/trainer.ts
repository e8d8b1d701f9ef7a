import { setImmediate } from 'node:timers/promises';

import type { TrainingConfig } from '../../config/trainingConfig.js';
import { DataLoader, DistributedSampler, Subset } from '../../data/index.js';
import { AiforgeError } from '../../errors.js';
import { utils } from '../../nn/index.js';
import type { Optimizer } from '../../optim/index.js';
import { getRngState, scope, setRngState, tensor, type Tensor } from '../../tensor/index.js';
import type { BaseModel } from '../baseModel.js';
import type { Callbacks } from '../callbacks.js';
import { saveCheckpoint, type Checkpoint, type RunState } from '../checkpoints/checkpoint.js';
import { saveModel } from '../checkpoints/modelState.js';
import { gatherGradients, restoreGradients } from '../checkpoints/gradients.js';
import { flattenOptimizer } from '../checkpoints/optimizerState.js';
import { called } from '../plugins/calls.js';
import type { ParallelStep, Ranks } from '../ranks.js';
import type { ExperimentData } from '../runs/experiment.js';
import { AccumulationWindow, zeroOf } from './accumulation.js';
import type { Agreement } from './agreement.js';
import { RunningMetrics } from './metrics.js';
import { Scheduling } from './scheduling.js';
import { readStep, type Step } from './stepOutput.js';

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
  /** Called after each step of the optimizer, with the metrics of the step. */
  onStep: (metrics: Record<string, number>) => void;
}

/** Trains epoch by epoch. `state` says where it stands; at any batch it can be saved and taken up again, to the last bit. */
export class Trainer {
  readonly #parts: TrainerParts;
  readonly #sampler: DistributedSampler;
  readonly #loader: DataLoader<unknown, unknown>;
  readonly #scheduling: Scheduling;
  readonly #window: AccumulationWindow;
  #running = new RunningMetrics();
  #turn = performance.now();
  #savedStep = 0;

  constructor(parts: TrainerParts) {
    const { data, training, ranks } = parts;
    this.#parts = parts;
    const train = new Subset(data.samples, data.splits.train);
    this.#sampler = new DistributedSampler(train.length, {
      numReplicas: ranks.worldSize,
      rank: ranks.rank,
      seed: training.seed,
    });
    this.#loader = new DataLoader<unknown, unknown>(train, { batchSize: training.batchSize, sampler: this.#sampler });
    this.#window = new AccumulationWindow(training.batchSize, ranks);
    const stepsPerEpoch = Math.ceil(this.#loader.length / training.accumulationSteps);
    this.#scheduling = Scheduling.of(parts.model, parts.optimizer, training, stepsPerEpoch);
  }

  /** Takes up where a checkpoint stands; model and optimizer have its state already. */
  resume(checkpoint: Checkpoint): void {
    const { model, state, ranks } = this.#parts;
    this.#scheduling.restore(checkpoint.scheduler);
    Object.assign(state, { ...checkpoint.state, mlflowRunId: state.mlflowRunId });
    this.#savedStep = state.step;
    const [weight = 0, loss = 0, ...sums] = checkpoint.running[ranks.rank]!.tolist<number[]>();
    if (state.batch > 0) this.#running.restore(sums, state.metricNames);
    this.#window.restore(weight, loss);
    const gradients = checkpoint.gradients[ranks.rank] ?? {};
    this.#repeatUse(Object.keys(gradients));
    restoreGradients(model, gradients);
    setRngState(checkpoint.rng[ranks.rank]!);
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
    const { model, state, agreement } = this.#parts;
    model.train();
    this.#sampler.setEpoch(state.epoch);
    if (state.batch === 0) this.#running = new RunningMetrics();
    let isStopping = await agreement.decide();
    // It draws from the random state, which a checkpoint before the first batch must have as it is.
    const batches = isStopping ? undefined : this.#loader.batches(state.batch);
    while (state.batch < this.#loader.length && !isStopping) {
      await this.#step(batches!);
      await this.#takeTurn();
      await this.#saveWhenDue();
      isStopping = await agreement.shouldStop();
    }
    if (isStopping) await this.save();
    return !isStopping;
  }

  /** The means and scores of the epoch so far, over all ranks. */
  async trainMetrics() {
    const { ranks, training, state } = this.#parts;
    const metrics = await this.#running.finish(ranks);
    // Batches that count are looked at one by one.
    if (!Number.isNaN(metrics.values.loss) || training.nonFiniteLoss === 'ignore') return metrics;
    throw new AiforgeError(
      'TRAINING_FAILED',
      `Nothing counted in epoch ${state.epoch + 1}: trainingStep returned the weight 0 for every batch, so there is no mean loss. ` +
        'Look at the weights, or at the data that they come from; training.nonFiniteLoss=ignore trains on.',
    );
  }

  /** The names of what training measures; known after the first batch. */
  get metricNames(): string[] {
    return this.#running.names;
  }

  /** Takes the metrics of an epoch that has ended; gives the learning rates of its last step, where they change. */
  endEpoch(metrics: Record<string, number>): Record<string, number> {
    this.#scheduling.endEpoch(metrics);
    return this.#scheduling.rates;
  }

  /** Writes the checkpoint to resume from; every rank takes part, rank 0 writes. */
  async save(): Promise<void> {
    const { model, optimizer, state, ranks, checkpointFile, identity } = this.#parts;
    const rng = await ranks.gather(getRngState());
    const sums = [...this.#window.state(), ...this.#running.sums()];
    const running = await ranks.gather(tensor(sums, { dtype: 'float64' }));
    const gradients = this.#isWindowOpen ? await gatherGradients(model, ranks) : [];
    if (ranks.rank !== 0) return;
    state.metricNames = this.#running.extraNames;
    scope(() =>
      saveCheckpoint(checkpointFile, {
        ...identity,
        state,
        ...saveModel(model),
        ...flattenOptimizer(optimizer, model),
        frozen: [...model.namedParameters()].flatMap(([name, { requiresGrad }]) => (requiresGrad ? [] : name)),
        scheduler: this.#scheduling.save(),
        rng,
        running,
        gradients,
      }),
    );
  }

  get #isWindowOpen(): boolean {
    const { state, training } = this.#parts;
    return state.batch % training.accumulationSteps !== 0 && state.batch < this.#loader.length;
  }

  async #step(batches: Iterator<unknown, void>): Promise<void> {
    const { state, training, callbacks, parallel } = this.#parts;
    const open = state.batch % training.accumulationSteps;
    const size = Math.min(training.accumulationSteps, this.#loader.length - state.batch + open);
    const closes = open + 1 === size;
    scope(() => {
      const batch = batches.next().value;
      if (closes) this.#backward(batch, size);
      else parallel.noSync(() => this.#backward(batch, size));
    });
    if (closes) await this.#update();
    ++state.batch;
    await callbacks.onStepEnd(this.#progress());
  }

  #backward(batch: unknown, windowSize: number): void {
    const { model, parallel, training, state } = this.#parts;
    const step = () => model.trainingStep(batch as Record<string, Tensor>, state.batch);
    const samples = Math.min(training.batchSize, this.#sampler.length - state.batch * training.batchSize);
    // Nothing but the loss leaves it: what else a step gives says nothing about which parameters have a gradient.
    const loss = parallel.run(() => {
      const read = readStep(called('trainingStep', step), 'trainingStep', batch, samples);
      this.#checkFinite(read);
      this.#running.add(read);
      return this.#window.add(read, windowSize, model.parameters());
    });
    loss.backward();
  }

  #checkFinite({ value, weight }: Step): void {
    const { training, state } = this.#parts;
    if (Number.isFinite(value) || weight === 0 || training.nonFiniteLoss === 'ignore') return;
    throw new AiforgeError(
      'TRAINING_FAILED',
      `The loss is ${value} in epoch ${state.epoch + 1}, batch ${state.batch + 1} (step ${state.step}): training cannot go on from it. ` +
        'Lower training.learningRate, set training.gradClipNorm, or look at the data; training.nonFiniteLoss=ignore trains on.',
    );
  }

  async #update(): Promise<void> {
    const { training, state, model, optimizer } = this.#parts;
    const { loss } = this.#window;
    const counts = await this.#window.close(model.parameters());
    if (!counts) {
      optimizer.zeroGrad();
      return;
    }
    scope(() => {
      if (training.gradClipNorm !== null) utils.clipGradNorm_([...model.parameters()], training.gradClipNorm);
      optimizer.step();
      optimizer.zeroGrad();
    });
    ++state.step;
    this.#scheduling.endStep();
    this.#parts.onStep({ train_loss_step: loss, ...this.#scheduling.rates });
  }

  #progress() {
    const { state, training, ranks } = this.#parts;
    const own = Math.min(state.batch * training.batchSize, this.#sampler.length);
    const running = this.#running;
    return {
      epoch: state.epoch + 1,
      epochs: training.epochs,
      batch: state.batch,
      batches: this.#loader.length,
      samples: own * ranks.worldSize,
      loss: running.loss,
      // Asked for by few, and computed from counts.
      get accuracy() {
        return running.accuracy;
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
