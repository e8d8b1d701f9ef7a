import { anything, boolean, func, type Kind } from '../kinds.js';
import { signature } from '../signature.js';
import type { GradientOptions } from '../autograd/gradients.js';
import { gradientAndValueOf, vjpOf, type GradTransformOptions } from '../autograd/transforms/gradTransform.js';
import { argumentList, type Argnums } from '../autograd/transforms/transformArguments.js';
import type { Tensor } from '../tensor/tensor.js';

/** The gradients for one argument, or an array of them for several. */
export type GradientsFor<Args extends unknown[], N extends Argnums> = N extends number ? Args[N] : unknown[];

const gradTakes = signature<GradTransformOptions>(
  { fn: func() },
  { argnums: anything as Kind<Argnums>, hasAux: boolean },
);

/**
 * A function that gives the gradients of `fn`, which returns a scalar, and the value of `fn`. As
 * `torch.func.grad_and_value`: `[gradients, value]`, with `hasAux` `[gradients, [value, aux]]`.
 *
 * @example
 * import { func, tensor } from 'aiforge';
 * const [slope, value] = func.gradAndValue((x) => x.mul(x).sum())(tensor([1.5, 2]));
 * slope.tolist(); // [3, 4]
 * value.item(); // 6.25
 */
export function gradAndValue<R, Args extends unknown[] = Tensor[], N extends Argnums = 0>(
  fn: (...args: Args) => R,
  options: GradTransformOptions<N> = {},
): (...args: Args) => [GradientsFor<Args, N>, R] {
  gradTakes.check('gradAndValue', arguments);
  return (...args) => {
    const { gradients, output, aux } = gradientAndValueOf('func.gradAndValue', fn, args, options);
    return [gradients, options.hasAux === true ? [output, aux] : output] as [GradientsFor<Args, N>, R];
  };
}

/**
 * A function that gives the gradients of `fn`, which returns a scalar, by its arguments. Composes with itself, `vmap` and
 * the other transforms. As `torch.func.grad`; with `hasAux` it gives `[gradients, aux]`.
 *
 * @throws AiforgeError INVALID_ARGUMENT when `fn` does not return a scalar tensor.
 * @example
 * import { func, tensor } from 'aiforge';
 * const cube = (x) => x.pow(3);
 * func.grad(func.grad(cube))(tensor(2.5)).item(); // 15
 */
export function grad<R, Args extends unknown[] = Tensor[], N extends Argnums = 0>(
  fn: (...args: Args) => R,
  options: GradTransformOptions<N, false>,
): (...args: Args) => GradientsFor<Args, N>;
export function grad<R, Args extends unknown[] = Tensor[], N extends Argnums = 0>(
  fn: (...args: Args) => readonly [R, ...unknown[]],
  options: GradTransformOptions<N, true>,
): (...args: Args) => [GradientsFor<Args, N>, unknown];
export function grad<R, Args extends unknown[] = Tensor[]>(fn: (...args: Args) => R): (...args: Args) => Args[0];
export function grad(
  fn: (...args: never[]) => unknown,
  options: GradTransformOptions = {},
): (...args: never[]) => unknown {
  gradTakes.check('grad', arguments);
  return (...args) => {
    const { gradients, aux } = gradientAndValueOf('func.grad', fn, args, options);
    return options.hasAux === true ? [gradients, aux] : gradients;
  };
}

const vjpTakes = signature<{ hasAux?: boolean }>({ fn: func(), primals: argumentList }, { hasAux: boolean });

/**
 * The value of `fn`, and a function that gives the products of vectors with its Jacobian: one gradient for each of
 * `primals`. It lives as long as the scope that it was made in. As `torch.func.vjp`.
 *
 * @example
 * import { func, ones, tensor } from 'aiforge';
 * const [value, vjpFn] = func.vjp((x) => x.mul(x), [tensor([1.5, 2])]);
 * value.tolist(); // [2.25, 4]
 * vjpFn(ones([2]))[0].tolist(); // [3, 4]
 */
export function vjp<R, Primals extends unknown[]>(
  fn: (...primals: Primals) => R,
  primals: readonly [...Primals],
  options: { hasAux: true },
): R extends readonly [infer Output, infer Aux] ? [Output, (cotangents: Output) => Primals, Aux] : never;
export function vjp<R, Primals extends unknown[]>(
  fn: (...primals: Primals) => R,
  primals: readonly [...Primals],
  options?: { hasAux?: false },
): [R, (cotangents: R, options?: GradientOptions) => Primals];
export function vjp(
  fn: (...primals: never[]) => unknown,
  primals: readonly unknown[],
  options: { hasAux?: boolean } = {},
): unknown[] {
  vjpTakes.check('vjp', arguments);
  const { hasAux = false } = options;
  const args = [...primals]; // a hole is an argument too
  const { output, vjpFn, aux } = vjpOf('func.vjp', fn, args, [...args.keys()], hasAux);
  return hasAux ? [output, vjpFn, aux] : [output, vjpFn];
}
