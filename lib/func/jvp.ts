import { boolean, func } from '../kinds.js';
import { signature } from '../signature.js';
import { jvpOf, type JvpOptions } from '../autograd/transforms/jvpTransform.js';
import { argumentList } from '../autograd/transforms/transformArguments.js';

const jvpTakes = signature<JvpOptions>(
  { fn: func(), primals: argumentList, tangents: argumentList },
  { strict: boolean, hasAux: boolean },
);

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
  jvpTakes.check('jvp', arguments);
  const args = [...primals]; // a hole is an argument too
  const { output, tangents: slopes, aux } = jvpOf('func.jvp', fn, args, [...args.keys()], tangents, options);
  return options.hasAux === true ? [output, slopes, aux] : [output, slopes];
}
