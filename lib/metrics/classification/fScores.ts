import { positive, type Kinds } from '../../kinds.js';
import type { Tensor } from '../../tensor/index.js';
import { ratio } from './averages.js';
import { rateKinds, type RateOptions } from './countOptions.js';
import { CountingMetric, type Counts } from './counts.js';
import { taskSignature } from './tasks.js';

interface BetaOptions {
  /** How many times as much recall weighs as precision, a number above 0. Default: 1. */
  beta?: number;
}

/** Options of `FBetaScore`. */
export type FBetaScoreOptions = RateOptions & BetaOptions;

const beta: Kinds<BetaOptions> = { beta: positive };
const betaTakes = taskSignature<FBetaScoreOptions>({
  binary: { ...rateKinds.binary, ...beta },
  multiclass: { ...rateKinds.multiclass, ...beta },
  multilabel: { ...rateKinds.multilabel, ...beta },
});
const oneTakes = taskSignature<RateOptions>(rateKinds);

abstract class FScore extends CountingMetric {
  readonly #weight: number;
  constructor(options: RateOptions, beta: number) {
    super(options);
    this.#weight = beta ** 2;
  }

  protected override score({ truePositives, falsePositives, falseNegatives }: Counts): Tensor {
    const right = truePositives.mul(1 + this.#weight);
    return ratio(right, right.add(falseNegatives.mul(this.#weight)).add(falsePositives), this.ofNothing);
  }
}

/**
 * The weighted harmonic mean of precision and recall, float64 []: (1 + beta²) P R / (beta² P + R). Batches and shapes of the
 * value as for `Accuracy`. As `torchmetrics.FBetaScore`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for wrong options, and in `update` for wrong batches.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { FBetaScore } from 'aiforge/metrics';
 * const score = new FBetaScore({ task: 'binary', beta: 2 });
 * score.forward(tensor([0.9, 0.8, 0.3]), tensor([1, 0, 1], { dtype: 'int64' })).item(); // 0.5
 */
export class FBetaScore extends FScore {
  constructor(options: FBetaScoreOptions) {
    betaTakes.check(new.target.name, arguments);
    super(options, options.beta ?? 1);
  }
}

/**
 * The harmonic mean of precision and recall, float64 []: 2 P R / (P + R). Batches and shapes of the value as for `Accuracy`. As
 * `torchmetrics.F1Score`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for wrong options, and in `update` for wrong batches.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { F1Score } from 'aiforge/metrics';
 * const score = new F1Score({ task: 'binary' });
 * score.forward(tensor([0.9, 0.8, 0.3]), tensor([1, 0, 1], { dtype: 'int64' })).item(); // 0.5
 */
export class F1Score extends FScore {
  constructor(options: RateOptions) {
    oneTakes.check(new.target.name, arguments);
    super(options, 1);
  }
}
