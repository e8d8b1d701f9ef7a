import type { SweepConfig } from './sweepConfig.js';

/** One round of a sweep: how long its trials train, and how many of them go on to the next. */
export interface Rung {
  /** Epochs in all since the trial began; undefined for as many as the experiment says. */
  epochs: number | undefined;
  /** How many trials take part, unless trials fail. */
  trials: number;
}

/**
 * The rounds of synchronous successive halving (Jamieson & Talwalkar 2016, as in Hyperband, Li et al. 2018): of n trials with r
 * epochs, the best n / eta go on to r · eta. The last one is of `maxEpochs`. Every other method has one round.
 */
export function rungsOf(config: SweepConfig, trials: number): Rung[] {
  if (config.method !== 'halving') return [{ epochs: undefined, trials }];
  const { minEpochs, maxEpochs, eta } = config;
  const rungs: Rung[] = [];
  for (let epochs = minEpochs, left = trials; ; epochs *= eta, left = Math.max(1, Math.floor(left / eta))) {
    const isLast = epochs * eta > maxEpochs;
    rungs.push({ epochs: isLast ? maxEpochs : epochs, trials: left });
    if (isLast) return rungs;
  }
}
