import type { Tensor } from '../../tensor/index.js';
import { presentIn } from './matrix.js';
import { Quantiles } from './quantiles.js';

/** The quantiles of each column. */
export class ColumnQuantiles {
  readonly columns: Quantiles[] = [];

  constructor(private readonly exactRows: number) {}

  /** Takes the rows of a float64 matrix [rows, columns]. */
  add(matrix: Tensor): void {
    presentIn(matrix).forEach((values, i) => (this.columns[i] ??= new Quantiles(this.exactRows)).add(values));
  }
}
