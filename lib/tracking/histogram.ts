import { kind } from '../kinds.js';
import { scope, Tensor } from '../tensor/index.js';

/** How the numbers of a tensor are distributed. Those that are not finite are counted alone. */
export interface TrackedHistogram {
  /** How many numbers are finite. */
  count: number;
  /** How many are NaN or infinite. */
  nonFinite: number;
  /** Null where no number is finite, as is `max`. */
  min: number | null;
  max: number | null;
  sum: number;
  sumOfSquares: number;
  /** How many are in each of as many intervals of one width from `min` to `max`; a single one where these are the same. */
  counts: number[];
}

const buckets = 64;

/** What a histogram can be made of. */
export const histogramKind = kind<Tensor>(
  'a tensor of real numbers that has elements',
  (value) => Tensor.isTensor(value) && !value.isComplex() && value.layout === 'strided' && value.numel() > 0,
);

/** The histogram of a tensor of {@link histogramKind}; it waits for the device. */
export function histogramOf(tensor: Tensor): TrackedHistogram {
  return scope(() => {
    const all = tensor.detach().reshape([-1]).to('float64');
    const finite = all.maskedSelect(all.isfinite());
    const count = finite.numel();
    const nonFinite = all.numel() - count;
    if (count === 0) return { count, nonFinite, min: null, max: null, sum: 0, sumOfSquares: 0, counts: [] };
    const [min, max] = [finite.min().item<number>(), finite.max().item<number>()];
    const sums = { sum: finite.sum().item<number>(), sumOfSquares: finite.square().sum().item<number>() };
    return { count, nonFinite, min, max, ...sums, counts: countsOf(finite, min, max) };
  });
}

function countsOf(finite: Tensor, min: number, max: number): number[] {
  // What is wider than the largest number, or narrower than the least one, cannot be divided.
  const width = (max - min) / buckets;
  if (!(width > 0) || !Number.isFinite(width) || min + width === min) return [finite.numel()];
  return finite.histc({ bins: buckets, min, max }).tolist<number[]>();
}

/** The right ends of a histogram's intervals. */
export function limitsOf({ min, max, counts }: TrackedHistogram): number[] {
  if (min === null || max === null) return [];
  return counts.map((_, i) => (i === counts.length - 1 ? max : min + ((max - min) * (i + 1)) / counts.length));
}
