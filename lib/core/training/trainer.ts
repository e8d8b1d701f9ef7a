import { setImmediate } from 'node:timers/promises';

import type { TrainingConfig } from '../../config/trainingConfig.js';
import { DataLoader, DistributedSampler, Subset } from '../../data/index.js';
import { AiforgeError } from '../../errors.js';
import { utils } from '../../nn/index.js';
import type { Optimizer } from '../../optim/index.js';
import { getRngState, scope, setRngState, Tensor, tensor } from '../../tensor/index.js';
import type { BaseModel, StepOutput } from '../baseModel.js';
import type { Callback } from '../callback.js';
import {
  flattenOptimizer,
  restoreOptimizer,
  saveCheckpoint,
  type Checkpoint,
  type RunState,
} from '../checkpoints/checkpoint.js';
import type { ExperimentData } from '../runs/experiment.js';
import { RunningMetrics } from './metrics.js';
import type { ParallelStep, Ranks } from '../ranks.js';
import { Scheduling } from './scheduling.js';

/** How long a step may keep the event loop from other work before it gets a turn. */
const turnMs = 10;
/** Steps between the points at which ranks ask each other whether to stop. */
const agreeSteps = 10;

export interface TrainerParts {
  training: TrainingConfig;
  model: BaseModel;
  optimizer: Optimizer;
  parallel: ParallelStep;
  data: ExperimentData;
  ranks: Ranks;
  state: RunState;
  /** Where `last.safetensors` is written. */
  checkpointFile: string;
  signal: AbortSignal | undefined;
  callback: Callback;
  /** Called after each step of the optimizer, with the metrics of the step. */
  onStep: (metrics: Record<string, number>) => void;
}

/** Trains epoch by epoch. `state` says where it stands; at any step it can be saved and taken up again, to the last bit. */
export class Trainer {
  readonly #parts: TrainerParts;
  readonly #sampler: DistributedSampler;
  readonly #loader: DataLoader<unknown, unknown>;
  readonly #scheduling: Scheduling;
  #running = new RunningMetrics();
  #resumed: Checkpoint | undefined;
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
    const stepsPerEpoch = Math.ceil(this.#loader.length / training.accumulationSteps);
    this.#scheduling = Scheduling.of(parts.model, parts.optimizer, training, stepsPerEpoch);
  }

  /** Takes up where a checkpoint stands. */
  resume(checkpoint: Checkpoint): void {
    const { model, optimizer, state, ranks } = this.#parts;
    if (checkpoint.state.worldSize !== ranks.worldSize) {
      throw new AiforgeError(
        'TRAINING_FAILED',
        `The checkpoint was written by ${checkpoint.state.worldSize} ranks and can only be resumed by as many, not by ${ranks.worldSize}.`,
      );
    }
    model.loadStateDict(checkpoint.model);
    restoreOptimizer(optimizer, checkpoint);
    this.#scheduling.restore(checkpoint.scheduler);
    Object.assign(state, checkpoint.state);
    this.#resumed = checkpoint;
  }

  /** Trains the epoch that `state` names to its end; false when it was interrupted. */
  async trainEpoch(): Promise<boolean> {
    const { model, state } = this.#parts;
    model.train();
    this.#sampler.setEpoch(state.epoch);
    this.#running = new RunningMetrics();
    const batches = this.#loader.batches(state.batch);
    this.#restoreRandomState();
    while (state.batch < this.#loader.length) {
      scope(() => this.#step(batches));
      await this.#takeTurn();
      await this.#saveWhenDue();
      if (await this.#shouldStop()) {
        await this.save();
        return false;
      }
    }
    return true;
  }

  /** The mean training loss and scores of the epoch so far, over all ranks. */
  trainMetrics() {
    return this.#running.finish(this.#parts.ranks);
  }

  /** Takes the metrics of an epoch that has ended; gives the learning rates of its last step, where they change. */
  endEpoch(metrics: Record<string, number>): Record<string, number> {
    this.#scheduling.endEpoch(metrics);
    return this.#scheduling.rates;
  }

  /** Writes the checkpoint to resume from; every rank takes part, rank 0 writes. */
  async save(): Promise<void> {
    const { model, optimizer, state, ranks, checkpointFile } = this.#parts;
    const rng = await ranks.gather(getRngState());
    const running = await ranks.gather(tensor(this.#running.sums(), { dtype: 'float64' }));
    if (ranks.rank !== 0) return;
    scope(() =>
      saveCheckpoint(checkpointFile, {
        state,
        model: model.stateDict(),
        ...flattenOptimizer(optimizer),
        scheduler: this.#scheduling.save(),
        rng,
        running,
      }),
    );
  }

  #restoreRandomState(): void {
    const checkpoint = this.#resumed;
    this.#resumed = undefined;
    if (checkpoint === undefined) return;
    const { rank } = this.#parts.ranks;
    setRngState(checkpoint.rng[rank]!);
    if (this.#parts.state.batch > 0) this.#running.restore(checkpoint.running[rank]!.tolist<number[]>());
  }

  #step(batches: Iterator<unknown, void>): void {
    const { training, state, model, optimizer, callback } = this.#parts;
    const batch = batches.next().value;
    const isUpdate = (state.batch + 1) % training.accumulationSteps === 0 || state.batch + 1 === this.#loader.length;
    const output = isUpdate ? this.#gradients(batch) : this.#parts.parallel.noSync(() => this.#gradients(batch));
    const samples = Math.min(training.batchSize, this.#sampler.length - state.batch * training.batchSize);
    this.#running.add(output, batch, samples);
    if (isUpdate) {
      if (training.gradClipNorm !== null) utils.clipGradNorm_([...model.parameters()], training.gradClipNorm);
      optimizer.step();
      optimizer.zeroGrad();
      ++state.step;
      this.#scheduling.endStep();
      this.#parts.onStep({ train_loss_step: Number(output.loss.item()), ...this.#scheduling.rates });
    }
    ++state.batch;
    callback.onStepEnd?.(this.#progress());
  }

  #gradients(batch: unknown): StepOutput {
    const { model, parallel, training, state } = this.#parts;
    const output = parallel.run(() => model.trainingStep(batch as Record<string, Tensor>, state.batch));
    checkOutput(output);
    const { accumulationSteps } = training;
    (accumulationSteps === 1 ? output.loss : output.loss.div(accumulationSteps)).backward();
    return output;
  }

  #progress() {
    const { state, training, ranks } = this.#parts;
    const own = Math.min(state.batch * training.batchSize, this.#sampler.length);
    return {
      epoch: state.epoch,
      epochs: training.epochs,
      batch: state.batch,
      batches: this.#loader.length,
      samples: own * ranks.worldSize,
      loss: this.#running.loss,
      accuracy: this.#running.accuracy,
    };
  }

  async #takeTurn(): Promise<void> {
    if (performance.now() - this.#turn < turnMs) return;
    await setImmediate();
    this.#turn = performance.now();
  }

  async #saveWhenDue(): Promise<void> {
    const { state, training } = this.#parts;
    const { everySteps } = training.checkpoint;
    if (everySteps === null || state.step === this.#savedStep || state.step % everySteps !== 0) return;
    this.#savedStep = state.step;
    await this.save();
  }

  /** Ranks must stop at the same step, or the others would wait for this one's gradients for ever. */
  async #shouldStop(): Promise<boolean> {
    const { signal, ranks, state } = this.#parts;
    const aborted = signal?.aborted ?? false;
    if (ranks.worldSize === 1) return aborted;
    if (state.batch % agreeSteps !== 0 && state.batch !== this.#loader.length) return false;
    return Number((await ranks.sum(tensor([Number(aborted)]))).item()) > 0;
  }
}

function checkOutput(output: StepOutput): void {
  const loss = (output as StepOutput | undefined)?.loss;
  if (Tensor.isTensor(loss) && loss.numel() === 1) return;
  const found = Tensor.isTensor(loss) ? `a tensor of shape [${loss.shape.join(', ')}]` : String(loss);
  throw new AiforgeError('PLUGIN_INVALID', `trainingStep must return { loss } with a single element, got ${found}.`);
}
