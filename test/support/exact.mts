import { fromTypedArray, type DType, type Tensor } from 'aiforge';

/** A tensor as the reference scripts write it: `hex` holds its bytes. */
export interface Exact {
  shape: number[];
  dtype: DType;
  hex: string;
}

export const hexOf = (tensor: Tensor): string => {
  const data = tensor.detach().contiguous().toTypedArray();
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex');
};

export const exact = (tensor: Tensor): Exact => ({ shape: tensor.shape, dtype: tensor.dtype, hex: hexOf(tensor) });

const arrays = { float32: Float32Array, float64: Float64Array, int64: BigInt64Array, bool: Uint8Array };

/** The elements of a recorded tensor. */
export function elements({ dtype, hex }: Exact): Float32Array | Float64Array | BigInt64Array | Uint8Array {
  const bytes = Uint8Array.from(Buffer.from(hex, 'hex'));
  return new arrays[dtype as keyof typeof arrays](bytes.buffer);
}

export function fromExact(recorded: Exact): Tensor {
  const { shape, dtype } = recorded;
  return fromTypedArray(elements(recorded), { shape, dtype });
}
