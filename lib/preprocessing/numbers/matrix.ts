import { show } from '../../show.js';
import { tensor, type Tensor } from '../../tensor/index.js';
import { refusal, type Frame } from '../tables/frame.js';

/** A row of float64 numbers, to compute with a matrix [rows, columns]. */
export const rowOf = (values: readonly number[]): Tensor => tensor([...values], { dtype: 'float64' });

export const listOf = (values: Tensor): number[] => values.tolist<number[]>();

/** The numbers of a matrix column by column, without those that are missing (NaN). */
export function presentIn(matrix: Tensor): Float64Array[] {
  const [rows, columns] = matrix.shape as [number, number];
  const all = matrix.t().contiguous().reshape([-1]).toTypedArray() as Float64Array;
  return Array.from({ length: columns }, (_, i) => {
    const column = all.subarray(i * rows, (i + 1) * rows);
    return column.some(Number.isNaN) ? column.filter((value) => !Number.isNaN(value)) : column;
  });
}

/** The numbers of a batch that is learnt from. Throws for infinite ones; NaN is a number that is missing. */
export function learntNumbers(who: string, frame: Frame): Tensor {
  const matrix = frame.numbers(who);
  if (!matrix.isinf().any().item()) return matrix;
  const column = matrix.isinf().any(0).to('int64').argmax().item<number>();
  const values = presentIn(matrix)[column]!;
  const found = values.find((value) => !Number.isFinite(value));
  throw refusal(
    `${who}.fit`,
    `the column '${frame.names[column]!}' has ${show(found)}: numbers must be finite, or NaN where they are missing`,
  );
}

/** Columns of computed numbers in the dtype that each had: float32 stays float32, all else is float64. */
export function withNumbers(frame: Frame, matrix: Tensor): Frame {
  const columns = matrix.unbind(1);
  return frame.with(
    frame.names,
    columns.map((column, i) => {
      const before = frame.columns[i]!;
      return !Array.isArray(before) && before.dtype === 'float32' ? column.to('float32') : column;
    }),
  );
}
