import { makeDual, unpackDual } from '../autograd/forwardMode.js';
import { describeTree, flattenTree, sameStructure, unflattenTree } from '../autograd/pytree.js';
import { callNow, inTransform, unwrapTensor, unwrapTree, wrapTree } from '../autograd/transform.js';
import { native } from '../native.js';
import { runInContext } from '../tensor/context.js';
import type { Tensor } from '../tensor/tensor.js';
import { invalid, onlyTensors, splitAux } from './arguments.js';

export interface JvpOptions {
  /** Refuses an output that does not depend on the inputs, instead of giving zeros. Default: false. */
  strict?: boolean;
  /** Whether the function returns `[output, aux]`, of which only the output is differentiated. Default: false. */
  hasAux?: boolean;
}

/** Runs `body` in the one level of dual tensors, which transforms inside each other share. */
function inSharedDualLevel<T>(body: () => T): T {
  if (depth > 1) return body();
  native.enterDualLevel();
  try {
    return body();
  } finally {
    native.exitDualLevel();
  }
}

// How many forward-mode transforms are running, one inside another.
let depth = 0;

function inJvpTransform<T>(body: (level: number) => T): T {
  return inTransform(native.enterJvp, (level) => {
    ++depth;
    try {
      return inSharedDualLevel(() => runInContext({ inference: false }, () => body(level)));
    } finally {
      --depth;
    }
  });
}

/** A dual tensor's value and tangent outside the transform. */
function unpack(name: string, dual: Tensor, level: number, strict: boolean): [Tensor, Tensor] {
  const { primal, tangent } = unpackDual(dual);
  if (tangent === null && strict) {
    throw invalid(`${name}: an output does not depend on the inputs, which strict: true does not allow.`);
  }
  return [unwrapTensor(primal, level), unwrapTensor(tangent ?? primal.zerosLike(), level)];
}

export interface Jvp {
  output: unknown;
  tangents: unknown;
  aux: unknown;
}

/** What `jvp` and the Jacobian by columns stand on: only the arguments at `positions` have tangents. */
export function jvpOf(
  name: string,
  fn: (...args: never[]) => unknown,
  args: readonly unknown[],
  positions: readonly number[],
  tangents: readonly unknown[],
  { strict = false, hasAux = false }: JvpOptions,
): Jvp {
  const primals = flattenTree(positions.map((i) => args[i]));
  const given = flattenTree(tangents);
  if (!sameStructure(primals.spec, given.spec)) {
    throw invalid(
      `${name}: the tangents must have the structure of the primals, ${describeTree(primals.spec)}, ` +
        `got ${describeTree(given.spec)}.`,
    );
  }
  const values = onlyTensors(name, 'the primals', primals.leaves);
  const slopes = onlyTensors(name, 'the tangents', given.leaves);
  return inJvpTransform((level) => {
    const duals = unflattenTree(
      values.map((value, i) => makeDual(value, slopes[i]!)),
      primals.spec,
    ) as unknown[];
    const inside = args.map((arg, i) => (positions.includes(i) ? duals[positions.indexOf(i)] : wrapTree(arg, level)));
    const result = callNow(name, fn, inside);
    const [returned, aux] = hasAux ? splitAux(name, result) : [result, undefined];
    const { leaves, spec } = flattenTree(returned);
    const pairs = onlyTensors(name, 'the output', leaves).map((dual) => unpack(name, dual, level, strict));
    return {
      output: unflattenTree(
        pairs.map(([value]) => value),
        spec,
      ),
      tangents: unflattenTree(
        pairs.map(([, tangent]) => tangent),
        spec,
      ),
      aux: unwrapTree(aux, level),
    };
  });
}

/**
 * The value of `fn` and the product of its Jacobian with `tangents`, in one forward pass: `[output, tangents]`, with
 * `hasAux` `[output, tangents, aux]`. As `torch.func.jvp`.
 *
 * @throws AiforgeError INVALID_ARGUMENT when the tangents do not have the structure of the primals.
 * @example
 * import { func, tensor } from 'aiforge';
 * const [value, slope] = func.jvp((x) => x.mul(x), [tensor([1.5, 2])], [tensor([1, 0.5])]);
 * slope.tolist(); // [3, 2]
 */
export function jvp<R, Primals extends unknown[]>(
  fn: (...primals: Primals) => R,
  primals: readonly [...Primals],
  tangents: readonly [...Primals],
  options: JvpOptions & { hasAux: true },
): R extends readonly [infer Output, infer Aux] ? [Output, Output, Aux] : never;
export function jvp<R, Primals extends unknown[]>(
  fn: (...primals: Primals) => R,
  primals: readonly [...Primals],
  tangents: readonly [...Primals],
  options?: JvpOptions & { hasAux?: false },
): [R, R];
export function jvp(
  fn: (...primals: never[]) => unknown,
  primals: readonly unknown[],
  tangents: readonly unknown[],
  options: JvpOptions = {},
): unknown[] {
  if (!Array.isArray(primals) || !Array.isArray(tangents)) {
    throw invalid('func.jvp: expected the primals and the tangents as two arrays, one item for each argument.');
  }
  const all = primals.map((_, i) => i);
  const { output, tangents: slopes, aux } = jvpOf('func.jvp', fn, primals, all, tangents, options);
  return options.hasAux === true ? [output, slopes, aux] : [output, slopes];
}
