import type { Tensor } from '../../tensor/index.js';
import { listOf } from './matrix.js';

/** The least and the largest number of each column; Infinity and -Infinity where all are missing. */
export class Extremes {
  readonly least: number[] = [];
  readonly largest: number[] = [];

  /** Takes the rows of a float64 matrix [rows, columns]. */
  add(matrix: Tensor): void {
    if (matrix.size(0) === 0) return;
    this.merge({
      least: listOf(matrix.nanToNum({ nan: Infinity }).amin([0])),
      largest: listOf(matrix.nanToNum({ nan: -Infinity }).amax([0])),
    });
  }

  /** Takes what others have found. */
  merge(other: Pick<Extremes, 'least' | 'largest'>): void {
    other.least.forEach((value, i) => (this.least[i] = Math.min(this.least[i] ?? Infinity, value)));
    other.largest.forEach((value, i) => (this.largest[i] = Math.max(this.largest[i] ?? -Infinity, value)));
  }
}
