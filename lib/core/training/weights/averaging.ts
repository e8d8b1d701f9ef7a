import type { TrainingConfig } from '../../../config/trainingConfig.js';
import { noGrad } from '../../../autograd/index.js';
import type { Module } from '../../../nn/index.js';
import { swaUtils } from '../../../optim/index.js';
import { scope, type Tensor } from '../../../tensor/index.js';
import type { RunState } from '../../checkpoints/checkpoint.js';

type Settings = NonNullable<TrainingConfig['averaging']>;

/**
 * Averages of a model's weights over the training, which validation, test and the best weights have in place of the weights
 * themselves: exponential ones after steps of the optimizer (EMA), or of equal weight after epochs (SWA).
 */
export class Averaging {
  readonly #averaged: swaUtils.AveragedModel;

  constructor(
    private readonly settings: Settings,
    private readonly model: Module,
  ) {
    const { method, useBuffers } = settings;
    const multiAvgFn = method === 'ema' ? swaUtils.getEmaMultiAvgFn(settings.decay) : null;
    this.#averaged = new swaUtils.AveragedModel(model, { multiAvgFn, useBuffers });
    for (const parameter of this.#averaged.parameters()) parameter.requiresGrad = false;
  }

  /** To be called after each step of the optimizer. */
  afterStep({ step }: RunState): void {
    const { settings } = this;
    if (settings.method !== 'ema' || step < settings.startStep || step % settings.everySteps !== 0) return;
    this.#averaged.updateParameters(this.model);
  }

  /** To be called after each epoch, with its number; again, where what comes after it was interrupted. */
  afterEpoch(state: RunState, epoch: number): void {
    const isCounted = epoch <= state.averagedEpochs;
    state.averagedEpochs = epoch;
    if (this.settings.method !== 'swa' || epoch < this.settings.startEpoch || isCounted) return;
    this.#averaged.updateParameters(this.model);
  }

  /** Whether anything was averaged yet. */
  get hasBegun(): boolean {
    return this.#averaged.nAveraged.item<number>() > 0;
  }

  /** Whether the statistics of batch norms are to be computed for the averages, which they do not fit. */
  get needsStatistics(): boolean {
    return this.settings.method === 'swa' && !this.settings.useBuffers && this.hasBegun;
  }

  /** Runs a body while the model has the averages, and gives it its own weights back. */
  async with<T>(body: () => Promise<T>): Promise<T> {
    if (!this.hasBegun) return body();
    this.#swap();
    try {
      return await body();
    } finally {
      this.#swap();
    }
  }

  /** The weights and the averages change places, buffers too. */
  #swap(): void {
    scope(() =>
      noGrad(() => {
        const own = tensorsOf(this.model);
        for (const [name, average] of tensorsOf(this.#averaged.module)) {
          const value = own.get(name)!;
          const kept = value.detach().clone();
          value.detach().copy_(average.detach());
          average.detach().copy_(kept);
        }
      }),
    );
  }

  /** What a checkpoint holds. */
  stateDict(): Record<string, Tensor> {
    return this.#averaged.stateDict();
  }

  loadStateDict(state: Record<string, Tensor>): void {
    this.#averaged.loadStateDict(state);
  }
}

function tensorsOf(module: Module): Map<string, Tensor> {
  return new Map([...module.namedParameters(), ...module.namedBuffers()]);
}
