import type { TrainingConfig } from '../../config/trainingConfig.js';
import type { DataLoaderOptions } from '../../data/index.js';

/** How batches are made, by the configuration. */
export type Loading = Pick<
  DataLoaderOptions<unknown, unknown>,
  'numWorkers' | 'prefetchFactor' | 'persistentWorkers' | 'startHere'
>;

/** @param persists Whether there is more than one pass. */
export function loadingOf({ numWorkers, prefetchFactor }: TrainingConfig, persists = true): Loading {
  return numWorkers === 0
    ? { prefetchFactor }
    : { numWorkers, prefetchFactor, persistentWorkers: persists, startHere: true };
}
