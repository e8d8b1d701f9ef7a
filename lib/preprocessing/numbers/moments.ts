import type { Tensor } from '../../tensor/index.js';
import { listOf } from './matrix.js';

/**
 * Counts, means and sums of squared distances from them, of the numbers of each column that are not missing. Batches are merged as
 * by Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
 */
export class Moments {
  readonly counts: number[] = [];
  readonly means: number[] = [];
  readonly squares: number[] = [];

  /** Takes the rows of a float64 matrix [rows, columns]. */
  add(matrix: Tensor): void {
    const isThere = matrix.isnan().logicalNot();
    const counts = isThere.sum(0);
    const rounded = matrix.nansum([0]).div(counts);
    const distances = matrix.sub(rounded);
    // The sum was rounded: what the distances sum up to is what the mean is off.
    const off = distances.nansum([0]).div(counts);
    const means = rounded.add(off);
    const squares = distances.square().nansum([0]).sub(off.square().mul(counts)).clampMin(0);
    this.merge({ counts: listOf(counts.to('float64')), means: listOf(means), squares: listOf(squares) });
  }

  /** Takes what others have counted. */
  merge(other: Pick<Moments, 'counts' | 'means' | 'squares'>): void {
    other.counts.forEach((count, i) => {
      const before = this.counts[i] ?? 0;
      const total = before + count;
      this.counts[i] = total;
      if (count === 0) {
        this.means[i] ??= 0;
        this.squares[i] ??= 0;
        return;
      }
      const [mean, squares] = [this.means[i] ?? 0, this.squares[i] ?? 0];
      const delta = other.means[i]! - mean;
      this.means[i] = before === 0 ? other.means[i]! : mean + (delta * count) / total;
      this.squares[i] = squares + other.squares[i]! + (delta * delta * before * count) / total;
    });
  }
}
