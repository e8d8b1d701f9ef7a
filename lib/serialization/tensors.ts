import { aten } from '../tensor/calls/aten.js';
import { bytesOf, isDType, type DType, type Layout } from '../tensor/dtype.js';
import { conj, emptyStrided } from '../tensor/generated/functions.js';
import type { OpenFile } from '../tensor/files/openFile.js';
import { Tensor } from '../tensor/tensor.js';
import { Global } from './pickleReader.js';
import { Storage } from './storages.js';

const negView = aten('_neg_view');
const asDType = aten('view.dtype');
const perTensor = aten('_empty_affine_quantized');
const perChannel = aten('_empty_per_channel_affine_quantized');
const setMemory = aten('set_.source_Tensor_storage_offset');
const coo = aten('_sparse_coo_tensor_unsafe');
const compressed = aten('_sparse_compressed_tensor_unsafe');
const checkCoo = aten<undefined>('_validate_sparse_coo_tensor_args');

const compressedLayouts: ReadonlySet<unknown> = new Set<Layout>([
  'sparse_csr',
  'sparse_csc',
  'sparse_bsr',
  'sparse_bsc',
]);

const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && (size as number) >= 0);

/** The name of a dtype that is a global of a pickle. */
export function dtypeOf(value: unknown): DType | undefined {
  const name = value instanceof Global ? value.name.replace(/^torch\./, '') : '';
  return isDType(name) ? name : undefined;
}

/** Makes the tensors of a file of each kind, as the functions of Python's `torch._utils` that its pickle calls. */
export class TensorMaker {
  readonly #file: OpenFile;

  constructor(file: OpenFile) {
    this.#file = file;
  }

  strided([storage, offset, sizes, strides, requiresGrad, , flags]: readonly unknown[], given?: unknown): Tensor {
    const dtype = given === undefined ? null : this.#dtype(given);
    return this.leaf(this.#flagged(this.#view(storage, offset, sizes, strides, dtype), flags), requiresGrad);
  }

  leaf(tensor: unknown, requiresGrad: unknown): Tensor {
    return requiresGrad === true ? this.#tensor(tensor).requiresGrad_() : this.#tensor(tensor);
  }

  /** A tensor without data. */
  meta([dtype, sizes, strides, requiresGrad]: readonly unknown[]): Tensor {
    if (!isSizes(sizes) || !isSizes(strides)) throw this.#malformed();
    return this.leaf(emptyStrided(sizes, strides, { dtype: this.#dtype(dtype), device: 'meta' }), requiresGrad);
  }

  quantized([storage, offset, sizes, strides, quantizer, requiresGrad]: readonly unknown[]): Tensor {
    if (!(storage instanceof Storage) || !Array.isArray(quantizer)) throw this.#malformed();
    const { dtype, memory } = storage;
    // The same view of plain integers, which does not reach beyond its storage.
    const view = this.#view(storage, offset, sizes, strides, dtype === 'qint32' ? 'int32' : 'int8');
    const empty = this.#quantizer(quantizer as unknown[], view.shape, { dtype, device: memory.bytes.device });
    const whole = asDType(memory.bytes, view.dtype);
    return this.leaf(setMemory(empty, whole, view.storageOffset(), view.shape, view.stride()), requiresGrad);
  }

  #quantizer([scheme, scale, zeroPoint, axis]: readonly unknown[], sizes: number[], options: object): Tensor {
    const name = scheme instanceof Global ? scheme.name : '';
    if (name === 'torch.per_tensor_affine') return perTensor(sizes, { scale, zeroPoint, ...options });
    if (name !== 'torch.per_channel_affine' && name !== 'torch.per_channel_affine_float_qparams') {
      throw this.#file.unsupported(`a tensor quantized by '${name}', which load does not read`);
    }
    return perChannel(sizes, { scales: this.#tensor(scale), zeroPoints: this.#tensor(zeroPoint), axis, ...options });
  }

  sparse([layout, data]: readonly unknown[]): Tensor {
    if (!Array.isArray(data)) throw this.#malformed();
    if (layout === 'sparse_coo') return this.#coo(data as unknown[]);
    if (compressedLayouts.has(layout)) return this.#compressed(layout as Layout, data as unknown[]);
    throw this.#file.unsupported(`a tensor of the layout '${String(layout)}', which load does not read`);
  }

  #coo([indices, values, sizes, isCoalesced = null]: readonly unknown[]): Tensor {
    const [at, held] = [this.#tensor(indices), this.#tensor(values)];
    if (!isSizes(sizes)) throw this.#malformed();
    checkCoo(at, held, sizes, isCoalesced);
    return coo(at, held, sizes, { isCoalesced, dtype: held.dtype, device: held.device, layout: 'sparse_coo' });
  }

  #compressed(layout: Layout, [outer, inner, values, sizes]: readonly unknown[]): Tensor {
    const [bounds, at, held] = [this.#tensor(outer), this.#tensor(inner), this.#tensor(values)];
    if (!isSizes(sizes)) throw this.#malformed();
    return compressed(bounds, at, held, sizes, { dtype: held.dtype, device: held.device, layout });
  }

  /** The elements of a storage that a file holds by itself. */
  elements({ memory, dtype, start, length }: Storage): Tensor {
    if (dtype !== null && /^qu?int/.test(dtype))
      throw this.#file.unsupported(`a storage of ${dtype} without its scale`);
    return this.#view(new Storage(memory, dtype, start, length), 0, [length], [1], dtype ?? 'uint8');
  }

  #view(storage: unknown, offset: unknown, sizes: unknown, strides: unknown, given: DType | null): Tensor {
    const dtype = given ?? (storage instanceof Storage ? storage.dtype : null);
    if (!(storage instanceof Storage) || dtype === null || !isSizes(sizes) || !isSizes(strides) || !isSizes([offset])) {
      throw this.#malformed();
    }
    const { memory, start } = storage;
    const { bytes } = memory;
    try {
      // Of other dtypes there may be a part of an element more.
      const whole = bytes.narrow(0, 0, bytes.numel() - (bytes.numel() % bytesOf(dtype)));
      return whole.view(dtype).asStrided(sizes, strides, start + (offset as number));
    } catch (cause) {
      throw this.#file.invalid(`a tensor does not fit its storage ${memory.key}: ${(cause as Error).message}`, cause);
    }
  }

  // A conjugate or negative view, whose memory holds the other numbers.
  #flagged(tensor: Tensor, flags: unknown): Tensor {
    if (flags === undefined || flags === null) return tensor;
    if (!(flags instanceof Map)) throw this.#malformed();
    let flagged = tensor;
    for (const [name, isSet] of flags as Map<unknown, unknown>) {
      if (name === 'conj' && isSet === true) flagged = conj(flagged);
      else if (name === 'neg' && isSet === true) flagged = negView(flagged);
      else throw this.#file.invalid(`it has a tensor with the unknown property '${String(name)}'`);
    }
    return flagged;
  }

  #dtype(value: unknown): DType {
    const dtype = dtypeOf(value);
    if (dtype !== undefined) return dtype;
    if (value instanceof Global)
      throw this.#file.unsupported(`a tensor of the dtype ${value.name}, which load does not read`);
    throw this.#malformed();
  }

  #tensor(value: unknown): Tensor {
    if (!Tensor.isTensor(value)) throw this.#malformed();
    return value;
  }

  #malformed(): Error {
    return this.#file.invalid('it has a malformed tensor');
  }
}
