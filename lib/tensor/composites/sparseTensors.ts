import { boolean, kind, listOf, orNull, size, type AnyKind, type Kinds } from '../../kinds.js';
import { signature } from '../../signature.js';
import { aten } from '../calls/aten.js';
import { sizesOf } from '../calls/recognition.js';
import type { Device, DType, Layout, TypedArray } from '../dtype.js';
import * as f from '../generated/functions.js';
import { deviceKind, dtypeKind, layoutKind } from '../kinds.js';
import { Tensor, type NestedArray } from '../tensor.js';
import { asTensor } from './asTensor.js';
import { named } from './named.js';

// Sparse tensors of indices and values, which may be data. In another dtype or on another device the values go there first,
// with their graph. Indices beyond the sizes are refused.

export interface SparseTensorOptions {
  /** Default: that of the values. */
  dtype?: DType | null;
  /** Default: where the values are. */
  device?: Device | null;
  /** Whether the tensor is to have a gradient of its own. Default: false. */
  requiresGrad?: boolean;
}

export interface SparseCooOptions extends SparseTensorOptions {
  /** Says that the indices are sorted and none comes twice. Default: null, which is not known. */
  isCoalesced?: boolean | null;
}

export interface SparseCompressedOptions extends SparseTensorOptions {
  layout: 'sparse_csr' | 'sparse_csc' | 'sparse_bsr' | 'sparse_bsc';
}

/** A tensor, or what `tensor` makes one of. */
type Data = Tensor | NestedArray | TypedArray;

interface Given extends SparseCooOptions {
  indices: Data;
  plain?: Data;
  values: Data;
  size?: readonly number[] | null;
  layout?: Layout;
}

const data = kind<Data>(
  'a Tensor or an array of numbers',
  (value) => Tensor.isTensor(value) || Array.isArray(value) || ArrayBuffer.isView(value) || typeof value === 'number',
);
const kinds: Kinds<Given> = {
  indices: data,
  plain: data,
  values: data,
  size: orNull(listOf(size)),
  dtype: orNull(dtypeKind),
  device: orNull(deviceKind),
  requiresGrad: boolean,
  isCoalesced: orNull(boolean),
  layout: layoutKind,
};

type Key = keyof Given;

const always: readonly Key[] = ['dtype', 'device', 'requiresGrad'];

const needed = new Set<Key>(['indices', 'plain', 'values', 'layout']);

type Read = (given: unknown[]) => Given;

/**
 * What reads arguments by position or by name, and checks them. `keys` are those of the function in order, `names` what it calls
 * some of them.
 */
function reader(name: string, keys: readonly Key[], names: Partial<Record<Key, string>> = {}): Read {
  const nameOf = (key: Key): string => names[key] ?? key;
  const parameters = keys.map(nameOf);
  const own = Object.fromEntries(keys.map((key) => [nameOf(key), kinds[key] as AnyKind]));
  const required = keys.filter((key) => needed.has(key)).map(nameOf);
  const takes = signature({}, own as Kinds<Record<string, never>>, required);
  return (given) => {
    const args = named<Record<string, unknown>>(name, parameters, given);
    takes.checkOptions(name, args);
    return Object.fromEntries(keys.map((key) => [key, args[nameOf(key)]])) as unknown as Given;
  };
}

/** The values as the options ask for them. */
function held({ values, dtype, device }: Given): Tensor {
  const options = { ...(dtype == null ? {} : { dtype }), ...(device == null ? {} : { device }) };
  return asTensor(values, options);
}

const finished = (made: Tensor, { requiresGrad }: Given): Tensor =>
  requiresGrad === true && !made.requiresGrad ? made.requiresGrad_() : made;

const coo = aten('sparse_coo_tensor.indices_size');
const cooOfIndices = aten('sparse_coo_tensor.indices');
const readCoo = reader('sparseCooTensor', ['indices', 'values', 'size', ...always, 'isCoalesced']);

/**
 * A sparse tensor of the values at indices: int64 [sparse dimensions, values]. Without a size it is just large enough; of a size
 * alone there are no values in it. Values at the same place are added up. As `torch.sparse_coo_tensor`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an index beyond the size.
 * @example
 * import { sparseCooTensor } from 'aiforge';
 * sparseCooTensor([[0, 1], [2, 0]], [3.5, 4], [2, 3]).toDense().tolist(); // [[0, 0, 3.5], [4, 0, 0]]
 * sparseCooTensor([2, 3]).toDense().sum().item(); // 0
 */
export function sparseCooTensor(
  indices: Data,
  values: Data,
  size?: readonly number[] | null,
  options?: SparseCooOptions,
): Tensor;
export function sparseCooTensor(indices: Data, values: Data, options: SparseCooOptions): Tensor;
export function sparseCooTensor(size: readonly number[], options?: SparseTensorOptions): Tensor;
export function sparseCooTensor(...size: number[]): Tensor;
export function sparseCooTensor(
  given: { indices: Data; values: Data; size?: readonly number[] | null } & SparseCooOptions,
): Tensor;
export function sparseCooTensor(...given: unknown[]): Tensor {
  if (isSizeAlone(given)) return f.sparseCooTensor(...(given as [readonly number[]]));
  const args = readCoo(given);
  const values = held(args);
  const indices = asTensor(args.indices, { dtype: 'int64', device: values.device });
  const options = { dtype: values.dtype, device: values.device, isCoalesced: args.isCoalesced ?? null };
  const { size } = args;
  return finished(size == null ? cooOfIndices(indices, values, options) : coo(indices, values, size, options), args);
}

function isSizeAlone(given: unknown[]): boolean {
  const [first, second] = given;
  if (sizesOf(given) !== undefined) return true;
  return Array.isArray(first) && sizesOf([first]) !== undefined && typeof second === 'object' && !data.accepts(second) && !('values' in (second ?? {})); // prettier-ignore
}

const compressed = aten('sparse_compressed_tensor.comp_plain_value_size');
const compressedOfIndices = aten('sparse_compressed_tensor.comp_plain_value');

function ofLayout(layout: Layout | undefined, args: Given): Tensor {
  const values = held(args);
  const own = [args.indices, args.plain!].map((given) => asTensor(given, { device: values.device }));
  const [outer, inner] = own.map((each) => (/^int(32|64)$/.test(each.dtype) ? each : each.to('int64'))) as [
    Tensor,
    Tensor,
  ];
  const options = { dtype: values.dtype, device: values.device, layout };
  const { size } = args;
  const made = size == null ? compressedOfIndices(outer, inner, values, options) : compressed(outer, inner, values, size, options); // prettier-ignore
  return finished(made, args);
}

interface OfLayout {
  (outer: Data, inner: Data, values: Data, size?: readonly number[] | null, options?: SparseTensorOptions): Tensor;
  (outer: Data, inner: Data, values: Data, options: SparseTensorOptions): Tensor;
}

function maker(name: string, layout: Layout, indices: string, plain: string): OfLayout {
  const read = reader(name, ['indices', 'plain', 'values', 'size', ...always], { indices, plain });
  return (...given: unknown[]) => ofLayout(layout, read(given));
}

/**
 * A sparse matrix, or a batch of them, by rows: the values of row i are those from `crowIndices[i]` to `crowIndices[i + 1]`, in the
 * columns `colIndices`. As `torch.sparse_csr_tensor`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for pointers and indices that do not fit the values and the size.
 * @example
 * import { sparseCsrTensor } from 'aiforge';
 * sparseCsrTensor([0, 1, 2], [1, 0], [3.5, 4], [2, 2]).toDense().tolist(); // [[0, 3.5], [4, 0]]
 */
export const sparseCsrTensor = maker('sparseCsrTensor', 'sparse_csr', 'crowIndices', 'colIndices');

/**
 * A sparse matrix by columns, with `ccolIndices` and `rowIndices`: `torch.sparse_csc_tensor`.
 *
 * @example
 * import { sparseCscTensor } from 'aiforge';
 * sparseCscTensor([0, 1, 2], [1, 0], [3.5, 4], [2, 2]).toDense().tolist(); // [[0, 4], [3.5, 0]]
 */
export const sparseCscTensor = maker('sparseCscTensor', 'sparse_csc', 'ccolIndices', 'rowIndices');

/**
 * As `sparseCsrTensor`, of blocks: values [blocks, rows, columns]. `torch.sparse_bsr_tensor`.
 *
 * @example
 * import { ones, sparseBsrTensor } from 'aiforge';
 * sparseBsrTensor([0, 1], [1], ones([1, 2, 2]), [2, 4]).toDense().tolist(); // [[0, 0, 1, 1], [0, 0, 1, 1]]
 */
export const sparseBsrTensor = maker('sparseBsrTensor', 'sparse_bsr', 'crowIndices', 'colIndices');

/**
 * As `sparseCscTensor`, of blocks: `torch.sparse_bsc_tensor`.
 *
 * @example
 * import { ones, sparseBscTensor } from 'aiforge';
 * sparseBscTensor([0, 1], [0], ones([1, 2, 2]), [2, 2]).toDense().tolist(); // [[1, 1], [1, 1]]
 */
export const sparseBscTensor = maker('sparseBscTensor', 'sparse_bsc', 'ccolIndices', 'rowIndices');

const readCompressed = reader('sparseCompressedTensor', ['indices', 'plain', 'values', 'size', ...always, 'layout'], {
  indices: 'compressedIndices',
  plain: 'plainIndices',
});

/**
 * A sparse tensor of the layout in the options: `torch.sparse_compressed_tensor`.
 *
 * @example
 * import { sparseCompressedTensor } from 'aiforge';
 * sparseCompressedTensor([0, 1], [2], [5.5], [1, 3], { layout: 'sparse_csr' }).toDense().tolist(); // [[0, 0, 5.5]]
 */
export function sparseCompressedTensor(
  compressedIndices: Data,
  plainIndices: Data,
  values: Data,
  size: readonly number[] | null,
  options: SparseCompressedOptions,
): Tensor;
export function sparseCompressedTensor(
  compressedIndices: Data,
  plainIndices: Data,
  values: Data,
  options: SparseCompressedOptions,
): Tensor;
export function sparseCompressedTensor(...given: unknown[]): Tensor {
  const args = readCompressed(given);
  return ofLayout(args.layout, args);
}
