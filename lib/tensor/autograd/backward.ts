import { boolean, listOf, orNull, type Kinds } from '../../kinds.js';
import { signature } from '../../signature.js';
import { native, type Handles } from '../../native.js';
import { warnOnce } from '../../warnOnce.js';
import { inAsyncPass, inPass } from './engine.js';
import { checkGradients, requireInputs } from './given.js';
import { tensorKind } from '../kinds.js';
import { handlesOf, handlesOrNone, type Tensor } from '../tensor.js';
import { refuseInTransforms } from './transforms.js';

/** What a backward pass is told beside its roots. */
export interface GraphOptions {
  /** Keeps the graph for another backward pass. Default: `createGraph`. */
  retainGraph?: boolean;
  /**
   * Records the backward pass itself, for derivatives of higher order; a warning in the log tells once that gradients then keep
   * their parameters' memory until `.grad` is null. Default: false.
   */
  createGraph?: boolean;
  /** Accumulates into these tensors' gradients only, at least one. Default: every leaf. */
  inputs?: readonly Tensor[];
}

export interface BackwardOptions extends GraphOptions {
  /** The gradient of the output; needed unless the tensor has one element. */
  gradient?: Tensor | null;
}

export const graphOptions: Kinds<GraphOptions> = {
  retainGraph: boolean,
  createGraph: boolean,
  inputs: listOf(tensorKind),
};

/** @internal What `backward` and `backwardAsync` take. */
export const backwardTakes = signature<BackwardOptions>({}, { gradient: orNull(tensorKind), ...graphOptions });

const createsCycles =
  'backward with createGraph ties each parameter to its gradient in a cycle, which leaks memory. Use grad() instead, or set ' +
  'the .grad of the parameters to null afterwards.';

type Arguments = [Handles, Handles | null, boolean, boolean, Handles | null];

function lower(
  roots: readonly Tensor[],
  gradients: readonly (Tensor | null)[] | null,
  options: GraphOptions = {},
): Arguments {
  const { createGraph = false, retainGraph = createGraph, inputs } = options;
  const args: Arguments = [
    handlesOf(roots),
    gradients === null ? null : handlesOrNone(gradients),
    retainGraph,
    createGraph,
    inputs === undefined ? null : handlesOf(inputs),
  ];
  if (gradients !== null) checkGradients(roots, gradients);
  if (inputs !== undefined) requireInputs('backward: inputs', inputs);
  if (createGraph) warnOnce(createsCycles);
  return args;
}

/** @internal */
export function backwardFrom(
  roots: readonly Tensor[],
  gradients: readonly (Tensor | null)[] | null,
  options?: GraphOptions,
): void {
  refuseInTransforms('backward()', 'use func.grad or func.vjp, or');
  const args = lower(roots, gradients, options);
  inPass((pass) => native.backward(...args, pass));
}

/** @internal */
export async function backwardAsyncFrom(
  roots: readonly Tensor[],
  gradients: readonly (Tensor | null)[] | null,
  options?: GraphOptions,
): Promise<void> {
  refuseInTransforms('backward()', 'use func.grad or func.vjp, or');
  const args = lower(roots, gradients, options);
  await inAsyncPass((pass) => native.backwardAsync(...args, pass));
}
