import { AiforgeError } from '../../errors.js';
import { isPlainObject } from '../../realms.js';
import { show } from '../../show.js';
import { Tensor, type DType } from '../../tensor/index.js';

/**
 * What a model's `predictStep` gave for a batch, item by item and as plain data: of a tensor or an array its entries, of an object of
 * those an object each. Throws PLUGIN_INVALID for what has not one entry for each of the `count` items.
 */
export function valuesOf(output: unknown, count: number): unknown[] {
  if (!isPlainObject(output)) return entriesOf('It', output, count);
  const columns = Object.entries(output).map(
    ([name, column]) => [name, entriesOf(`'${name}'`, column, count)] as const,
  );
  if (columns.length === 0) throw refusal('It', output, count);
  return Array.from({ length: count }, (_, i) =>
    Object.fromEntries(columns.map(([name, entries]) => [name, entries[i]])),
  );
}

/** What a tensor has for each item. */
export interface ColumnType {
  dtype: DType;
  /** Dimensions of an item's part. */
  ndim: number;
  /** Values of an item's part. */
  size: number;
}

/** The types of what `predictStep` gave as tensors, by their names; one by itself is `prediction`. */
export function typesOf(output: unknown, count: number): Record<string, ColumnType> {
  const columns = isPlainObject(output) ? Object.entries(output) : [['prediction', output] as const];
  const types: Record<string, ColumnType> = {};
  for (const [name, column] of columns) {
    if (!Tensor.isTensor(column)) continue;
    types[name] = { dtype: column.dtype, ndim: Math.max(0, column.ndim - 1), size: column.numel() / count };
  }
  return types;
}

function entriesOf(name: string, value: unknown, count: number): unknown[] {
  if (Tensor.isTensor(value)) {
    const dense = value.layout === 'strided' ? value.detach() : value.detach().toDense();
    if (dense.ndim > 0 && dense.size(0) === count) return dense.tolist() as unknown[];
    // Of a single item, squeeze() leaves no dimension.
    if (dense.ndim === 0 && count === 1) return [dense.tolist()];
  } else if (Array.isArray(value) && value.length === count) {
    return value.map((entry: unknown) => (Tensor.isTensor(entry) ? (entry.detach().tolist() as unknown) : entry));
  }
  throw refusal(name, value, count);
}

function refusal(name: string, value: unknown, count: number): AiforgeError {
  return new AiforgeError(
    'PLUGIN_INVALID',
    `What predictStep returned cannot be divided into items. ${name} is ${show(value)}; expected a tensor whose first dimension are ` +
      `the ${count} item${count === 1 ? '' : 's'} of the batch, an array of as many, or an object of such tensors and arrays.` +
      (count === 1 ? ' squeeze() takes the dimension of a single item away as well: squeeze(1) does not.' : ''),
  );
}
