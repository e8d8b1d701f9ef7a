import { emptyCache } from '../../cuda/index.js';
import { AiforgeError } from '../../errors.js';
import { count, kind, oneOf, orNull } from '../../kinds.js';
import { memoryPeak } from '../../profiler/memoryPeak.js';
import { signature } from '../../signature.js';
import { scope, Tensor } from '../../tensor/index.js';
import { onExperiment, PreparedExperiment } from './preparedExperiment.js';
import { snapshot } from './snapshot.js';
import { TrainingSteps } from './trainingSteps.js';

export interface BatchSizeFindOptions {
  /** Doubles the size until it no longer fits, and with `'binary'` then looks for the largest between. Default: `'power'`. */
  mode?: 'power' | 'binary';
  /** The first size that is tried. Default: 2. */
  initial?: number;
  /** The largest size that is tried. Default: the number of samples to train on, which no batch can exceed. */
  max?: number;
  /** Bytes that tensors may take at a time, with those of the model; null for as many as there are. Default: null. */
  memoryLimit?: number | null;
  /** Steps of the optimizer that a size must do. Default: 3. */
  stepsPerTrial?: number;
  /** How many sizes are tried at most. Default: 25. */
  maxTrials?: number;
}

const batchSizeFindTakes = signature<BatchSizeFindOptions>(
  { experiment: kind('what prepareExperiment gave', (value) => value instanceof PreparedExperiment) },
  {
    mode: oneOf('power', 'binary'),
    initial: count,
    max: count,
    memoryLimit: orNull(count),
    stepsPerTrial: count,
    maxTrials: count,
  },
);

/** One size that was tried. */
export interface BatchSizeTrial {
  batchSize: number;
  fits: boolean;
  /** The most bytes that tensors took at a time, with those of the model; null where memory ran out. */
  peakBytes: number | null;
}

/** What a search for a batch size found. */
export interface BatchSizeFindResult {
  /** The largest size that fitted. */
  batchSize: number;
  /** In the order in which they were tried. */
  trials: BatchSizeTrial[];
  /** What bounded it: memory that ran out, the limit that was given, the largest size, or the number of trials. */
  endedBy: 'outOfMemory' | 'memoryLimit' | 'max' | 'maxTrials';
}

/**
 * Looks for the largest batch size that can be trained with: until LibTorch has no memory left, until tensors take more than
 * `memoryLimit`, or up to `max`. Model, optimizer, random state and data are afterwards as they were, to the last bit, also where it
 * fails. As Lightning's `Tuner.scale_batch_size`.
 *
 * @throws AiforgeError OUT_OF_MEMORY where not even a batch of one sample fits, INVALID_ARGUMENT for an option that there is not.
 * @example
 * import { batchSizeFind, loadExperimentConfig, prepareExperiment } from 'aiforge';
 * const experiment = await prepareExperiment(loadExperimentConfig('experiments/simple_nn.yaml'));
 * const found = await batchSizeFind(experiment, { max: 64 });
 * found.batchSize; // 64
 */
export async function batchSizeFind(
  experiment: PreparedExperiment,
  options: BatchSizeFindOptions = {},
): Promise<BatchSizeFindResult> {
  batchSizeFindTakes.check('batchSizeFind', arguments);
  return onExperiment(experiment, async () => {
    const restore = snapshot(experiment.model, experiment.optimizer);
    try {
      return await new Search(experiment, options, restore).run();
    } finally {
      restore();
    }
  });
}

class Search {
  readonly #experiment: PreparedExperiment;
  readonly #options: Required<BatchSizeFindOptions>;
  readonly #trials: BatchSizeTrial[] = [];
  #fitting = 0;
  #tooLarge = Infinity;

  constructor(
    experiment: PreparedExperiment,
    options: BatchSizeFindOptions,
    private readonly restore: () => void,
  ) {
    const { mode = 'power', memoryLimit = null, stepsPerTrial = 3, maxTrials = 25 } = options;
    const max = Math.min(options.max ?? Infinity, experiment.trainSamples);
    const initial = Math.min(options.initial ?? 2, max);
    this.#experiment = experiment;
    this.#options = { mode, initial, max, memoryLimit, stepsPerTrial, maxTrials };
  }

  async run(): Promise<BatchSizeFindResult> {
    const { maxTrials } = this.#options;
    for (let size: number | null = this.#options.initial; size !== null; size = this.#next()) {
      if (this.#trials.length === maxTrials) return this.#result('maxTrials');
      const trial = await this.#try(size);
      this.#trials.push(trial);
      if (trial.fits) this.#fitting = Math.max(this.#fitting, size);
      else this.#tooLarge = Math.min(this.#tooLarge, size);
    }
    if (this.#tooLarge === Infinity) return this.#result('max');
    const { peakBytes } = this.#trials.find(({ batchSize }) => batchSize === this.#tooLarge)!;
    return this.#result(peakBytes === null ? 'outOfMemory' : 'memoryLimit');
  }

  /** The size to try next; null where the search is over. */
  #next(): number | null {
    const { mode, max } = this.#options;
    const [fitting, tooLarge] = [this.#fitting, this.#tooLarge];
    if (fitting === 0) return tooLarge === 1 ? null : Math.floor(tooLarge / 2);
    if (tooLarge === Infinity) return fitting === max ? null : Math.min(2 * fitting, max);
    return mode === 'power' || tooLarge - fitting <= 1 ? null : Math.floor((fitting + tooLarge) / 2);
  }

  #result(endedBy: BatchSizeFindResult['endedBy']): BatchSizeFindResult {
    if (this.#fitting > 0) return { batchSize: this.#fitting, trials: this.#trials, endedBy };
    const { batchSize, peakBytes } = this.#trials.at(-1)!;
    const reason =
      peakBytes === null
        ? 'LibTorch has no memory left'
        : `its tensors take ${peakBytes} bytes, more than the limit of ${this.#options.memoryLimit}`;
    throw new AiforgeError('OUT_OF_MEMORY', `batchSizeFind: not even a batch of ${batchSize} fits: ${reason}.`);
  }

  async #try(batchSize: number): Promise<BatchSizeTrial> {
    const { memoryLimit } = this.#options;
    const before = this.#bytesOfModel();
    try {
      const { cpuBytes, deviceBytes } = await memoryPeak(() => this.#train(batchSize));
      const peakBytes = before + (this.#experiment.device === 'cpu' ? cpuBytes : deviceBytes);
      return { batchSize, fits: memoryLimit === null || peakBytes <= memoryLimit, peakBytes };
    } catch (error) {
      if (!(error instanceof AiforgeError) || error.code !== 'OUT_OF_MEMORY') throw error;
      return { batchSize, fits: false, peakBytes: null };
    } finally {
      // Each begins as the first did.
      this.restore();
      if (this.#experiment.device !== 'cpu') emptyCache();
    }
  }

  async #train(batchSize: number): Promise<void> {
    const training = new TrainingSteps(this.#experiment, batchSize, true);
    try {
      for (let step = 0; step < this.#options.stepsPerTrial; ++step) await training.step();
    } finally {
      training.close();
    }
  }

  /** What is there before a step: parameters, buffers, and what the optimizer remembers. */
  #bytesOfModel(): number {
    const { model, optimizer } = this.#experiment;
    return scope(() => {
      const states = Object.values(optimizer.stateDict().state).flatMap((state) => Object.values(state));
      const all = [...model.parameters(), ...model.buffers(), ...states.filter(Tensor.isTensor)];
      return all.reduce((sum, tensor) => sum + tensor.numel() * tensor.elementSize(), 0);
    });
  }
}
