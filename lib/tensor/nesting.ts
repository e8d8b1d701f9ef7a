import type { Complex, DType } from './dtype.js';
import type { NestedArray, Tensor } from './tensor.js';

/** The elements of a tensor as nested arrays, as many deep as it has dimensions. */
export function toNested(tensor: Tensor): NestedArray {
  return nest(elements(tensor), tensor.shape, 0, { at: 0 });
}

function elements(tensor: Tensor): ArrayLike<number | bigint | boolean | Complex> {
  const dtype = tensor.dtype;
  switch (dtype) {
    case 'bool':
      return Array.from(tensor.toTypedArray() as Uint8Array, Boolean);
    case 'int64':
    case 'uint64':
      return Array.from(tensor.toTypedArray() as BigInt64Array, (value) =>
        Number.isSafeInteger(Number(value)) ? Number(value) : value,
      );
    case 'complex64':
    case 'complex128': {
      const pairs = tensor.toTypedArray() as Float64Array;
      return Array.from({ length: pairs.length / 2 }, (_, i) => ({ re: pairs[2 * i]!, im: pairs[2 * i + 1]! }));
    }
    default:
      if (dtype === 'complex32') return widened(tensor, 'complex64');
      if (dtype.startsWith('float') || dtype === 'bfloat16') return widened(tensor, 'float64');
      return tensor.toTypedArray();
  }
}

function widened(tensor: Tensor, dtype: DType): ReturnType<typeof elements> {
  const wide = tensor.to(dtype);
  try {
    return dtype === 'float64' ? wide.toTypedArray() : elements(wide);
  } finally {
    wide.dispose();
  }
}

function nest<T>(data: ArrayLike<T>, shape: number[], dim: number, position: { at: number }): NestedArray<T> {
  if (dim === shape.length) return data[position.at++] as T;
  return Array.from({ length: shape[dim]! }, () => nest(data, shape, dim + 1, position));
}
