import { Tensor, type data } from 'aiforge';

/** The columns of a table as arrays. */
export const plainTable = (table: data.TableColumns): Record<string, unknown[]> =>
  Object.fromEntries(
    Object.entries(table).map(([name, column]) => [name, Tensor.isTensor(column) ? column.tolist<number[]>() : column]),
  );
