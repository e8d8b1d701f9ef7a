import { Counter } from '../../counter.js';
import { AiforgeError, type ErrorCode } from '../../errors.js';
import { Tensor, tensor, type DType } from '../../tensor/index.js';

// Beside plain values, the options of an optimizer and the state of a scheduler hold infinities, counts, and rates that are
// tensors.
interface Marked {
  $number?: 'Infinity' | '-Infinity' | 'NaN' | '-0';
  $tensor?: { value: number; dtype: DType };
  $counts?: [number, number][];
}

function mark(value: unknown): unknown {
  if (Tensor.isTensor(value)) return { $tensor: { value: value.item(), dtype: value.dtype } };
  if (value instanceof Counter) return { $counts: [...value] };
  if (Object.is(value, -0)) return { $number: '-0' };
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
export function toJson(value: unknown): string {
  try {
    // What a replacer is given has been through toJSON, which makes a tensor a number.
    return JSON.stringify(value, function (this: Record<string, unknown>, key) {
      return mark(this[key]);
    });
  } catch (cause) {
    throw tooDeep(cause, 'INVALID_ARGUMENT');
  }
}

export function fromJson(text: string): unknown {
  try {
    return JSON.parse(text, (_, item: unknown) => unmark(item));
  } catch (cause) {
    throw tooDeep(cause, 'FILE_INVALID');
  }
}

/** The error for data that the call stack does not hold; any other as it is. */
function tooDeep(cause: unknown, code: ErrorCode): unknown {
  if (!(cause instanceof RangeError)) return cause;
  return new AiforgeError(code, `The state of a run is nested too deeply: ${cause.message}.`, { cause });
}
