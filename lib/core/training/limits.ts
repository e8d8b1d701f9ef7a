import type { TrainingConfig } from '../../config/trainingConfig.js';
import type { Splits } from '../baseDataset.js';

/** How many of `all` batches a limit leaves: itself, or as a share of 0 to under 1 the next whole number of them. */
export function limited(limit: number | null, all: number): number {
  if (limit === null) return all;
  return limit < 1 ? Math.ceil(limit * all) : Math.min(limit, all);
}

/** With `fastDevRun` one epoch of a few batches, whatever else is set. */
export function withFastDevRun(training: TrainingConfig): TrainingConfig {
  const { fastDevRun } = training;
  if (fastDevRun === false) return training;
  const few = fastDevRun === true ? 1 : fastDevRun;
  return { ...training, epochs: 1, limitTrainBatches: few, limitValBatches: few, limitTestBatches: few };
}

/** What is left of the splits to train on, to validate on and to test on; training draws other batches each epoch. */
export function limitSplits(splits: Splits, training: TrainingConfig, worldSize: number): Splits {
  const { batchSize, overfitBatches, limitValBatches, limitTestBatches } = training;
  const first = (indices: readonly number[], limit: number | null): readonly number[] => {
    const ofRank = Math.ceil(indices.length / worldSize);
    return indices.slice(0, limited(limit, Math.ceil(ofRank / batchSize)) * batchSize * worldSize);
  };
  const test = first(splits.test, limitTestBatches);
  if (overfitBatches === null) return { train: splits.train, val: first(splits.val, limitValBatches), test };
  const train = first(splits.train, overfitBatches);
  return { train, val: first(train, limitValBatches), test };
}
