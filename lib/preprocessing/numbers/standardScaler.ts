import { boolean } from '../../kinds.js';
import { signature } from '../../signature.js';
import { refusal, type Frame } from '../tables/frame.js';
import { learntNumbers, rowOf, withNumbers } from './matrix.js';
import { Moments } from './moments.js';
import { ColumnwisePreprocessor, scalingSchema, type Scaling } from './scaling.js';

export interface StandardScalerOptions {
  /** Whether the mean is taken away; default true. */
  withMean?: boolean;
  /** Whether numbers are divided by the standard deviation; default true. */
  withStd?: boolean;
}

const takes = signature<StandardScalerOptions>({}, { withMean: boolean, withStd: boolean });

/**
 * Takes the mean away and divides by the standard deviation (of the population, without Bessel's correction), column by column. NaN
 * stays NaN and is not counted. A column that is constant is only centred. As `sklearn.preprocessing.StandardScaler`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { StandardScaler } from 'aiforge/preprocessing';
 * const scaler = new StandardScaler();
 * scaler.fit({ age: tensor([20, 30, 40]) });
 * scaler.transform({ age: 30 }).age; // 0
 */
export class StandardScaler extends ColumnwisePreprocessor<Scaling> {
  protected override readonly kind = 'StandardScaler';
  protected override readonly options: { withMean: boolean; withStd: boolean };
  protected override readonly schema = scalingSchema;
  #moments = new Moments();

  constructor(options: StandardScalerOptions = {}) {
    takes.check('StandardScaler', arguments);
    super();
    const { withMean = true, withStd = true } = options;
    this.options = { withMean, withStd };
  }

  protected override begin(): void {
    this.#moments = new Moments();
  }

  protected override learn(frame: Frame): void {
    this.#moments.add(learntNumbers(this.kind, frame));
  }

  protected override conclude(names: readonly string[]): Scaling {
    const { counts, means, squares } = this.#moments;
    const empty = counts.indexOf(0);
    if (empty >= 0) throw refusal(`${this.kind}.fit`, `the column '${names[empty]!}' has no number that is not NaN`);
    return {
      offset: means.map((mean) => (this.options.withMean ? mean : 0)),
      scale: squares.map((sum, i) => (this.options.withStd ? deviation(sum / counts[i]!, means[i]!, counts[i]!) : 1)),
    };
  }

  protected override applied(frame: Frame, { offset, scale }: Scaling): Frame {
    return withNumbers(frame, frame.numbers(this.kind).sub(rowOf(offset)).div(rowOf(scale)));
  }

  protected override undone(frame: Frame, { offset, scale }: Scaling): Frame {
    return withNumbers(frame, frame.numbers(this.kind).mul(rowOf(scale)).add(rowOf(offset)));
  }
}

/** The standard deviation; 1 where the variance is no more than what rounding makes of a constant. */
function deviation(variance: number, mean: number, count: number): number {
  const rounding = count * Number.EPSILON * variance + (count * mean * Number.EPSILON) ** 2;
  return variance <= rounding ? 1 : Math.sqrt(variance);
}
