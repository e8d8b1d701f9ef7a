import { z } from 'zod';

import { boolean, number, tuple } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { refusal, type Frame } from '../tables/frame.js';
import { Extremes } from './extremes.js';
import { learntNumbers, rowOf, withNumbers } from './matrix.js';
import { ColumnwisePreprocessor, usableScale } from './scaling.js';

export interface MinMaxScalerOptions {
  /** The least and the largest number that fit's numbers become; default [0, 1]. */
  featureRange?: readonly [number, number];
  /** Whether numbers beyond those of fit become the range's ends; default false. */
  clip?: boolean;
}

const takes = signature<MinMaxScalerOptions>({}, { featureRange: tuple(number, number), clip: boolean });

const schema = z.strictObject({ least: z.array(z.number()), largest: z.array(z.number()) });
type Range = z.infer<typeof schema>;

/**
 * Scales each column so that its numbers in fit cover a range. NaN stays NaN and is not counted; a column that is constant becomes the
 * least of the range. As `sklearn.preprocessing.MinMaxScaler`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { MinMaxScaler } from 'aiforge/preprocessing';
 * const scaler = new MinMaxScaler();
 * scaler.fit({ price: tensor([10, 20, 30]) });
 * scaler.transform({ price: 15 }).price; // 0.25
 */
export class MinMaxScaler extends ColumnwisePreprocessor<Range> {
  protected override readonly kind = 'MinMaxScaler';
  protected override readonly options: { featureRange: [number, number]; clip: boolean };
  protected override readonly schema = schema;
  #extremes = new Extremes();

  constructor(options: MinMaxScalerOptions = {}) {
    takes.check('MinMaxScaler', arguments);
    super();
    const { featureRange = [0, 1], clip = false } = options;
    const [from, to] = featureRange;
    if (!(Number.isFinite(from) && Number.isFinite(to) && from < to)) {
      throw refusal(
        'MinMaxScaler',
        `featureRange must be [least, largest], finite and rising, got ${show(featureRange)}`,
      );
    }
    this.options = { featureRange: [from, to], clip };
  }

  protected override begin(): void {
    this.#extremes = new Extremes();
  }

  protected override learn(frame: Frame): void {
    this.#extremes.add(learntNumbers(this.kind, frame));
  }

  protected override conclude(names: readonly string[]): Range {
    const { least, largest } = this.#extremes;
    const empty = names.findIndex((_, i) => !Number.isFinite(least[i] ?? Infinity));
    if (empty >= 0) throw refusal(`${this.kind}.fit`, `the column '${names[empty]!}' has no number that is not NaN`);
    return { least: [...least], largest: [...largest] };
  }

  protected override problemOf(learnt: Range, names: readonly string[]): string | undefined {
    const isFalling = learnt.least.some((value, i) => value > learnt.largest[i]!);
    return super.problemOf(learnt, names) ?? (isFalling ? 'a least number is above the largest' : undefined);
  }

  protected override applied(frame: Frame, learnt: Range): Frame {
    const { scale, shift } = this.#line(learnt);
    const scaled = frame.numbers(this.kind).mul(rowOf(scale)).add(rowOf(shift));
    const [from, to] = this.options.featureRange;
    return withNumbers(frame, this.options.clip ? scaled.clamp(from, to) : scaled);
  }

  protected override undone(frame: Frame, learnt: Range): Frame {
    const { scale, shift } = this.#line(learnt);
    return withNumbers(frame, frame.numbers(this.kind).sub(rowOf(shift)).div(rowOf(scale)));
  }

  #line({ least, largest }: Range): { scale: number[]; shift: number[] } {
    const [from, to] = this.options.featureRange;
    const scale = least.map((value, i) => (to - from) / usableScale(largest[i]! - value));
    return { scale, shift: least.map((value, i) => from - value * scale[i]!) };
  }
}
