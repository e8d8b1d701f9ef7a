import { Counter } from '../../counter.js';
import { Tensor, tensor, type DType } from '../../tensor/index.js';

// Beside plain values, the options of an optimizer and the state of a scheduler hold infinities, counts, and rates that are
// tensors.
interface Marked {
  $number?: 'Infinity' | '-Infinity' | 'NaN';
  $tensor?: { value: number; dtype: DType };
  $counts?: [number, number][];
}

function mark(value: unknown): unknown {
  if (Tensor.isTensor(value)) return { $tensor: { value: value.item(), dtype: value.dtype } };
  if (value instanceof Counter) return { $counts: [...value] };
  return typeof value === 'number' && !Number.isFinite(value) ? { $number: String(value) } : value;
}

function unmark(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const { $number, $tensor, $counts } = value as Marked;
  if ($number !== undefined) return Number($number);
  if ($counts !== undefined) return new Counter($counts);
  return $tensor === undefined ? value : tensor($tensor.value, { dtype: $tensor.dtype });
}

/** JSON that keeps every number, counters, and tensors of one element. */
export const toJson = (value: unknown): string =>
  // What a replacer is given has been through toJSON, which makes a tensor a number.
  JSON.stringify(value, function (this: Record<string, unknown>, key) {
    return mark(this[key]);
  });

export const fromJson = (text: string): unknown => JSON.parse(text, (_, item: unknown) => unmark(item));
