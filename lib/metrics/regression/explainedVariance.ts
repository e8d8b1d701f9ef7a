import { AiforgeError } from '../../errors.js';
import { count, oneOf, size } from '../../kinds.js';
import { signature } from '../../signature.js';
import { zeros, type Tensor } from '../../tensor/index.js';
import { warnOnce } from '../../warnOnce.js';
import { Metric } from '../metric.js';
import { isConstant, mergedMoments, MOMENTS, momentsOf, unpack, type Moments } from './moments.js';
import { checkRows, rows, type OutputOptions } from './outputs.js';

export interface ExplainedVarianceOptions extends OutputOptions {
  /**
   * The mean of the outputs' scores; the scores themselves, [numOutputs]; or their mean weighted by the targets' variances.
   * Default: 'uniform_average'.
   */
  multioutput?: 'uniform_average' | 'raw_values' | 'variance_weighted';
}

export interface R2ScoreOptions extends ExplainedVarianceOptions {
  /** The number of regressors, for which the adjusted score makes up; 0 is the score itself. Default: 0. */
  adjusted?: number;
}

const multioutputKind = oneOf('uniform_average', 'raw_values', 'variance_weighted');
const varianceTakes = signature<ExplainedVarianceOptions>({}, { multioutput: multioutputKind, numOutputs: count });
const r2Takes = signature<R2ScoreOptions>({}, { adjusted: size, multioutput: multioutputKind, numOutputs: count });

/** How much of the targets' variance predictions explain, from the moments of errors (a) and targets (b). */
abstract class ExplainedShare extends Metric {
  override readonly higherIsBetter = true;
  readonly #outputs: number;
  readonly #multioutput: NonNullable<ExplainedVarianceOptions['multioutput']>;

  constructor({ numOutputs = 1, multioutput = 'uniform_average' }: ExplainedVarianceOptions) {
    super();
    this.#outputs = numOutputs;
    this.#multioutput = multioutput;
    this.addState('moments', zeros([MOMENTS, numOutputs], { dtype: 'float64' }), mergedMoments);
  }

  override get stateKey(): string {
    return `errors and targets, ${this.#outputs}`;
  }

  protected override accumulate(predictions: Tensor, targets: Tensor): void {
    checkRows(this.constructor.name, predictions, targets, this.#outputs);
    const wanted = rows(targets, this.#outputs);
    const errors = wanted.sub(rows(predictions, this.#outputs));
    this.setState('moments', mergedMoments(this.state('moments'), momentsOf(errors, wanted)));
  }

  protected get moments(): Moments {
    return unpack(this.state('moments'));
  }

  /**
   * The scores of the outputs: what is left of the targets' squares is unexplained. Where all targets are the same, the
   * score is 1 for predictions without fault and 0 for others.
   */
  protected score(unexplained: Tensor, isFaultless: Tensor): Tensor {
    const { bb, meanB, count } = this.moments;
    const isFlat = isConstant(bb, meanB, count);
    const scores = unexplained.div(bb).neg().add(1).maskedFill(isFlat, 0).maskedFill(isFaultless, 1);
    if (this.#multioutput === 'raw_values') return this.#outputs === 1 ? scores.squeeze(0) : scores;
    if (this.#multioutput === 'uniform_average') return scores.mean();
    const variances = bb.maskedFill(isFlat, 0);
    return scores.mul(variances).sum().div(variances.sum());
  }
}

/**
 * The coefficient of determination of float32 [batch] or [batch, numOutputs]: 1 for predictions without error, 0 for those
 * as good as the targets' mean; float64 []. As `torchmetrics.R2Score`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { R2Score } from 'aiforge/metrics';
 * new R2Score().forward(tensor([1, 2, 4]), tensor([1, 2, 3])).item(); // 0.5
 *
 * @throws AiforgeError INVALID_ARGUMENT from `compute` when there are fewer than two samples.
 */
export class R2Score extends ExplainedShare {
  readonly #adjusted: number;

  constructor({ adjusted = 0, ...options }: R2ScoreOptions = {}) {
    r2Takes.check(new.target.name, arguments);
    super(options);
    this.#adjusted = adjusted;
  }

  protected override result(): Tensor {
    const { count, meanA, aa } = this.moments;
    const samples = Number(count.select(0, 0).item());
    if (samples < 2) {
      throw new AiforgeError('INVALID_ARGUMENT', `R2Score.compute: expected two samples or more, got ${samples}.`);
    }
    const residuals = aa.add(meanA.square().mul(count));
    const score = this.score(residuals, residuals.eq(0));
    if (this.#adjusted === 0) return score;
    const freedom = samples - this.#adjusted - 1;
    if (freedom > 0)
      return score
        .sub(1)
        .mul((samples - 1) / freedom)
        .add(1);
    warnOnce('R2Score: there are not more samples than regressors, so the score is not adjusted.');
    return score;
  }
}

/**
 * The share of the targets' variance that predictions explain, whatever their errors' mean, of float32 [batch] or
 * [batch, numOutputs]; float64 []. As `torchmetrics.ExplainedVariance`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { ExplainedVariance } from 'aiforge/metrics';
 * new ExplainedVariance().forward(tensor([3, 5, 7]), tensor([1, 3, 5])).item(); // 1
 */
export class ExplainedVariance extends ExplainedShare {
  constructor(options: ExplainedVarianceOptions = {}) {
    varianceTakes.check(new.target.name, arguments);
    super(options);
  }

  protected override result(): Tensor {
    const { count, meanA, aa } = this.moments;
    return this.score(aa, isConstant(aa, meanA, count));
  }
}
