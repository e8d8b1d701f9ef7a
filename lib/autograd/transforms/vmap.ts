import { AiforgeError } from '../../errors.js';
import { anything, count, func, oneOf, orNull, type Kind } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { native } from '../../native.js';
import { enterContext } from '../../tensor/context/context.js';
import { getRngState, setRngState } from '../../tensor/generator.js';
import { cat } from '../../tensor/generated/functions.js';
import { handleOf, Tensor, wrapHandle } from '../../tensor/tensor.js';
import { broadcastTree, describeTree, flattenTree, unflattenTree, type TreeSpec } from '../pytree.js';
import { callNow, inTransform } from './transform.js';

/** A dimension, null for none, or these in the structure of the arguments or results. */
export type MappedDims = number | null | readonly MappedDims[] | { readonly [key: string]: MappedDims };

export interface VmapOptions {
  /** The dimension of each argument that is mapped over; null leaves an argument whole. Default: 0 for all. */
  inDims?: MappedDims;
  /** Where the mapped dimension appears in each result; null for a result that is no tensor. Default: 0. */
  outDims?: MappedDims;
  /** Whether random operators give each slice its own draw or all the same one. Default: `'error'`, they are refused. */
  randomness?: 'error' | 'different' | 'same';
  /** How many slices are computed at once. Default: all. */
  chunkSize?: number | null;
}

const vmapTakes = signature<VmapOptions>(
  { fn: func() },
  {
    inDims: anything as Kind<MappedDims>,
    outDims: anything as Kind<MappedDims>,
    randomness: oneOf('error', 'different', 'same'),
    chunkSize: orNull(count),
  },
);

/** What one call of a mapped function works on. */
interface Mapped {
  readonly name: string;
  readonly fn: (...args: never[]) => unknown;
  readonly spec: TreeSpec;
  readonly dims: readonly (number | null)[];
  readonly outDims: MappedDims;
  readonly randomness: string;
}

function invalid(message: string): AiforgeError {
  return new AiforgeError('INVALID_ARGUMENT', message);
}

function checkedDim(name: string, dim: unknown, value: unknown): number | null {
  if (dim === null) return null;
  if (!Number.isInteger(dim)) {
    throw invalid(`vmap(${name}): an item of inDims must be a whole number or null, got ${show(dim)}.`);
  }
  if (!Tensor.isTensor(value)) {
    throw invalid(
      `vmap(${name}): got the inDim ${dim as number} for an argument that is no Tensor but ${show(value)}. ` +
        'Only tensors can be mapped over: give null as its inDim.',
    );
  }
  const { ndim } = value;
  const given = dim as number;
  if (given < -ndim || given >= ndim) {
    throw invalid(
      `vmap(${name}): got the inDim ${given} for a tensor of ${ndim} dimensions; expected -${ndim} <= inDim < ${ndim}.`,
    );
  }
  return given < 0 ? given + ndim : given;
}

function mappedDims(name: string, inDims: MappedDims, leaves: unknown[], spec: TreeSpec): (number | null)[] {
  const dims = broadcastTree(inDims, spec);
  if (dims === undefined) {
    throw invalid(
      `vmap(${name}): inDims has the structure ${describeTree(flattenTree(inDims).spec)}, ` +
        `which does not fit that of the arguments, ${describeTree(spec)}.`,
    );
  }
  return leaves.map((value, i) => checkedDim(name, dims[i], value));
}

function batchSizeOf(name: string, leaves: readonly unknown[], dims: readonly (number | null)[]): number {
  const sizes = dims.flatMap((dim, i) => (dim === null ? [] : [(leaves[i] as Tensor).size(dim)]));
  const [first] = sizes;
  if (first === undefined) throw invalid(`vmap(${name}): expected at least one Tensor to map over.`);
  if (sizes.some((size) => size !== first)) {
    throw invalid(
      `vmap(${name}): expected all tensors to have the same size in the mapped dimension, got sizes [${sizes.join(', ')}].`,
    );
  }
  return first;
}

function withoutBatchDim(mapped: Mapped, value: unknown, dim: unknown, level: number, batchSize: number): unknown {
  const { name } = mapped;
  if (dim === null) {
    if (Tensor.isTensor(value) && (native.wrapperOf(handleOf(value))?.batchDim ?? -1) >= 0) {
      throw invalid(`vmap(${name}): the function returned a mapped tensor where outDims is null.`);
    }
    return value;
  }
  if (!Number.isInteger(dim)) {
    throw invalid(`vmap(${name}): an item of outDims must be a whole number or null, got ${show(dim)}.`);
  }
  if (!Tensor.isTensor(value)) {
    throw invalid(
      `vmap(${name}): the function must return tensors only, got ${show(value)}. Give null as its outDim to keep it.`,
    );
  }
  enterContext();
  return wrapHandle(native.removeBatchDim(handleOf(value), level, batchSize, dim as number));
}

function resultOf(mapped: Mapped, result: unknown, level: number, batchSize: number): unknown {
  const { leaves, spec } = flattenTree(result);
  // Python takes (0,) for a single result too.
  const { outDims } = mapped;
  const given: MappedDims =
    spec.kind === 'leaf' && Array.isArray(outDims) && outDims.length === 1 ? (outDims[0] as MappedDims) : outDims;
  const dims = broadcastTree(given, spec);
  if (dims === undefined) {
    throw invalid(
      `vmap(${mapped.name}): outDims has the structure ${describeTree(flattenTree(outDims).spec)}, ` +
        `which does not fit that of the results, ${describeTree(spec)}.`,
    );
  }
  return unflattenTree(
    leaves.map((value, i) => withoutBatchDim(mapped, value, dims[i], level, batchSize)),
    spec,
  );
}

function mapAtOnce(mapped: Mapped, leaves: readonly unknown[], batchSize: number): unknown {
  return inTransform(
    () => native.enterVmap(batchSize, mapped.randomness),
    (level) => {
      const batched = leaves.map((value, i) => {
        const dim = mapped.dims[i]!;
        return dim === null ? value : wrapHandle(native.addBatchDim(handleOf(value as Tensor), dim, level));
      });
      const args = unflattenTree(batched, mapped.spec) as unknown[];
      return resultOf(mapped, callNow(`vmap(${mapped.name})`, mapped.fn, args), level, batchSize);
    },
  );
}

/** The arguments of each chunk of the batch. */
function chunksOf(mapped: Mapped, leaves: readonly unknown[], chunkSize: number): unknown[][] {
  const split = leaves.map((value, i) => {
    const dim = mapped.dims[i]!;
    return dim === null ? null : (value as Tensor).split(chunkSize, dim);
  });
  const count = split.find((parts) => parts !== null)!.length;
  return Array.from({ length: count }, (_, chunk) =>
    leaves.map((value, i) => (split[i] === null ? value : split[i]![chunk])),
  );
}

function mapInChunks(mapped: Mapped, leaves: readonly unknown[], chunkSize: number): unknown {
  const state = mapped.randomness === 'same' ? getRngState() : null;
  const results = chunksOf(mapped, leaves, chunkSize).map((chunk) => {
    if (state !== null) setRngState(state);
    return flattenTree(mapAtOnce(mapped, chunk, batchSizeOf(mapped.name, chunk, mapped.dims)));
  });
  state?.dispose();
  const { spec } = results[0]!;
  const dims = broadcastTree(mapped.outDims, spec)!;
  const joined = dims.map((dim, i) => {
    const parts = results.map(({ leaves: chunk }) => chunk[i]);
    return dim === null ? parts[0] : cat(parts as Tensor[], dim as number);
  });
  return unflattenTree(joined, spec);
}

/**
 * `fn` for a whole batch at once: inside it, each tensor seems to lack the mapped dimension, and operators work on all
 * slices together. Arguments and results may be nested arrays, objects and maps of tensors. Composes with itself and
 * with the gradients of `func`. As `torch.vmap`.
 *
 * @throws AiforgeError INVALID_ARGUMENT when dimensions do not fit, or when `fn` returns a promise.
 * @example
 * import { tensor, vmap } from 'aiforge';
 * const dot = vmap((x, y) => x.dot(y));
 * dot(tensor([[1, 2], [3, 4]]), tensor([[1, 1], [2, 2]])).tolist(); // [3, 14]
 */
export function vmap<Result, Args extends unknown[] = Tensor[]>(
  fn: (...args: Args) => Result,
  options: VmapOptions = {},
): (...args: Args) => Result {
  vmapTakes.check('vmap', arguments);
  const { inDims = 0, outDims = 0, randomness = 'error', chunkSize = null } = options;
  if (typeof fn !== 'function') throw invalid(`vmap: expected a function, got ${show(fn)}.`);
  const name = fn.name === '' ? 'fn' : fn.name;
  if (!['error', 'different', 'same'].includes(randomness)) {
    throw invalid(`vmap(${name}): randomness must be 'error', 'different' or 'same', got ${show(randomness)}.`);
  }
  if (chunkSize !== null && !(Number.isSafeInteger(chunkSize) && chunkSize > 0)) {
    throw invalid(`vmap(${name}): chunkSize must be a positive whole number or null, got ${show(chunkSize)}.`);
  }
  return (...args) => {
    const { leaves, spec } = flattenTree(args);
    const dims = mappedDims(name, inDims, leaves, spec);
    const batchSize = batchSizeOf(name, leaves, dims);
    const mapped: Mapped = { name, fn: fn, spec, dims, outDims, randomness };
    const isWhole = chunkSize === null || chunkSize >= batchSize;
    return (isWhole ? mapAtOnce(mapped, leaves, batchSize) : mapInChunks(mapped, leaves, chunkSize)) as Result;
  };
}
