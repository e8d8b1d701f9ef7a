import { AiforgeError } from '../../errors.js';
import { isPlainObject } from '../../realms.js';
import { show } from '../../show.js';
import { Tensor } from '../../tensor/index.js';

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
