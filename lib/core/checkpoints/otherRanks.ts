import type { TrainingConfig } from '../../config/trainingConfig.js';
import { AiforgeError } from '../../errors.js';
import { logger } from '../../log.js';
import { hasOpenLength } from '../runs/changes.js';
import { EpochShare } from '../training/epochShare.js';
import type { Checkpoint, RunState } from './checkpoint.js';

const downTo = (multiple: number, value: number): number => Math.floor(value / multiple) * multiple;

/** Where its epoch stands for another number of ranks: behind the steps that are done, with every other sample still to come. */
function placeFor(
  { state }: Checkpoint,
  worldSize: number,
  training: TrainingConfig,
): Pick<RunState, 'batch' | 'taken'> {
  const { accumulationSteps, batchSize } = training;
  const { batch, taken, trainSamples } = state;
  const all = new EpochShare({ trainSamples, worldSize }, training).batches;
  if (batch >= new EpochShare(state, training, state).batches) return { batch: all, taken };
  const open = batch - downTo(accumulationSteps, batch);
  const done = taken - open * batchSize * state.worldSize;
  return { batch: downTo(accumulationSteps, Math.min(all, Math.floor(done / (batchSize * worldSize)))), taken: done };
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
  const { state, rng, cudaRng, passRng } = checkpoint;
  if (state.worldSize === worldSize) return checkpoint;
  checkSchedule(training, state.worldSize, worldSize);
  const { batch, taken } = placeFor(checkpoint, worldSize, training);
  const each = <T>(of: (rank: number) => T): T[] => Array.from({ length: worldSize }, (_, rank) => of(rank));
  logger.warn(
    `The checkpoint was written by ${state.worldSize} ranks and goes on with ${worldSize}, ` +
      `${taken === 0 ? 'at the beginning of an epoch' : `after ${taken} of the ${state.trainSamples} samples of epoch ${state.epoch + 1}`}: its batches, and how many ` +
      'steps it has, are others from here on',
  );
  return {
    ...checkpoint,
    state: { ...state, worldSize, batch, taken, validatedBatch: Math.min(state.validatedBatch, batch) },
    rng: each((rank) => rng[rank] ?? rng[0]!),
    passRng: passRng.length === 0 ? [] : each((rank) => passRng[rank] ?? passRng[0]!),
    cudaRng: cudaRng.length === 0 ? [] : each((rank) => cudaRng[rank] ?? cudaRng[0]!),
    gradients: each(() => ({})),
  };
}

/** Of the ranks that have written a checkpoint, those whose measures a rank goes on from: itself, with as many as then. */
export function sharesOf({ rank, worldSize }: { rank: number; worldSize: number }, written: number): number[] {
  return Array.from({ length: written }, (_, other) => other).filter((other) => other % worldSize === rank);
}
