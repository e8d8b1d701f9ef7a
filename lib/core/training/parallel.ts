import { isDeepStrictEqual } from 'node:util';

import type { TrainingConfig } from '../../config/trainingConfig.js';
import type { Module } from '../../nn/index.js';
import type { Tensor } from '../../tensor/index.js';
import type { Checkpoint } from '../checkpoints/checkpoint.js';
import type { GradientBuckets, ParallelOptions, ParallelStep, Ranks } from '../ranks.js';

/** What an experiment says of how ranks average gradients; where it goes on as it was, in the order of the checkpoint. */
export function parallelOptions({ findUnusedParameters, ddp }: TrainingConfig, resumed?: Checkpoint): ParallelOptions {
  const { bucketCapMb, commHook, powerSGD, ...rest } = ddp;
  return {
    findUnusedParameters,
    ...rest,
    ...(bucketCapMb === null ? {} : { bucketCapMb }),
    ...(commHook === null ? {} : { commHook }),
    ...(powerSGD === null ? {} : { powerSGD }),
    ...(resumed?.gradientBuckets && isDeepStrictEqual(resumed.config.training.ddp, ddp) ? { gradientBuckets: resumed.gradientBuckets } : {}), // prettier-ignore
  };
}

/**
 * What training steps run in on several ranks. Ranks agree at the start which parameters learn; where that changes, they have to
 * agree anew, or the gradients of what was frozen would stay each rank's own.
 */
export class Parallel implements ParallelStep {
  #step!: ParallelStep;
  #learning: readonly Tensor[] = [];

  private constructor(
    private readonly ranks: Ranks,
    private readonly model: Module,
    private options: ParallelOptions,
  ) {}

  /** `gradientBuckets` of the options are those of a run that goes on, for as long as what learns stays the same. */
  static async open(ranks: Ranks, model: Module, options: ParallelOptions): Promise<Parallel> {
    const parallel = new Parallel(ranks, model, options);
    await parallel.renew();
    return parallel;
  }

  /** To be called by every rank before an epoch. */
  async renew(): Promise<void> {
    const learning = [...this.model.parameters()].filter(({ requiresGrad }) => requiresGrad);
    const known = this.#learning;
    if (learning.length === known.length && learning.every((parameter, i) => parameter === known[i])) return;
    this.#learning = learning;
    this.#step = await this.ranks.parallelize(this.model, this.options);
    const { gradientBuckets: _, ...rest } = this.options;
    this.options = rest;
  }

  run<T>(forward: () => T): T {
    return this.#step.run(forward);
  }

  runAsync<T>(forward: () => T): Promise<Awaited<T>> {
    return this.#step.runAsync(forward);
  }

  noSync<T>(body: () => T): T {
    return this.#step.noSync(body);
  }

  shareBuffersAsync(): Promise<void> {
    return this.#step.shareBuffersAsync();
  }

  averageGradients(parameters: readonly Tensor[]): void {
    this.#step.averageGradients(parameters);
  }

  gradientBuckets(): GradientBuckets | null {
    return this.#step.gradientBuckets?.() ?? null;
  }

  agree(number: number): boolean {
    return this.#step.agree(number);
  }
}
