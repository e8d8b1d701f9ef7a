import { show } from '../../show.js';
import { zerosLike } from '../../tensor/generated/functions.js';
import { runInContext } from '../../tensor/context/context.js';
import { Tensor } from '../../tensor/tensor.js';
import { gradientsOf, type GradientOptions } from '../gradients.js';
import { isGradEnabled } from '../modes.js';
import { describeTree, flattenTree, mapTree, sameStructure, unflattenTree } from '../pytree.js';
import { callNow, inGradTransform, unwrapTensor, unwrapTree, wrapForGrad, wrapTree } from './transform.js';
import { invalid, onlyTensors, positionsOf, splitAux, type Argnums } from './transformArguments.js';

export interface GradTransformOptions<N extends Argnums = Argnums, Aux extends boolean = boolean> {
  /** The arguments to differentiate by. Default: 0, the first. */
  argnums?: N;
  /** Whether the function returns `[output, aux]`, of which only the output is differentiated. Default: false. */
  hasAux?: Aux;
}

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
  gradients.map((gradient, i) => gradient ?? zerosLike(inputs[i]!));

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

export interface Evaluated {
  gradients: unknown;
  output: unknown;
  aux: unknown;
}

/** The value of a function that returns a scalar, and its gradients. */
export function gradientAndValueOf(
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
