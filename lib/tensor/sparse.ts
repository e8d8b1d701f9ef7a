import type { DType, Layout } from './dtype.js';
import { ops } from './operators.js';
import type { Tensor } from './tensor.js';
import type { Scalar } from './dtype.js';

// torch.sparse: what LibTorch's operators for sparse tensors are called in Python.

const aten =
  (name: string) =>
  (...args: unknown[]): Tensor =>
    ops.aten(name)(...args) as Tensor;

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
export function mm(mat1: Tensor, mat2: Tensor, reduce?: SparseReduction | { reduce?: SparseReduction }): Tensor {
  const how = typeof reduce === 'object' ? reduce.reduce : reduce;
  return how === undefined ? product(mat1, mat2) : reducedProduct(mat1, mat2, how);
}

export interface SparseAddmmOptions {
  /** Default: 1. */
  beta?: Scalar;
  /** Default: 1. */
  alpha?: Scalar;
}

const addProduct = aten('_sparse_addmm');
const sampledProduct = aten('sparse_sampled_addmm');

/** `beta * mat + alpha * mat1 @ mat2` of a sparse `mat1`: `torch.sparse.addmm`. */
export function addmm(mat: Tensor, mat1: Tensor, mat2: Tensor, options: SparseAddmmOptions = {}): Tensor {
  return addProduct(mat, mat1, mat2, { ...options });
}

/** `beta * input + alpha * mat1 @ mat2`, the product only where the sparse `input` has elements: `torch.sparse.sampled_addmm`. */
export function sampledAddmm(input: Tensor, mat1: Tensor, mat2: Tensor, options: SparseAddmmOptions = {}): Tensor {
  return sampledProduct(input, mat1, mat2, { ...options });
}

export interface SparseSumOptions {
  /** Default: all dimensions. */
  dim?: number | readonly number[] | null;
  /** The dtype to compute in. Default: the input's. */
  dtype?: DType | null;
}

const sums = {
  all: aten('_sparse_sum'),
  dim: aten('_sparse_sum.dim'),
  dtype: aten('_sparse_sum.dtype'),
  both: aten('_sparse_sum.dim_dtype'),
};

/** The sum of a sparse tensor, sparse itself where dimensions are left: `torch.sparse.sum`. */
export function sum(input: Tensor, { dim = null, dtype = null }: SparseSumOptions = {}): Tensor {
  const dims = typeof dim === 'number' ? [dim] : dim;
  if (dims === null) return dtype === null ? sums.all(input) : sums.dtype(input, { dtype });
  return dtype === null ? sums.dim(input, dims) : sums.both(input, dims, { dtype });
}

export interface SparseSoftmaxOptions {
  /** The dtype to compute in. Default: the input's. */
  dtype?: DType | null;
}

const softmaxInt = aten('_sparse_softmax.int');
const logSoftmaxInt = aten('_sparse_log_softmax.int');

/** The softmax along `dim` of the elements that a sparse tensor has: `torch.sparse.softmax`. */
export function softmax(input: Tensor, dim: number, { dtype = null }: SparseSoftmaxOptions = {}): Tensor {
  return softmaxInt(input, dim, { dtype });
}

/** The logarithm of `softmax`: `torch.sparse.log_softmax`. */
export function logSoftmax(input: Tensor, dim: number, { dtype = null }: SparseSoftmaxOptions = {}): Tensor {
  return logSoftmaxInt(input, dim, { dtype });
}

const diagonalsOf = aten('_spdiags');

/** A sparse matrix with the rows of `diagonals` on the diagonals `offsets`: `torch.sparse.spdiags`. */
export function spdiags(
  diagonals: Tensor,
  offsets: Tensor,
  shape: readonly [number, number],
  { layout = null }: { layout?: Layout | null } = {},
): Tensor {
  return diagonalsOf(diagonals, offsets, shape, layout);
}
