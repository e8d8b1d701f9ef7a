import { isGradEnabled } from '../autograd/modes.js';
import { gradientsOf, type GradientOptions } from '../autograd/gradients.js';
import { describeTree, flattenTree, mapTree, sameStructure, unflattenTree } from '../autograd/pytree.js';
import { callNow, inGradTransform, unwrapTensor, unwrapTree, wrapForGrad, wrapTree } from '../autograd/transform.js';
import { runInContext } from '../tensor/context.js';
import { Tensor } from '../tensor/tensor.js';
import { invalid, onlyTensors, positionsOf, show, splitAux, type Argnums } from './arguments.js';

export interface GradTransformOptions<N extends Argnums = Argnums, Aux extends boolean = boolean> {
  /** The arguments to differentiate by. Default: 0, the first. */
  argnums?: N;
  /** Whether the function returns `[output, aux]`, of which only the output is differentiated. Default: false. */
  hasAux?: Aux;
}

/** The gradients for one argument, or an array of them for several. */
export type GradientsFor<Args extends unknown[], N extends Argnums> = N extends number ? Args[N] : unknown[];

function differentiable(name: string, tree: unknown, level: number): unknown {
  return mapTree(tree, (leaf) => {
    if (Tensor.isTensor(leaf)) return wrapForGrad(leaf, level, true);
    throw invalid(`${name}: only Tensors can be differentiated by, got ${show(leaf)}.`);
  });
}

/** The arguments inside the transform; those at `positions` record what is done with them. */
function wrapArguments(name: string, args: readonly unknown[], positions: readonly number[], level: number): unknown[] {
  return args.map((arg, i) => (positions.includes(i) ? differentiable(name, arg, level) : wrapTree(arg, level)));
}

const orZeros = (gradients: readonly (Tensor | null)[], inputs: readonly Tensor[]): Tensor[] =>
  gradients.map((gradient, i) => gradient ?? inputs[i]!.zerosLike());

function scalarOutput(name: string, output: unknown): Tensor {
  if (!Tensor.isTensor(output))
    throw invalid(`${name}: expected the function to return a Tensor, got ${show(output)}.`);
  if (output.ndim !== 0) {
    throw invalid(
      `${name}: expected the function to return a scalar Tensor, got one of ${output.ndim} dimensions. ` +
        'Use func.vjp or func.jacrev for others.',
    );
  }
  return output;
}

interface Evaluated {
  gradients: unknown;
  output: unknown;
  aux: unknown;
}

function evaluate(
  name: string,
  fn: (...args: never[]) => unknown,
  args: readonly unknown[],
  { argnums = 0, hasAux = false }: GradTransformOptions,
): Evaluated {
  const positions = positionsOf(name, argnums, args.length);
  return inGradTransform((level) => {
    const wrapped = wrapArguments(name, args, positions, level);
    const result = callNow(name, fn, wrapped);
    const [returned, aux] = hasAux ? splitAux(name, result) : [result, undefined];
    const output = scalarOutput(name, returned);
    const { leaves, spec } = flattenTree(positions.map((i) => wrapped[i]));
    const inputs = leaves as Tensor[];
    // Recorded, so that a transform around this one can differentiate the gradients in turn.
    const gradients = orZeros(gradientsOf([output], inputs, undefined, { createGraph: true }), inputs);
    const outside = unflattenTree(
      gradients.map((gradient) => unwrapTensor(gradient, level)),
      spec,
    ) as unknown[];
    return {
      gradients: Array.isArray(argnums) ? outside : outside[0],
      output: unwrapTensor(output, level),
      aux: unwrapTree(aux, level),
    };
  });
}

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
  return (...args) => {
    const { gradients, output, aux } = evaluate('func.gradAndValue', fn, args, options);
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
  return (...args) => {
    const { gradients, aux } = evaluate('func.grad', fn, args, options);
    return options.hasAux === true ? [gradients, aux] : gradients;
  };
}

/** The gradients of a function's inputs for some of its outputs, one tree for each differentiated argument. */
export type VjpFunction = (cotangents: unknown, options?: GradientOptions) => unknown[];

export interface Vjp {
  output: unknown;
  vjpFn: VjpFunction;
  aux: unknown;
}

function checkOutputs(name: string, outputs: readonly Tensor[]): void {
  for (const { dtype } of outputs) {
    if (/^(b?float|complex)/.test(dtype)) continue;
    throw invalid(`${name}: all outputs must be floating-point or complex Tensors, got ${dtype}.`);
  }
}

/** What `vjp` and the Jacobian by rows stand on: only the arguments at `positions` are differentiated by. */
export function vjpOf(
  name: string,
  fn: (...args: never[]) => unknown,
  args: readonly unknown[],
  positions: readonly number[],
  hasAux: boolean,
): Vjp {
  return inGradTransform((level) => {
    const wrapped = wrapArguments(name, args, positions, level);
    const result = callNow(name, fn, wrapped);
    const [returned, aux] = hasAux ? splitAux(name, result) : [result, undefined];
    const { leaves, spec } = flattenTree(returned);
    const outputs = onlyTensors(name, 'the output', leaves);
    checkOutputs(name, outputs);
    const primals = flattenTree(positions.map((i) => wrapped[i]));
    const inputs = primals.leaves as Tensor[];
    const vjpFn: VjpFunction = (cotangents, { retainGraph = true, createGraph = isGradEnabled() } = {}) => {
      const given = flattenTree(cotangents);
      if (!sameStructure(given.spec, spec)) {
        throw invalid(
          `${name}: the cotangents must have the structure of the output, ${describeTree(spec)}, ` +
            `got ${describeTree(given.spec)}.`,
        );
      }
      const seeds = onlyTensors(name, 'the cotangents', given.leaves);
      return runInContext({ inference: false }, () => {
        const gradients = gradientsOf(outputs, inputs, seeds, { retainGraph, createGraph });
        return unflattenTree(orZeros(gradients, inputs), primals.spec) as unknown[];
      });
    };
    return { output: unwrapTree(returned, level), vjpFn, aux: unwrapTree(aux, level) };
  });
}

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
  { hasAux = false }: { hasAux?: boolean } = {},
): unknown[] {
  const all = primals.map((_, i) => i);
  const { output, vjpFn, aux } = vjpOf('func.vjp', fn, primals, all, hasAux);
  return hasAux ? [output, vjpFn, aux] : [output, vjpFn];
}
