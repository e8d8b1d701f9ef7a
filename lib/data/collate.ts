import { inspect } from 'node:util';

import { AiforgeError } from '../errors.js';
import { stack, Tensor, tensor, type TypedArray } from '../tensor/index.js';

/** What becomes of a sample when many are put together: numbers and tensors become tensors with one dimension more. */
export type Collated<T> = T extends Tensor | TypedArray | number | bigint | boolean
  ? Tensor
  : T extends string
    ? string[]
    : T extends readonly (infer Item)[]
      ? Collated<Item>[]
      : { [Key in keyof T]: Collated<T[Key]> };

/**
 * Puts samples together into a batch, as `torch.utils.data.default_collate`: tensors and typed arrays are stacked, numbers become int64 or
 * float64 tensors, objects and arrays are collated entry by entry, strings stay a list.
 */
export function defaultCollate<T>(samples: readonly T[]): Collated<T> {
  return collate(samples) as Collated<T>;
}

function collate(samples: readonly unknown[]): unknown {
  const [first] = samples;
  if (Tensor.isTensor(first)) return stack(samples as Tensor[]);
  switch (typeof first) {
    case 'number':
      return tensor(samples as number[], { dtype: samples.every(Number.isInteger) ? 'int64' : 'float64' });
    case 'bigint':
    case 'boolean':
      return tensor(samples as bigint[]);
    case 'string':
      return [...samples];
    case 'object':
      if (ArrayBuffer.isView(first)) return stack((samples as TypedArray[]).map((sample) => tensor(sample)));
      if (Array.isArray(first)) return collateLists(samples as unknown[][]);
      if (first !== null) return collateObjects(samples as Record<string, unknown>[]);
      break;
    default:
      break;
  }
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `defaultCollate: samples must be tensors, numbers, strings, arrays or objects of them, found ${inspect(first)}. Give the DataLoader a collate function.`,
  );
}

function collateLists(samples: unknown[][]): unknown[] {
  const { length } = samples[0]!;
  if (samples.some((sample) => sample.length !== length)) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      'defaultCollate: the samples are lists of different lengths; pad them, or give the DataLoader a collate function.',
    );
  }
  return Array.from({ length }, (_, i) => collate(samples.map((sample) => sample[i])));
}

function collateObjects(samples: Record<string, unknown>[]): Record<string, unknown> {
  return Object.fromEntries(
    Object.keys(samples[0]!).map((key) => [key, collate(samples.map((sample) => sample[key]))]),
  );
}
