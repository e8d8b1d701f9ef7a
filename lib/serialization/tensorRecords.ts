import { AiforgeError } from '../errors.js';
import { aten } from '../tensor/calls/aten.js';
import { attributesOf } from '../tensor/attributes.js';
import type { Layout } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Memories } from './memories.js';
import { Call, GlobalName, PersistentId, Tuple } from './pythonValues.js';
import { storageTypes, untypedStorage } from './storageTypes.js';

const typeOf = new Map([...storageTypes].map(([type, dtype]) => [dtype, type]));

const schemeOf = aten<string>('qscheme');
const indicesOf = aten('_indices');
const valuesOf = aten('_values');
const compressedValuesOf = aten('values');

const noHooks = (): Call => new Call(GlobalName.of('collections.OrderedDict'), []);

/** The scale and zero point of a quantized tensor, which are tensors themselves where each channel has its own. */
function quantizerOf(tensor: Tensor): Tuple {
  const scheme = schemeOf(tensor);
  const name = GlobalName.of(`torch.${scheme}`);
  if (scheme.startsWith('per_tensor')) return new Tuple([name, tensor.qScale(), tensor.qZeroPoint()]);
  return new Tuple([name, tensor.qPerChannelScales(), tensor.qPerChannelZeroPoints(), tensor.qPerChannelAxis()]);
}

// What the two dimensions' places are called in each layout.
const compressed: Readonly<Partial<Record<Layout, readonly ((...args: unknown[]) => Tensor)[]>>> = {
  sparse_csr: [aten('crow_indices'), aten('col_indices')],
  sparse_bsr: [aten('crow_indices'), aten('col_indices')],
  sparse_csc: [aten('ccol_indices'), aten('row_indices')],
  sparse_bsc: [aten('ccol_indices'), aten('row_indices')],
};

/** What Python's `_rebuild_sparse_tensor` makes a sparse tensor of. */
function sparsePartsOf(tensor: Tensor): Tuple {
  const shape = new Call(GlobalName.of('torch.Size'), [new Tuple(tensor.shape)]);
  if (tensor.layout === 'sparse_coo') {
    return new Tuple([indicesOf(tensor), valuesOf(tensor), shape, tensor.isCoalesced()]);
  }
  const places = compressed[tensor.layout];
  if (places === undefined) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `save: a tensor of layout ${tensor.layout} cannot be saved; convert it first.`,
    );
  }
  return new Tuple([...places.map((place) => place(tensor)), compressedValuesOf(tensor).detach(), shape]);
}

/** A tensor without data. */
function metaOf(tensor: Tensor): Call {
  const place = [new Tuple(tensor.shape), new Tuple(tensor.stride()), tensor.requiresGrad];
  return new Call(GlobalName.of('torch._utils._rebuild_meta_tensor_no_storage'), [
    GlobalName.of(`torch.${tensor.dtype}`),
    ...place,
  ]);
}

/** How a pickle says each tensor: as the calls that make it of its storage. */
export class TensorRecords {
  readonly #memories: Memories;
  /** The integers of quantized tensors, and what makes numbers of them. */
  readonly #quantizations = new Map<Tensor, { integers: Tensor; quantizer: Tuple }>();
  /** Of sparse tensors: other tensors, which the pickle has too. */
  readonly #parts = new Map<Tensor, Tuple>();
  /** Whether there is any tensor. */
  isAny = false;

  constructor(memories: Memories) {
    this.#memories = memories;
  }

  /** Notes the memory that a tensor needs; what else belongs to it. */
  collect(tensor: Tensor): object {
    this.isAny = true;
    const attributes = attributesOf(tensor);
    if (tensor.layout !== 'strided') {
      const parts = sparsePartsOf(tensor);
      this.#parts.set(tensor, parts);
      return [attributes, parts];
    }
    if (tensor.isQuantized) {
      const quantization = { integers: tensor.intRepr(), quantizer: quantizerOf(tensor) };
      this.#quantizations.set(tensor, quantization);
      this.#memories.add(quantization.integers);
      return [attributes, quantization.quantizer];
    }
    if (tensor.device !== 'meta') this.#memories.add(tensor);
    return [attributes];
  }

  record(tensor: Tensor): Call {
    const made = this.#made(tensor);
    const attributes = attributesOf(tensor);
    if (attributes.size === 0) return made;
    const type = GlobalName.of('torch.Tensor');
    return new Call(GlobalName.of('torch._tensor._rebuild_from_type_v2'), [
      made.callee,
      type,
      new Tuple(made.args),
      attributes,
    ]);
  }

  #made(tensor: Tensor): Call {
    if (tensor.layout !== 'strided') return this.#sparse(tensor);
    if (tensor.device === 'meta') return metaOf(tensor);
    return tensor.isQuantized ? this.#quantized(tensor) : this.#strided(tensor);
  }

  // Python loses what requires gradients but of parameters.
  #sparse(tensor: Tensor): Call {
    const layout = new Call(GlobalName.of('torch.serialization._get_layout'), [`torch.${tensor.layout}`]);
    const args = [layout, this.#parts.get(tensor)!];
    const made = new Call(GlobalName.of('torch._utils._rebuild_sparse_tensor'), args);
    if (!tensor.requiresGrad) return made;
    return new Call(GlobalName.of('torch._utils._rebuild_parameter'), [made, true, noHooks()]);
  }

  #strided(tensor: Tensor): Call {
    const { dtype } = this.#memories.of(tensor);
    const type = dtype === null ? undefined : typeOf.get(dtype);
    const args = [...this.#place(tensor, type), tensor.requiresGrad, noHooks()];
    const flags = new Map<string, boolean>();
    if (tensor.isConj()) flags.set('conj', true);
    if (tensor.isNeg()) flags.set('neg', true);
    const marks = flags.size === 0 ? [] : [flags];
    if (type !== undefined) return new Call(GlobalName.of('torch._utils._rebuild_tensor_v2'), [...args, ...marks]);
    const own = GlobalName.of(`torch.${tensor.dtype}`);
    return new Call(GlobalName.of('torch._utils._rebuild_tensor_v3'), [...args, own, ...marks]);
  }

  #quantized(tensor: Tensor): Call {
    const { integers, quantizer } = this.#quantizations.get(tensor)!;
    const args = [...this.#place(integers, typeOf.get(tensor.dtype)), quantizer, tensor.requiresGrad, noHooks()];
    return new Call(GlobalName.of('torch._utils._rebuild_qtensor'), args);
  }

  // Storage, offset, sizes and strides.
  #place(tensor: Tensor, type: string | undefined): unknown[] {
    const memory = this.#memories.of(tensor);
    const itemBytes = tensor.elementSize();
    const length = type === undefined ? memory.size : memory.size / itemBytes;
    const storage = new Tuple(['storage', GlobalName.of(type ?? untypedStorage), memory.key, memory.device, length]);
    const offset = tensor.numel() === 0 ? 0 : tensor.storageOffset() - memory.start / itemBytes;
    return [new PersistentId(storage), offset, new Tuple(tensor.shape), new Tuple(tensor.stride())];
  }
}
