import { tensor, type DType } from 'aiforge';

interface TypedTensor {
  dtype: DType;
  shape: number[];
  values: (number | null)[];
}

/** Makes of what metric_cases.py writes what a metric takes: a tensor, or what it is. */
export function typedItem(item: unknown): unknown {
  if (typeof item !== 'object' || item === null || !('dtype' in item)) return item;
  const { dtype, shape, values } = item as TypedTensor;
  // JSON has no NaN.
  return tensor(
    values.map((value) => value ?? NaN),
    { dtype },
  ).reshape(shape);
}
