import { native } from '../../native.js';
import { zerosLike } from '../../tensor/generated/functions.js';
import { runInContext } from '../../tensor/context/context.js';
import type { Tensor } from '../../tensor/tensor.js';
import { makeDual, unpackDual } from '../forwardMode.js';
import { describeTree, flattenTree, sameStructure, unflattenTree } from '../pytree.js';
import { callNow, inTransform, unwrapTensor, unwrapTree, wrapTree } from './transform.js';
import { invalid, onlyTensors, splitAux } from './transformArguments.js';

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
  return [unwrapTensor(primal, level), unwrapTensor(tangent ?? zerosLike(primal), level)];
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
