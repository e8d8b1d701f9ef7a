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
export function typesOf(output: unknown): Record<string, ColumnType> {
  const columns = isPlainObject(output) ? Object.entries(output) : [['prediction', output] as const];
  const types: Record<string, ColumnType> = {};
  for (const [name, column] of columns) {
    if (!Tensor.isTensor(column) || column.ndim === 0) continue;
    const [items = 0, ...rest] = column.shape;
    types[name] = { dtype: column.dtype, ndim: rest.length, size: items === 0 ? 0 : column.numel() / items };
  }
  return types;
}

function entriesOf(name: string, value: unknown, count: number): unknown[] {
  if (Tensor.isTensor(value)) {
    if (value.ndim > 0 && value.size(0) === count) return value.detach().tolist() as unknown[];
  } else if (Array.isArray(value) && value.length === count) {
    return value.map((entry: unknown) => (Tensor.isTensor(entry) ? (entry.detach().tolist() as unknown) : entry));
  }
  throw refusal(name, value, count);
}

function refusal(name: string, value: unknown, count: number): AiforgeError {
  return new AiforgeError(
    'PLUGIN_INVALID',
    `What predictStep returned cannot be divided into items. ${name} is ${show(value)}; expected a tensor whose first dimension are ` +
      `the ${count} items of the batch, an array of as many, or an object of such tensors and arrays.`,
  );
}
