import type { TrainingConfig } from '../../config/trainingConfig.js';
import type { Counters } from '../callbacks/callback.js';
import type { RunState } from '../checkpoints/checkpoint.js';

/** Where a run stands, as it is told to callbacks; the epoch is the one that is under way. */
export function countersOf(state: RunState, { epochs }: Pick<TrainingConfig, 'epochs'>): Counters {
  const { epoch, step, trainedBatches } = state;
  return { epoch: Math.min(epoch + 1, epochs), epochs, optimizerStep: step, trainedBatches };
}
