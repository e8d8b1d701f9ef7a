import { either, kind, positive } from '../../kinds.js';
import type { Tensor } from '../../tensor/index.js';

/** The range of images' values: its width, or the least and the greatest value, to which values are brought. */
export type DataRange = number | readonly [least: number, greatest: number];

const isBounds = (value: unknown): boolean => {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [least, greatest] = value as unknown[];
  return Number.isFinite(least) && Number.isFinite(greatest) && Number(least) < Number(greatest);
};

export const dataRangeKind = either<number, readonly [number, number]>(
  positive,
  kind('an array of the least and the greatest value', isBounds),
);

/** How wide a range is. */
export const widthOf = (range: DataRange): number => (typeof range === 'number' ? range : range[1] - range[0]);

/** Values as float64, within the bounds of a range that has some. */
export function within(values: Tensor, range?: DataRange): Tensor {
  const numbers = values.to('float64');
  return range === undefined || typeof range === 'number' ? numbers : numbers.clamp(range[0], range[1]);
}
