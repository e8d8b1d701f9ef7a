import { AiforgeError } from '../../errors.js';
import { kind, oneOf, orNull, positive, whole } from '../../kinds.js';
import type { Optimizer } from '../../optim/index.js';
import { signature } from '../../signature.js';
import { onExperiment, PreparedExperiment } from './preparedExperiment.js';
import { snapshot } from './snapshot.js';
import { suggestedRate } from './suggestedRate.js';
import { TrainingSteps } from './trainingSteps.js';

export interface LrFindOptions {
  /** The rate of the first step. Default: 1e-8. */
  minLr?: number;
  /** The rate of the last step. Default: 1. */
  maxLr?: number;
  /** How many steps of the optimizer there are at most; at least 2. Default: 100. */
  steps?: number;
  /** How the rate grows from step to step: by a factor or by a summand. Default: `'exponential'`. */
  mode?: 'exponential' | 'linear';
  /** Ends the test where the smoothed loss is so many times its least value, null for never. Default: 4. */
  earlyStopThreshold?: number | null;
}

const several = kind<number>('a whole number, 2 or more', (value) => whole.accepts(value) && Number(value) >= 2);
const lrFindTakes = signature<LrFindOptions>(
  { experiment: kind('what prepareExperiment gave', (value) => value instanceof PreparedExperiment) },
  {
    minLr: positive,
    maxLr: positive,
    steps: several,
    mode: oneOf('exponential', 'linear'),
    earlyStopThreshold: orNull(positive),
  },
);

/** What a learning rate range test found. */
export interface LrFindResult {
  /** The rate of each step. */
  rates: number[];
  /** The loss of each step, before it. */
  losses: number[];
  /** The exponential moving average of the losses, which the test goes by. */
  smoothedLosses: number[];
  /** Where the smoothed loss falls most steeply; null where the steps are too few to say. */
  suggestion: number | null;
  /** Whether the loss grew beyond the threshold, or was no finite number any more, before the last step. */
  isDiverged: boolean;
}

/** The share of the average that each step keeps. */
const momentum = 0.98;

/**
 * The learning rate range test (Smith, "Cyclical Learning Rates for Training Neural Networks", 2015): trains with a rate that
 * grows from step to step, and suggests the rate at which the loss falls most steeply. Model, optimizer, random state and data are
 * afterwards as they were, to the last bit, also where it fails. Groups with rates of their own keep their share, and the
 * schedule of the experiment does not take part. As Lightning's `Tuner.lr_find`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an option that there is not and for a `minLr` that is not below `maxLr`.
 * @example
 * import { loadExperimentConfig, lrFind, prepareExperiment } from 'aiforge';
 * const experiment = await prepareExperiment(loadExperimentConfig('experiments/simple_nn.yaml'));
 * const found = await lrFind(experiment, { minLr: 1e-5, maxLr: 10, steps: 40 });
 * console.log(found.suggestion);
 */
export async function lrFind(experiment: PreparedExperiment, options: LrFindOptions = {}): Promise<LrFindResult> {
  lrFindTakes.check('lrFind', arguments);
  const { minLr = 1e-8, maxLr = 1 } = options;
  if (minLr >= maxLr) {
    throw new AiforgeError('INVALID_ARGUMENT', `lrFind: minLr is ${minLr}, and must be below maxLr, ${maxLr}.`);
  }
  return onExperiment(experiment, async () => {
    const restore = snapshot(experiment.model, experiment.optimizer);
    try {
      return await rangeTest(experiment, options);
    } finally {
      restore();
    }
  });
}

async function rangeTest(experiment: PreparedExperiment, options: LrFindOptions): Promise<LrFindResult> {
  const { steps = 100, earlyStopThreshold = 4 } = options;
  const { optimizer, config } = experiment;
  const training = new TrainingSteps(experiment, config.training.batchSize);
  const setRate = rateSetter(optimizer, config.training.learningRate);
  const result: LrFindResult = { rates: [], losses: [], smoothedLosses: [], suggestion: null, isDiverged: false };
  let [average, least] = [0, Infinity];
  try {
    for (let step = 0; step < steps && !result.isDiverged; ++step) {
      const rate = rateAt(step / (steps - 1), options);
      setRate(rate);
      const loss = await training.step();
      // A step in which nothing counted has no loss.
      if (loss === null) continue;
      average = momentum * average + (1 - momentum) * loss;
      const smoothed = average / (1 - momentum ** (result.losses.length + 1));
      result.rates.push(rate);
      result.losses.push(loss);
      result.smoothedLosses.push(smoothed);
      const isFar = earlyStopThreshold !== null && result.losses.length > 1 && smoothed > earlyStopThreshold * least;
      result.isDiverged = isFar || !Number.isFinite(loss);
      least = Math.min(least, smoothed);
    }
  } finally {
    training.close();
  }
  result.suggestion = suggestedRate(result.rates, result.smoothedLosses);
  return result;
}

function rateAt(share: number, { minLr = 1e-8, maxLr = 1, mode = 'exponential' }: LrFindOptions): number {
  if (share === 1) return maxLr;
  return mode === 'linear' ? minLr + (maxLr - minLr) * share : minLr * (maxLr / minLr) ** share;
}

/** Sets the rates of all groups; those with a rate of their own keep its share of the experiment's. */
function rateSetter(optimizer: Optimizer, base: number): (rate: number) => void {
  const shares = optimizer.paramGroups.map(({ lr }) => Number(lr) / base);
  return (rate) => optimizer.paramGroups.forEach((group, i) => (group.lr = rate * shares[i]!));
}
