import type { TrainingConfig } from '../../config/trainingConfig.js';
import { AiforgeError } from '../../errors.js';
import { logger } from '../../log.js';
import { hasOpenLength } from '../runs/changes.js';
import { limited } from '../training/limits.js';
import type { Checkpoint } from './checkpoint.js';

const downTo = (multiple: number, value: number): number => Math.floor(value / multiple) * multiple;

/** Batches of an epoch on each of so many ranks. */
function batchesOf(samples: number, worldSize: number, { batchSize, limitTrainBatches }: TrainingConfig): number {
  return limited(limitTrainBatches, Math.ceil(Math.ceil(samples / worldSize) / batchSize));
}

/** The batch of its epoch after which another number of ranks goes on: no sample is left out, and less than a step's come again. */
function batchFor({ state }: Checkpoint, worldSize: number, training: TrainingConfig): number {
  const all = batchesOf(state.trainSamples, worldSize, training);
  if (state.batch >= batchesOf(state.trainSamples, state.worldSize, training)) return all;
  const { accumulationSteps } = training;
  const done = downTo(accumulationSteps, state.batch) * state.worldSize;
  return Math.min(all, downTo(accumulationSteps, Math.floor(done / worldSize)));
}

/** Throws CONFIG_INVALID for a schedule that would not fit the steps of another number of ranks. */
function checkSchedule({ scheduler }: TrainingConfig, written: number, worldSize: number): void {
  if (scheduler?.interval !== 'step' || !hasOpenLength(scheduler)) return;
  throw new AiforgeError(
    'CONFIG_INVALID',
    `The checkpoint was written by ${written} ranks and cannot go on with ${worldSize}: training.scheduler (${scheduler.name}) goes by steps ` +
      `and its length is that of the run with ${written}, which then has other steps. Start it with ${written} ranks, or give the schedule a ` +
      "length of its own, or interval 'epoch', from the start.",
  );
}

/**
 * A checkpoint as another number of ranks goes on from it: behind the steps of the optimizer that are done. The measures of the epoch
 * so far are divided over the ranks (`sharesOf`); ranks that were not there begin with rank 0's random numbers.
 */
export function forRanks(checkpoint: Checkpoint, worldSize: number, training: TrainingConfig): Checkpoint {
  const { state, rng, cudaRng } = checkpoint;
  if (state.worldSize === worldSize) return checkpoint;
  checkSchedule(training, state.worldSize, worldSize);
  const batch = batchFor(checkpoint, worldSize, training);
  const each = <T>(of: (rank: number) => T): T[] => Array.from({ length: worldSize }, (_, rank) => of(rank));
  logger.warn(
    `The checkpoint was written by ${state.worldSize} ranks and goes on with ${worldSize}, ` +
      `${batch === 0 ? 'at the beginning of an epoch' : `after batch ${batch} of epoch ${state.epoch + 1}`}: its batches, and how many ` +
      'steps it has, are others from here on',
  );
  return {
    ...checkpoint,
    state: { ...state, worldSize, batch, validatedBatch: Math.min(state.validatedBatch, batch) },
    rng: each((rank) => rng[rank] ?? rng[0]!),
    cudaRng: cudaRng.length === 0 ? [] : each((rank) => cudaRng[rank] ?? cudaRng[0]!),
    gradients: each(() => ({})),
  };
}

/** Of the ranks that have written a checkpoint, those whose measures a rank goes on from: itself, with as many as then. */
export function sharesOf({ rank, worldSize }: { rank: number; worldSize: number }, written: number): number[] {
  return Array.from({ length: written }, (_, other) => other).filter((other) => other % worldSize === rank);
}
