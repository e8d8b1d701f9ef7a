import { anything, boolean, count, func, oneOf, orNull, type Kind } from '../kinds.js';
import { show } from '../show.js';
import { signature } from '../signature.js';
import { standardBasis } from '../autograd/gradients.js';
import { vjpOf, type VjpFunction } from '../autograd/transforms/gradTransform.js';
import { jvpOf } from '../autograd/transforms/jvpTransform.js';
import { flattenTree, mapTree, unflattenTree, type TreeSpec } from '../autograd/pytree.js';
import {
  invalid,
  onlyTensors,
  positionsOf,
  refuseComplex,
  type Argnums,
} from '../autograd/transforms/transformArguments.js';
import { vmap, type VmapOptions } from '../autograd/transforms/vmap.js';
import { cat } from '../tensor/generated/functions.js';
import type { Tensor } from '../tensor/tensor.js';

export interface JacobianOptions {
  /** The arguments to differentiate by. Default: 0, the first. */
  argnums?: Argnums;
  /** Whether the function returns `[output, aux]`, of which only the output is differentiated. Default: false. */
  hasAux?: boolean;
}

export interface JacrevOptions extends JacobianOptions {
  /** How many rows are computed at once. Default: all. */
  chunkSize?: number | null;
}

const jacrevTakes = signature<JacrevOptions>(
  { fn: func() },
  { argnums: anything as Kind<Argnums>, hasAux: boolean, chunkSize: orNull(count) },
);

export interface JacfwdOptions extends JacobianOptions {
  /** As of `vmap`. Default: `'error'`. */
  randomness?: VmapOptions['randomness'];
}

const jacfwdTakes = signature<JacfwdOptions>(
  { fn: func() },
  { argnums: anything as Kind<Argnums>, hasAux: boolean, randomness: oneOf('error', 'different', 'same') },
);

/** Jacobians are trees of the output's structure; each leaf is a tree of the input's. */
function arrange(blocks: Tensor[][], outputs: TreeSpec, inputs: TreeSpec, argnums: Argnums): unknown {
  const leaves = blocks.map((row) => {
    const byArgument = unflattenTree(row, inputs) as unknown[];
    return Array.isArray(argnums) ? byArgument : byArgument[0];
  });
  return unflattenTree(leaves, outputs);
}

/** For each input, its gradients for the unit vectors of the outputs. */
function rowsOf(vjpFn: VjpFunction, outputs: readonly Tensor[], spec: TreeSpec, chunkSize: number | null): Tensor[] {
  const basis = standardBasis(outputs);
  const total = basis[0]!.size(0);
  const size = chunkSize === null ? total : Math.min(chunkSize, total);
  const chunks: Tensor[][] = [];
  for (let start = 0; start === 0 || start < total; start += size) {
    const part = basis.map((vectors) => vectors.narrow(0, start, Math.min(size, total - start)));
    if (size === 1) {
      // One at a time needs no vmap, and so works where an operator has no rule for it.
      const single = vjpFn(
        unflattenTree(
          part.map((vector) => vector.squeeze(0)),
          spec,
        ),
      );
      chunks.push((flattenTree(single).leaves as Tensor[]).map((row) => row.unsqueeze(0)));
    } else {
      chunks.push(
        flattenTree(vmap((cotangents) => vjpFn(cotangents), {})(unflattenTree(part, spec) as Tensor))
          .leaves as Tensor[],
      );
    }
    if (size === 0) break;
  }
  return chunks[0]!.map((first, i) => (chunks.length === 1 ? first : cat(chunks.map((chunk) => chunk[i]!))));
}

/**
 * A function that gives the Jacobian of `fn`, by reverse-mode differentiation: a row for each element of the output. For
 * the output's shape `[...out]` and the argument's `[...in]` it has the shape `[...out, ...in]`. As `torch.func.jacrev`.
 *
 * @example
 * import { func, tensor } from 'aiforge';
 * func.jacrev((x) => x.mul(x))(tensor([1.5, 2])).tolist(); // [[3, 0], [0, 4]]
 */
export function jacrev<Result = Tensor, Args extends unknown[] = Tensor[]>(
  fn: (...args: Args) => unknown,
  options: JacrevOptions = {},
): (...args: Args) => Result {
  jacrevTakes.check('jacrev', arguments);
  const { argnums = 0, hasAux = false, chunkSize = null } = options;
  if (chunkSize !== null && !(Number.isSafeInteger(chunkSize) && chunkSize > 0)) {
    throw invalid(`func.jacrev: chunkSize must be a positive whole number or null, got ${show(chunkSize)}.`);
  }
  return (...args) => {
    refuseComplex('func.jacrev', 'inputs', args);
    const positions = positionsOf('func.jacrev', argnums, args.length);
    const { output, vjpFn, aux } = vjpOf('func.jacrev', fn, args, positions, hasAux);
    refuseComplex('func.jacrev', 'outputs', output);
    const { leaves, spec } = flattenTree(output);
    const outputs = leaves as Tensor[];
    const primals = flattenTree(positions.map((i) => args[i]));
    const rows = rowsOf(vjpFn, outputs, spec, chunkSize);
    const sizes = outputs.map((tensor) => tensor.numel());
    const byInput = rows.map((all, i) => {
      const { shape } = primals.leaves[i] as Tensor;
      return all.split(sizes, 0).map((part, j) => part.view([...outputs[j]!.shape, ...shape]));
    });
    const blocks = outputs.map((_, j) => byInput.map((parts) => parts[j]!));
    const jacobian = arrange(blocks, spec, primals.spec, argnums);
    return (hasAux ? [jacobian, aux] : jacobian) as Result;
  };
}

/**
 * A function that gives the Jacobian of `fn`, by forward-mode differentiation: a column for each element of the argument.
 * For the output's shape `[...out]` and the argument's `[...in]` it has the shape `[...out, ...in]`. As
 * `torch.func.jacfwd`.
 *
 * @example
 * import { func, tensor } from 'aiforge';
 * func.jacfwd((x) => x.mul(x))(tensor([1.5, 2])).tolist(); // [[3, 0], [0, 4]]
 */
export function jacfwd<Result = Tensor, Args extends unknown[] = Tensor[]>(
  fn: (...args: Args) => unknown,
  options: JacfwdOptions = {},
): (...args: Args) => Result {
  jacfwdTakes.check('jacfwd', arguments);
  const { argnums = 0, hasAux = false, randomness = 'error' } = options;
  return (...args) => {
    refuseComplex('func.jacfwd', 'inputs', args);
    const positions = positionsOf('func.jacfwd', argnums, args.length);
    const { leaves, spec } = flattenTree(positions.map((i) => args[i]));
    const primals = onlyTensors('func.jacfwd', 'the differentiated arguments', leaves);
    const basis = unflattenTree(standardBasis(primals), spec);
    const push = (tangents: unknown): unknown => {
      const {
        output,
        tangents: slopes,
        aux,
      } = jvpOf('func.jacfwd', fn, args, positions, tangents as unknown[], { hasAux });
      refuseComplex('func.jacfwd', 'outputs', output);
      return hasAux ? [slopes, aux] : slopes;
    };
    const columns = vmap(push, { randomness })(basis);
    const [byOutput, auxes] = hasAux ? (columns as [unknown, unknown]) : [columns, undefined];
    const outputs = flattenTree(byOutput);
    const sizes = primals.map((tensor) => tensor.numel());
    const blocks = (outputs.leaves as Tensor[]).map((all) =>
      all
        .movedim(0, -1)
        .split(sizes, -1)
        .map((part, i) => part.reshape([...part.shape.slice(0, -1), ...primals[i]!.shape])),
    );
    const jacobian = arrange(blocks, outputs.spec, spec, argnums);
    // Every column computed the same aux.
    return (hasAux ? [jacobian, mapTree(auxes, (leaf) => (leaf as Tensor).select(0, 0))] : jacobian) as Result;
  };
}

const hessianTakes = signature<{ argnums?: Argnums }>({ fn: func() }, { argnums: anything as Kind<Argnums> });

/**
 * A function that gives the Hessian of `fn`, forward over reverse. As `torch.func.hessian`.
 *
 * @example
 * import { func, tensor } from 'aiforge';
 * func.hessian((x) => x.pow(3).sum())(tensor([1, 2.5])).tolist(); // [[6, 0], [0, 15]]
 */
export function hessian<Result = Tensor, Args extends unknown[] = Tensor[]>(
  fn: (...args: Args) => unknown,
  options: { argnums?: Argnums } = {},
): (...args: Args) => Result {
  hessianTakes.check('hessian', arguments);
  const { argnums = 0 } = options;
  return jacfwd<Result, Args>(jacrev<unknown, Args>(fn, { argnums }), { argnums });
}
