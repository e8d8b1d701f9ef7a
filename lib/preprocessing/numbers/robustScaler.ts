import { boolean, count, number, tuple } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { special } from '../../tensor/index.js';
import { refusal, type Frame } from '../tables/frame.js';
import { ColumnQuantiles } from './columnQuantiles.js';
import { learntNumbers, listOf, rowOf, withNumbers } from './matrix.js';
import { EXACT } from './quantiles.js';
import { ColumnwisePreprocessor, scalingSchema, usableScale, type Scaling } from './scaling.js';

export interface RobustScalerOptions {
  /** Whether the median is taken away; default true. */
  withCentering?: boolean;
  /** Whether numbers are divided by the distance of the two quantiles; default true. */
  withScaling?: boolean;
  /** The two quantiles, in percent; default [25, 75]. */
  quantileRange?: readonly [number, number];
  /** Whether normally distributed numbers get the variance 1; default false. */
  unitVariance?: boolean;
  /** Up to how many rows the quantiles are exact, 8 bytes each and column; beyond, a sketch. Default 1,000,000. */
  exactRows?: number;
}

const takes = signature<RobustScalerOptions>(
  {},
  {
    withCentering: boolean,
    withScaling: boolean,
    quantileRange: tuple(number, number),
    unitVariance: boolean,
    exactRows: count,
  },
);

/**
 * Takes the median away and divides by the distance of two quantiles, so that outliers count for little. NaN stays NaN and is not
 * counted. Beyond `exactRows` a quantile is off by `n · log2(n / 32,768) / 65,536` ranks of n at most. As
 * `sklearn.preprocessing.RobustScaler`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { RobustScaler } from 'aiforge/preprocessing';
 * const scaler = new RobustScaler();
 * scaler.fit({ income: tensor([1, 2, 3, 4, 1000]) });
 * scaler.transform({ income: 4 }).income; // 0.5
 */
export class RobustScaler extends ColumnwisePreprocessor<Scaling> {
  protected override readonly kind = 'RobustScaler';
  protected override readonly options: Required<Omit<RobustScalerOptions, 'quantileRange'>> & {
    quantileRange: [number, number];
  };
  protected override readonly schema = scalingSchema;
  #quantiles: ColumnQuantiles;

  constructor(options: RobustScalerOptions = {}) {
    takes.check('RobustScaler', arguments);
    super();
    const {
      withCentering = true,
      withScaling = true,
      quantileRange = [25, 75],
      unitVariance = false,
      exactRows = EXACT,
    } = options;
    const [from, to] = quantileRange;
    if (!(from >= 0 && from < to && to <= 100)) {
      throw refusal(
        'RobustScaler',
        `quantileRange must be two rising numbers from 0 to 100, got ${show(quantileRange)}`,
      );
    }
    if (unitVariance && (from === 0 || to === 100)) {
      throw refusal(
        'RobustScaler',
        `with unitVariance, quantileRange must be between 0 and 100, got ${show(quantileRange)}`,
      );
    }
    this.options = { withCentering, withScaling, quantileRange: [from, to], unitVariance, exactRows };
    this.#quantiles = new ColumnQuantiles(exactRows);
  }

  protected override begin(): void {
    this.#quantiles = new ColumnQuantiles(this.options.exactRows);
  }

  protected override learn(frame: Frame): void {
    this.#quantiles.add(learntNumbers(this.kind, frame));
  }

  protected override conclude(names: readonly string[]): Scaling {
    const { withCentering, withScaling, quantileRange, unitVariance } = this.options;
    const { columns } = this.#quantiles;
    const empty = columns.findIndex(({ count: numbers }) => numbers === 0);
    if (empty >= 0) throw refusal(`${this.kind}.fit`, `the column '${names[empty]!}' has no number that is not NaN`);
    const fractions = quantileRange.map((percent) => percent / 100);
    const normal = unitVariance ? listOf(special.ndtri(rowOf(fractions))) : [0, 1];
    return {
      offset: columns.map((each) => (withCentering ? each.at([0.5], 'linear')[0]! : 0)),
      scale: columns.map((each) => {
        if (!withScaling) return 1;
        const [low, high] = each.at(fractions, 'linear') as [number, number];
        return usableScale(high - low) / (normal[1]! - normal[0]!);
      }),
    };
  }

  protected override applied(frame: Frame, { offset, scale }: Scaling): Frame {
    return withNumbers(frame, frame.numbers(this.kind).sub(rowOf(offset)).div(rowOf(scale)));
  }

  protected override undone(frame: Frame, { offset, scale }: Scaling): Frame {
    return withNumbers(frame, frame.numbers(this.kind).mul(rowOf(scale)).add(rowOf(offset)));
  }
}
