import { AiforgeError } from '../../errors.js';
import { kind } from '../../kinds.js';
import { isOptions, signature } from '../../signature.js';
import { Tensor, tensor } from '../../tensor/index.js';
import { checkIndex, type Dataset, getBatchTakes, getTakes } from '../dataset.js';
import type { TableColumns } from './table.js';
import { rememberArguments } from '../workers/remembered.js';

const isColumn = (value: unknown): boolean =>
  Tensor.isTensor(value)
    ? value.dim() > 0
    : Array.isArray(value) && value.findIndex((each) => typeof each !== 'string') < 0;

const tableTakes = signature({
  columns: kind<TableColumns>(
    'an object with a column or more by name, each a tensor with rows or an array of strings',
    (value) => isOptions(value) && Object.keys(value).length > 0 && Object.values(value).every(isColumn),
  ),
});

/** Dtypes that `indexSelect` does not know. */
const unselectable: ReadonlySet<string> = new Set(['uint16', 'uint32', 'uint64']);

const lengthOf = (column: Tensor | string[]): number => (Tensor.isTensor(column) ? column.size(0) : column.length);

/**
 * The rows of a table in memory, as objects by the names of its columns: of a tensor the row, which without further dimensions is a
 * tensor of one number and so keeps its dtype in a batch; of strings the string.
 *
 * @throws AiforgeError INVALID_ARGUMENT for columns of different lengths.
 * @example
 * import { data, tensor } from 'aiforge';
 * const flights = new data.TableDataset({ city: ['Oslo', 'Rio'], delay: tensor([3, -1], { dtype: 'float32' }) });
 * flights.get(1).delay.item(); // -1
 * const [batch] = new data.DataLoader(flights, { batchSize: 2 });
 * batch.delay.dtype; // 'float32'
 */
export class TableDataset implements Dataset<Record<string, Tensor | string>> {
  readonly length: number;

  constructor(readonly columns: TableColumns) {
    tableTakes.check(new.target.name, arguments);
    const lengths = Object.entries(columns).map(([name, column]) => `${name} ${lengthOf(column)}`);
    this.length = lengthOf(Object.values(columns)[0]!);
    if (Object.values(columns).some((column) => lengthOf(column) !== this.length)) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `TableDataset: expected columns of one length, got ${lengths.join(', ')}.`,
      );
    }
    if (new.target === TableDataset) rememberArguments(this, 'TableDataset', arguments);
  }

  get(index: number): Record<string, Tensor | string> {
    if (arguments.length > 1) getTakes.check('get', arguments);
    checkIndex('TableDataset', index, this.length);
    const entries = Object.entries(this.columns);
    return Object.fromEntries(
      entries.map(([name, column]) => [name, Tensor.isTensor(column) ? column.select(0, index) : column[index]!]),
    );
  }

  /** Takes the rows out of each column at once. */
  getBatch(indices: readonly number[]): Record<string, Tensor | string>[] {
    getBatchTakes.check('getBatch', arguments);
    for (const index of indices) checkIndex('TableDataset', index, this.length);
    const rows = tensor([...indices], { dtype: 'int64' });
    const columns = Object.entries(this.columns).map(
      ([name, column]) => [name, picked(column, indices, rows)] as const,
    );
    return indices.map((_, i) => Object.fromEntries(columns.map(([name, values]) => [name, values[i]!])));
  }
}

function picked(column: Tensor | string[], indices: readonly number[], rows: Tensor): (Tensor | string)[] {
  if (!Tensor.isTensor(column)) return indices.map((index) => column[index]!);
  if (unselectable.has(column.dtype)) return indices.map((index) => column.select(0, index));
  return column.indexSelect(0, rows).unbind(0);
}
