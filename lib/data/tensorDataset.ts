import { AiforgeError } from '../errors.js';
import { show } from '../show.js';
import { Tensor, tensor, type DType } from '../tensor/index.js';
import { checkIndex, getTakes, type Dataset, type Samples } from './dataset.js';

const refusal = (problem: string): AiforgeError => new AiforgeError('INVALID_ARGUMENT', `${problem}.`);

/** The rows of tensors of equal length, as `torch.utils.data.TensorDataset`: `get(i)` gives row i of each. */
export class TensorDataset implements Dataset<Tensor[]> {
  readonly tensors: readonly Tensor[];
  readonly length: number;

  constructor(...tensors: Tensor[]) {
    for (const given of tensors) {
      if (!Tensor.isTensor(given)) throw refusal(`TensorDataset: expected tensors, one by one, got ${show(given)}`);
      if (given.dim() === 0) throw refusal(`TensorDataset: expected tensors with rows, got ${show(given)}`);
    }
    const lengths = tensors.map((tensor) => tensor.size(0));
    if (tensors.length === 0 || lengths.some((length) => length !== lengths[0])) {
      throw refusal(`TensorDataset: expected tensors of one length, got lengths [${lengths.join(', ')}]`);
    }
    this.tensors = tensors;
    this.length = lengths[0]!;
  }

  get(index: number): Tensor[] {
    if (arguments.length > 1) getTakes.check('get', arguments);
    return this.tensors.map((tensor) => tensor.select(0, index));
  }
}

const getOfTensors: unknown = Reflect.get(TensorDataset.prototype, 'get');

/**
 * What `defaultCollate` makes of the rows of a TensorDataset, without making each of them: one operator a column. Null where it
 * might be something else: where the rows are a subclass's own, have gradients, or are no plain ones of the CPU.
 */
export function rowsOf(samples: Samples, indices: readonly number[], who: string): Tensor[] | null {
  if (!(samples instanceof TensorDataset) || samples.get !== getOfTensors || 'getBatch' in samples) return null;
  if (!samples.tensors.every(isPlain)) return null;
  for (const index of indices) checkIndex(who, index, samples.length);
  const rows = tensor([...indices], { dtype: 'int64' });
  return samples.tensors.map((column) => column.indexSelect(0, rows));
}

/** The dtypes of plain numbers, but those that `indexSelect` does not know: uint16, uint32, uint64. */
const plain: ReadonlySet<DType> = new Set([
  ...(['bool', 'uint8', 'int8', 'int16', 'int32', 'int64'] as const),
  ...(['float16', 'bfloat16', 'float32', 'float64', 'complex64', 'complex128'] as const),
]);

// Rows of four dimensions or more may lie in memory with their channels last, and `stack` keeps that.
const isPlain = (column: Tensor): boolean =>
  column.device === 'cpu' &&
  column.layout === 'strided' &&
  column.dim() <= 4 &&
  plain.has(column.dtype) &&
  !column.requiresGrad;
