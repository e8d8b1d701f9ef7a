import { either, kind, listOf, orNull, size, whole } from '../kinds.js';
import { signature } from '../signature.js';
import { isScalar } from './calls/arguments.js';
import { dtypeKind, layoutKind, tensorKind } from './kinds.js';
import type { DType, Layout, Scalar } from './dtype.js';
import { aten } from './calls/aten.js';
import type { Tensor } from './tensor.js';
import { named } from './composites/named.js';

// torch.sparse: what LibTorch's operators for sparse tensors are called in Python.

const product = aten('_sparse_mm');
const reducedProduct = aten('_sparse_mm.reduce');

/** How `mm` brings the products of a row and a column together. */
export type SparseReduction = 'sum' | 'mean' | 'amax' | 'amin';

/**
 * A sparse matrix times a sparse or dense one: `torch.sparse.mm`.
 *
 * @example
 * import { eye, ones, sparse } from 'aiforge';
 * sparse.mm(eye(2).toSparse(), ones(2, 3)).shape; // [2, 3]
 */
export function mm(
  mat1: Tensor,
  mat2: Tensor,
  ...rest: [reduce?: SparseReduction | { reduce?: SparseReduction }]
): Tensor {
  const { reduce: how } = named<{ reduce: SparseReduction }>('sparse.mm', ['reduce'], rest);
  return how === undefined ? product(mat1, mat2) : reducedProduct(mat1, mat2, how);
}

export interface SparseAddmmOptions {
  /** Default: 1. */
  beta?: Scalar;
  /** Default: 1. */
  alpha?: Scalar;
}

const scalarKind = kind<Scalar>('a number', isScalar);
const addmmTakes = signature<SparseAddmmOptions>(
  { mat: tensorKind, mat1: tensorKind, mat2: tensorKind },
  { beta: scalarKind, alpha: scalarKind },
);

const addProduct = aten('_sparse_addmm');
const sampledProduct = aten('sparse_sampled_addmm');

/** `beta * mat + alpha * mat1 @ mat2` of a sparse `mat1`: `torch.sparse.addmm`. */
export function addmm(mat: Tensor, mat1: Tensor, mat2: Tensor, options: SparseAddmmOptions = {}): Tensor {
  addmmTakes.check('sparse.addmm', arguments);
  return addProduct(mat, mat1, mat2, { ...options });
}

/** `beta * input + alpha * mat1 @ mat2`, the product only where the sparse `input` has elements: `torch.sparse.sampled_addmm`. */
export function sampledAddmm(input: Tensor, mat1: Tensor, mat2: Tensor, options: SparseAddmmOptions = {}): Tensor {
  addmmTakes.check('sparse.sampledAddmm', arguments);
  return sampledProduct(input, mat1, mat2, { ...options });
}

export interface SparseSumOptions {
  /** Default: all dimensions. */
  dim?: number | readonly number[] | null;
  /** The dtype to compute in. Default: the input's. */
  dtype?: DType | null;
}

const sumTakes = signature<SparseSumOptions>(
  { input: tensorKind },
  { dim: orNull(either(whole, listOf(whole))), dtype: orNull(dtypeKind) },
);

const sums = {
  all: aten('_sparse_sum'),
  dim: aten('_sparse_sum.dim'),
  dtype: aten('_sparse_sum.dtype'),
  both: aten('_sparse_sum.dim_dtype'),
};

/** The sum of a sparse tensor, sparse itself where dimensions are left: `torch.sparse.sum`. */
export function sum(input: Tensor, options: SparseSumOptions = {}): Tensor {
  sumTakes.check('sparse.sum', arguments);
  const { dim = null, dtype = null } = options;
  const dims = typeof dim === 'number' ? [dim] : dim;
  if (dims === null) return dtype === null ? sums.all(input) : sums.dtype(input, { dtype });
  return dtype === null ? sums.dim(input, dims) : sums.both(input, dims, { dtype });
}

export interface SparseSoftmaxOptions {
  /** The dtype to compute in. Default: the input's. */
  dtype?: DType | null;
}

const softmaxTakes = signature<SparseSoftmaxOptions>({ input: tensorKind, dim: whole }, { dtype: orNull(dtypeKind) });

const softmaxInt = aten('_sparse_softmax.int');
const logSoftmaxInt = aten('_sparse_log_softmax.int');

/** The softmax along `dim` of the elements that a sparse tensor has: `torch.sparse.softmax`. */
export function softmax(input: Tensor, dim: number, options: SparseSoftmaxOptions = {}): Tensor {
  softmaxTakes.check('sparse.softmax', arguments);
  const { dtype = null } = options;
  return softmaxInt(input, dim, { dtype });
}

/** The logarithm of `softmax`: `torch.sparse.log_softmax`. */
export function logSoftmax(input: Tensor, dim: number, options: SparseSoftmaxOptions = {}): Tensor {
  softmaxTakes.check('sparse.logSoftmax', arguments);
  const { dtype = null } = options;
  return logSoftmaxInt(input, dim, { dtype });
}

const spdiagsTakes = signature<{ layout?: Layout | null }>(
  { diagonals: tensorKind, offsets: tensorKind, shape: listOf(size) },
  { layout: orNull(layoutKind) },
);

const diagonalsOf = aten('_spdiags');

/** A sparse matrix with the rows of `diagonals` on the diagonals `offsets`: `torch.sparse.spdiags`. */
export function spdiags(
  diagonals: Tensor,
  offsets: Tensor,
  shape: readonly [number, number],
  options: { layout?: Layout | null } = {},
): Tensor {
  spdiagsTakes.check('sparse.spdiags', arguments);
  const { layout = null } = options;
  return diagonalsOf(diagonals, offsets, shape, layout);
}
