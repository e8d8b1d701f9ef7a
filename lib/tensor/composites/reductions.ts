import { boolean, orNull, whole, type Kinds } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import type { DType } from '../dtype.js';
import * as f from '../generated/functions.js';
import * as linalg from '../generated/linalg.js';
import { tensorKind } from '../kinds.js';
import { aten } from '../calls/aten.js';
import { handleOf, type Tensor } from '../tensor.js';
import { invalid, named } from './named.js';

export interface NormOptions {
  /** `'fro'`, `'nuc'` or the power. Default: `'fro'`, which for vectors is 2. */
  p?: number | 'fro' | 'nuc';
  /** Default: all dimensions. */
  dim?: number | readonly number[] | null;
  /** Default: false. */
  keepdim?: boolean;
  /** The dtype to compute in. Default: the input's. */
  dtype?: DType | null;
  /** Where the result is written. */
  out?: Tensor;
}

const isFrobenius = (p: unknown, dim: NormOptions['dim']): boolean =>
  p === 'fro' && (typeof dim === 'number' || dim == null || dim.length <= 2);

/** Sparse tensors know only the plain forms. */
function sparseNorm(input: Tensor, p: number | 'fro' | 'nuc', dim: readonly number[] | null, keepdim: boolean): Tensor {
  const dims = dim ?? input.shape.map((_, i) => i);
  if (p === 'fro') return f.frobeniusNorm(input, dim ?? [], keepdim);
  return p === 'nuc' ? f.nuclearNorm(input, dims, keepdim) : f.norm(input, p, dims, keepdim);
}

/**
 * A norm over all dimensions or over `dim`: `torch.norm`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for another `p` than a number, `'fro'` or `'nuc'`.
 * @example
 * import { norm, tensor } from 'aiforge';
 * norm(tensor([3.0, 4.5])).item(); // 5.408…
 * norm(tensor([[3.5, 4], [6, 8]]), 1, 0).tolist(); // [9.5, 12]
 */
export function norm(input: Tensor, options?: NormOptions): Tensor;
export function norm(
  input: Tensor,
  p?: NormOptions['p'] | NormOptions,
  dim?: NormOptions['dim'] | NormOptions,
  keepdim?: boolean | NormOptions,
  options?: NormOptions,
): Tensor;
export function norm(input: Tensor, ...args: unknown[]): Tensor {
  handleOf(input); // refuses what is no Tensor
  const {
    p = 'fro',
    dim = null,
    keepdim = false,
    dtype = null,
    out,
  } = named<NormOptions>('norm', ['p', 'dim', 'keepdim', 'out', 'dtype'], args);
  if (typeof p !== 'number' && p !== 'fro' && p !== 'nuc') {
    throw invalid('norm', `p is a number, 'fro' or 'nuc', got ${show(p)}`);
  }
  const dims = typeof dim === 'number' ? [dim] : dim;
  if (input.layout !== 'strided') return sparseNorm(input, p, dims, keepdim);
  const options = { dtype, out };
  if (typeof p === 'number' || isFrobenius(p, dim)) {
    return linalg.vectorNorm(input, p === 'fro' ? 2 : (p as number), dims, keepdim, options);
  }
  return linalg.matrixNorm(input, p, dims ?? input.shape.map((_, i) => i), keepdim, options);
}

export interface UniqueOptions {
  /** Slices along this dimension are compared. Default: single elements. */
  dim?: number | null;
  /** Gives for each element of the input its place in the result. Default: false. */
  returnInverse?: boolean;
  /** Gives how often each element of the result occurs. Default: false. */
  returnCounts?: boolean;
}

type SortedUniqueOptions = UniqueOptions & { sorted?: boolean };

const uniqueOptions: Kinds<UniqueOptions> = { returnInverse: boolean, returnCounts: boolean, dim: orNull(whole) };
const unique2 = aten<Tensor[]>('_unique2');
const uniqueDim = aten<Tensor[]>('unique_dim');
const uniqueTakes = signature<SortedUniqueOptions>({ input: tensorKind }, { sorted: boolean, ...uniqueOptions });
const uniqueConsecutiveTakes = signature<UniqueOptions>({ input: tensorKind }, uniqueOptions);

type Inverse = [Tensor, Tensor] & { output: Tensor; inverseIndices: Tensor };
type Counted = [Tensor, Tensor] & { output: Tensor; counts: Tensor };
type Both = [Tensor, Tensor, Tensor] & { output: Tensor; inverseIndices: Tensor; counts: Tensor };

/** What `unique` gives for its options. */
export type UniqueResult<Options extends UniqueOptions> = Options extends { returnInverse: true; returnCounts: true }
  ? Both
  : Options extends { returnInverse: true }
    ? Inverse
    : Options extends { returnCounts: true }
      ? Counted
      : Tensor;

/** The parts that were asked for, as a tuple with names; the values alone when none was. */
function parts([output, inverseIndices, counts]: Tensor[], options: UniqueOptions): unknown {
  const all: Record<string, Tensor> = { output: output! };
  if (options.returnInverse) all.inverseIndices = inverseIndices!;
  else inverseIndices!.dispose();
  if (options.returnCounts) all.counts = counts!;
  else counts!.dispose();
  const tuple = Object.values(all);
  if (tuple.length === 1) return output;
  for (const [name, value] of Object.entries(all)) Object.defineProperty(tuple, name, { value });
  return tuple;
}

/**
 * The different elements of a tensor, sorted, or its different slices along `dim`; `torch.unique`. With `returnInverse`
 * and `returnCounts` a tuple, as in Python.
 *
 * @example
 * import { tensor, unique } from 'aiforge';
 * unique(tensor([3, 1, 3])).tolist(); // [1, 3]
 * const { counts } = unique(tensor([3, 1, 3]), { returnCounts: true });
 * counts.tolist(); // [1, 2]
 */
export function unique<const Options extends SortedUniqueOptions = object>(
  input: Tensor,
  options?: Options,
): UniqueResult<Options> {
  uniqueTakes.check('unique', arguments);
  const given: SortedUniqueOptions = options ?? {};
  const { sorted = true, dim = null, returnInverse = false, returnCounts = false } = given;
  const flags = { sorted, returnInverse, returnCounts };
  const found = dim === null ? unique2(input, flags) : uniqueDim(input, dim, flags);
  return parts(found, flags) as UniqueResult<Options>;
}

/**
 * A tensor without the elements (or slices along `dim`) that equal the one before: `torch.unique_consecutive`.
 *
 * @example
 * import { tensor, uniqueConsecutive } from 'aiforge';
 * uniqueConsecutive(tensor([1, 1, 2, 1])).tolist(); // [1, 2, 1]
 */
export function uniqueConsecutive<const Options extends UniqueOptions = object>(
  input: Tensor,
  options?: Options,
): UniqueResult<Options> {
  uniqueConsecutiveTakes.check('uniqueConsecutive', arguments);
  const given: UniqueOptions = options ?? {};
  const { dim = null, returnInverse = false, returnCounts = false } = given;
  const flags = { returnInverse, returnCounts };
  return parts(f.uniqueConsecutive(input, { ...flags, dim }), flags) as UniqueResult<Options>;
}
