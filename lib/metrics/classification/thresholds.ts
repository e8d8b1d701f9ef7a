import { count, either, fraction, kind, orNull, type Kinds } from '../../kinds.js';
import { linspace, tensor, type Device, type Tensor } from '../../tensor/index.js';

export interface ThresholdsOptions {
  /**
   * At which thresholds predictions are counted: a list of numbers from 0 to 1, none below the one before it, or how many from 0
   * to 1 at one distance, 2 or more. Default: null, at each prediction, for which all are kept.
   */
  thresholds?: number | readonly number[] | null;
}

const several = kind<number>('a whole number, 2 or more', (value) => count.accepts(value) && Number(value) >= 2);
const rising = kind<readonly number[]>(
  'an array of rising numbers from 0 to 1',
  (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((item, i) => fraction.accepts(item) && (i === 0 || item >= value[i - 1])),
);

export const thresholdsKind: Kinds<ThresholdsOptions> = { thresholds: orNull(either(several, rising)) };

/** The thresholds, float64; undefined at each prediction. */
export function thresholdsOf({ thresholds = null }: ThresholdsOptions, device: Device = 'cpu'): Tensor | undefined {
  if (thresholds === null) return undefined;
  const to = { dtype: 'float64', device } as const;
  return typeof thresholds === 'number' ? linspace(0, 1, thresholds, to) : tensor([...thresholds], to);
}
