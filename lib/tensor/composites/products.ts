import { show } from '../../show.js';
import { tensor } from '../creation.js';
import * as f from '../generated/functions.js';
import { aten } from '../calls/aten.js';
import { Tensor } from '../tensor.js';
import { invalid, named } from './named.js';
import { signature } from '../../signature.js';
import { tensorKind } from '../kinds.js';
import { anything, boolean } from '../../kinds.js';

export interface TensordotOptions {
  /** How many of the last dimensions of `a` meet the first ones of `b`, or the dimensions of each. Default: 2. */
  dims?: number | readonly [readonly number[], readonly number[]] | Tensor;
  /** Where the result is written. */
  out?: Tensor;
}

function contracted(a: Tensor, b: Tensor, dims: unknown): [number[], number[]] {
  if (Tensor.isTensor(dims)) return contracted(a, b, dims.tolist());
  if (Array.isArray(dims) && dims.length === 2 && dims.every(Array.isArray)) return dims as [number[], number[]];
  const count = Array.isArray(dims) && dims.length === 1 ? (dims as unknown[])[0] : dims;
  const most = Math.min(a.ndim, b.ndim);
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 0 || count > most) {
    throw invalid('tensordot', `dims is a whole number in 0 … ${most} or two lists of dimensions, got ${show(dims)}`);
  }
  return [Array.from({ length: count }, (_, i) => i - count), Array.from({ length: count }, (_, i) => i)];
}

const tensordotTakes = signature({ a: tensorKind, b: tensorKind });

/**
 * Sums products over dimensions of two tensors: `torch.tensordot`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for other `dims`; OPERATOR_FAILED when the sizes differ.
 * @example
 * import { ones, tensordot } from 'aiforge';
 * tensordot(ones(2, 3, 4), ones(3, 4, 5)).shape; // [2, 5]
 * tensordot(ones(2, 3), ones(2, 4), { dims: [[0], [0]] }).shape; // [3, 4]
 */
export function tensordot(
  a: Tensor,
  b: Tensor,
  ...rest: [options?: TensordotOptions | TensordotOptions['dims']]
): Tensor {
  tensordotTakes.check('tensordot', [a, b]);
  const { dims = 2, out } = named<TensordotOptions>('tensordot', ['dims', 'out'], rest);
  const [left, right] = contracted(a, b, dims);
  return out === undefined ? f.tensordot(a, b, left, right) : f.tensordot(a, b, left, right, { out });
}

const computeModes = ['use_mm_for_euclid_dist_if_necessary', 'use_mm_for_euclid_dist', 'donot_use_mm_for_euclid_dist'] as const; // prettier-ignore

export interface CdistOptions {
  /** The power of the distance; 2 is Euclid's. Default: 2. */
  p?: number;
  /** Whether distances are computed by a matrix product. Default: for more than 25 vectors. */
  computeMode?: (typeof computeModes)[number];
}

/**
 * The distances between all pairs of vectors: [b, n, m] and [b, k, m] give [b, n, k]; `torch.cdist`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for another `computeMode`.
 * @example
 * import { cdist, tensor } from 'aiforge';
 * cdist(tensor([[0.5, 0]]), tensor([[0.5, 2]])).item(); // 2
 */
export function cdist(x1: Tensor, x2: Tensor, options?: CdistOptions): Tensor;
export function cdist(
  x1: Tensor,
  x2: Tensor,
  p?: number,
  computeMode?: CdistOptions['computeMode'] | Omit<CdistOptions, 'p'>,
): Tensor;
export function cdist(x1: Tensor, x2: Tensor, ...args: unknown[]): Tensor {
  const { p = 2, computeMode = computeModes[0] } = named<CdistOptions>('cdist', ['p', 'computeMode'], args);
  const mode = computeModes.indexOf(computeMode);
  if (mode < 0) throw invalid('cdist', `computeMode is one of ${computeModes.join(', ')}, got ${show(computeMode)}`);
  return f.cdist(x1, x2, p, mode === 0 ? null : mode);
}

type FactorsWithInfo = [LU: Tensor, pivots: Tensor, info: Tensor] & { LU: Tensor; pivots: Tensor; info: Tensor };

type Size = number | bigint;

export interface LuOptions {
  /** Default: true. */
  pivot?: boolean;
  /** Gives what LAPACK says of each matrix instead of failing. Default: false. */
  getInfos?: boolean;
}

const factorize = aten<Tensor[]>('_lu_with_info');
const luTakes = signature<LuOptions>({ input: tensorKind }, { pivot: boolean, getInfos: boolean });

/**
 * The LU factorisation in one tensor, and the pivots; `torch.lu`. With `getInfos` a third tensor, and no error for a
 * singular matrix. `luUnpack` makes matrices of it.
 *
 * @example
 * import { lu, tensor } from 'aiforge';
 * const [factors, pivots] = lu(tensor([[4, 3.5], [6, 3]]));
 * pivots.tolist(); // [2, 2]
 */
export function lu(input: Tensor, options: LuOptions & { getInfos: true }): FactorsWithInfo;
export function lu(input: Tensor, options?: LuOptions): Tensor[];
export function lu(input: Tensor, pivot?: boolean, getInfos?: boolean | Omit<LuOptions, 'pivot'>): Tensor[];
export function lu(input: Tensor, ...args: unknown[]): Tensor[] {
  const { pivot = true, getInfos = false } = named<LuOptions>('lu', ['pivot', 'getInfos'], args);
  luTakes.check('lu', [input, { pivot, getInfos }]);
  const found = factorize(input, { pivot, checkErrors: !getInfos });
  if (getInfos) return found;
  const [factors, pivots, infos] = found as [Tensor, Tensor, Tensor];
  infos.dispose();
  return [factors, pivots];
}

const unravelTakes = signature({ indices: tensorKind, shape: anything });

/**
 * Flat indices as one tensor of coordinates a dimension: `torch.unravel_index`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for indices that are no integers and for negative sizes.
 * @example
 * import { tensor, unravelIndex } from 'aiforge';
 * const [row, column] = unravelIndex(tensor([5]), [2, 3]);
 * column.tolist(); // [2]
 */
export function unravelIndex(indices: Tensor, shape: Size | readonly Size[]): Tensor[] {
  unravelTakes.check('unravelIndex', arguments);
  if (!/^u?int/.test(indices.dtype)) throw invalid('unravelIndex', `indices are integers, got ${indices.dtype}`);
  const sizes = Array.isArray(shape) ? (shape as Size[]) : [shape as Size];
  if (!sizes.every((size) => (typeof size === 'bigint' || Number.isInteger(size)) && size >= 0)) {
    throw invalid('unravelIndex', `the sizes are whole numbers and not negative, got ${show(shape)}`);
  }
  const strides = sizes.map((_, i) => sizes.slice(i + 1).reduce((product: bigint, size) => product * BigInt(size), 1n));
  const options = { dtype: 'int64', device: indices.device } as const;
  return indices.unsqueeze(-1).floorDivide(tensor(strides, options)).remainder(tensor(sizes, options)).unbind(-1);
}
