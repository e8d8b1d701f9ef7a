import type { TrainingConfig } from '../../config/trainingConfig.js';
import type { RunState } from '../checkpoints/checkpoint.js';
import { limited } from './limits.js';

/** A rank's part of the samples of an epoch, in batches: of all of it, or of what is left after some. */
export class EpochShare {
  readonly #first: number;
  readonly #samples: number;
  readonly #batchSize: number;
  /** The batches of the epoch, with those before. */
  readonly batches: number;

  /** @param from Where the epoch stands: after `batch` batches, of which `taken` samples are on all ranks together. */
  constructor(
    { trainSamples, worldSize }: Pick<RunState, 'trainSamples' | 'worldSize'>,
    { batchSize, limitTrainBatches }: Pick<TrainingConfig, 'batchSize' | 'limitTrainBatches'>,
    from: Pick<RunState, 'batch' | 'taken'> = { batch: 0, taken: 0 },
  ) {
    this.#first = from.batch;
    this.#samples = Math.ceil(Math.max(0, trainSamples - from.taken) / worldSize);
    this.#batchSize = batchSize;
    const whole = Math.ceil(Math.ceil(trainSamples / worldSize) / batchSize);
    const all = from.batch + Math.ceil(this.#samples / batchSize);
    const most = limited(limitTrainBatches, whole);
    this.batches = most < whole ? Math.min(most, all) : all;
  }

  /** The samples of a batch, by its number from 0. */
  samplesOf(batch: number): number {
    return Math.min(this.#batchSize, this.#samples - (batch - this.#first) * this.#batchSize);
  }
}
