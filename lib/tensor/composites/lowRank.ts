import { show } from '../../show.js';
import * as f from '../generated/functions.js';
import * as linalg from '../generated/linalg.js';
import type { Tensor } from '../tensor.js';
import * as sparse from '../sparse.js';
import { invalid, named } from './named.js';
import { signature } from '../../signature.js';
import { tensorKind } from '../kinds.js';
import { orNull, size } from '../../kinds.js';

const product = (a: Tensor, b: Tensor): Tensor => (a.isSparse ? sparse.mm(a, b) : a.matmul(b));

const orthonormal = (input: Tensor): Tensor => linalg.qr(input)[0];

/** An orthonormal basis of about what `input - mean` makes of vectors, drawn with `q` random ones. */
function approximateBasis(input: Tensor, q: number, niter: number, mean: Tensor | null): Tensor {
  const dtype = /^(float|bfloat|complex)/.test(input.dtype) ? input.dtype : 'float32';
  const apply = (matrix: Tensor, other: Tensor | null, vectors: Tensor): Tensor => {
    const made = product(matrix, vectors);
    return other === null ? made : made.sub(product(other, vectors));
  };
  const drawn = f.randn([input.size(-1), q], { dtype, device: input.device });
  let basis = orthonormal(apply(input, mean, drawn));
  for (let i = 0; i < niter; ++i) {
    basis = orthonormal(apply(input.mH, mean?.mH ?? null, basis));
    basis = orthonormal(apply(input, mean, basis));
  }
  return basis;
}

const inputTakes = signature({ input: tensorKind });

export interface SvdLowrankOptions {
  /** A little more than the rank. Default: 6. */
  q?: number | null;
  /** How often the random basis is improved. Default: 2. */
  niter?: number | null;
  /** Subtracted from the input: its mean, in the input's shape or one that broadcasts to it. */
  M?: Tensor | null;
}

type Factors = [U: Tensor, S: Tensor, V: Tensor];

function decompose(input: Tensor, q: number, niter: number, mean: Tensor | null): Factors {
  const [rows, columns] = input.shape.slice(-2) as [number, number];
  const isWide = rows < columns;
  const matrix = isWide ? input.mH : input;
  const centre = mean?.broadcastTo(input.shape) ?? null;
  const other = isWide ? (centre?.mH ?? null) : centre;
  const basis = approximateBasis(matrix, q, niter, other);
  const small = product(basis.mH, matrix);
  const reduced = other === null ? small : small.sub(product(basis.mH, other));
  const [left, S, rightH] = linalg.svd(reduced, { fullMatrices: false });
  const [U, V] = [basis.matmul(left), rightH.mH];
  return isWide ? [V, S, U] : [U, S, V];
}

const svdTakes = signature<SvdLowrankOptions>({}, { q: orNull(size), niter: orNull(size), M: orNull(tensorKind) });

/**
 * A singular value decomposition of low rank, by a random basis that is the one of PyTorch for the same seed;
 * `torch.svd_lowrank`.
 *
 * @example
 * import { ones, svdLowrank } from 'aiforge';
 * const [U, S, V] = svdLowrank(ones(4, 3), 2);
 * U.matmul(S.diag()).matmul(V.mT).shape; // [4, 3]
 */
export function svdLowrank(input: Tensor, options?: SvdLowrankOptions): Factors;
export function svdLowrank(
  input: Tensor,
  q?: SvdLowrankOptions['q'],
  niter?: SvdLowrankOptions['niter'] | SvdLowrankOptions,
  M?: SvdLowrankOptions['M'] | SvdLowrankOptions,
): Factors;
export function svdLowrank(input: Tensor, ...args: unknown[]): Factors {
  inputTakes.check('svdLowrank', [input]);
  const { q, niter, M } = named<SvdLowrankOptions>('svdLowrank', ['q', 'niter', 'M'], args);
  svdTakes.checkOptions('svdLowrank', { q, niter, M });
  return decompose(input, q ?? 6, niter ?? 2, M ?? null);
}

export interface PcaLowrankOptions {
  /** A little more than the rank. Default: 6, at most the smaller side. */
  q?: number | null;
  /** Whether the columns' means are subtracted. Default: true. */
  center?: boolean;
  /** Default: 2. */
  niter?: number;
}

/**
 * A principal component analysis of low rank; `torch.pca_lowrank`. Sparse matrices are taken with `center: false` only.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a `q` that does not fit.
 * @example
 * import { eye, pcaLowrank } from 'aiforge';
 * pcaLowrank(eye(4), { q: 2 })[1].shape; // [2]
 */
export function pcaLowrank(input: Tensor, options?: PcaLowrankOptions): Factors;
export function pcaLowrank(
  input: Tensor,
  q?: PcaLowrankOptions['q'],
  center?: boolean | PcaLowrankOptions,
  niter?: number | PcaLowrankOptions,
): Factors;
export function pcaLowrank(input: Tensor, ...args: unknown[]): Factors {
  inputTakes.check('pcaLowrank', [input]);
  const { q, center = true, niter = 2 } = named<PcaLowrankOptions>('pcaLowrank', ['q', 'center', 'niter'], args);
  if (typeof center !== 'boolean') throw invalid('pcaLowrank', `center is true or false, got ${show(center)}`);
  const most = Math.min(...input.shape.slice(-2));
  const rank = q ?? Math.min(6, most);
  if (!(Number.isInteger(rank) && rank >= 0 && rank <= most))
    throw invalid('pcaLowrank', `q is a whole number in 0 … ${most}, got ${show(rank)}`);
  if (!(Number.isInteger(niter) && niter >= 0))
    throw invalid('pcaLowrank', `niter is a whole number and not negative, got ${show(niter)}`);
  if (!center) return decompose(input, rank, niter, null);
  if (input.isSparse) throw invalid('pcaLowrank', 'a sparse matrix is taken with center: false only');
  return decompose(input.sub(input.mean(-2, true)), rank, niter, null);
}
