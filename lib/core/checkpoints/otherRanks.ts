import { logger } from '../../log.js';
import { zeros } from '../../tensor/index.js';
import type { Checkpoint } from './checkpoint.js';

const downTo = (multiple: number, value: number): number => Math.floor(value / multiple) * multiple;

/**
 * A checkpoint as another number of ranks goes on from it: behind the steps of the optimizer that are done, so that no sample of the epoch
 * is left out, and of the last step before, some may come again. What ranks have of their own begins anew: the measures of the epoch so
 * far, and the random numbers of ranks that were not there.
 */
export function forRanks(checkpoint: Checkpoint, worldSize: number, accumulationSteps: number): Checkpoint {
  const { state, rng, cudaRng } = checkpoint;
  if (state.worldSize === worldSize) return checkpoint;
  const done = downTo(accumulationSteps, state.batch) * state.worldSize;
  const batch = downTo(accumulationSteps, Math.floor(done / worldSize));
  const each = <T>(of: (rank: number) => T): T[] => Array.from({ length: worldSize }, (_, rank) => of(rank));
  logger.warn(
    `The checkpoint was written by ${state.worldSize} ranks and goes on with ${worldSize}, ` +
      `${batch === 0 ? 'at the beginning of an epoch' : `after batch ${batch} of epoch ${state.epoch + 1}, whose measures begin there`}: its batches are others from here on`,
  );
  return {
    ...checkpoint,
    state: { ...state, worldSize, batch, validatedBatch: Math.min(state.validatedBatch, batch), metricKeys: [] },
    rng: each((rank) => rng[rank] ?? rng[0]!),
    cudaRng: cudaRng.length === 0 ? [] : each((rank) => cudaRng[rank] ?? cudaRng[0]!),
    // The weight and the loss of a window: none is open.
    running: each(() => zeros([2], { dtype: 'float64' })),
    metrics: {},
    gradients: each(() => ({})),
  };
}
