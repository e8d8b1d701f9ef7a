import { boolean, listOf, orNull, type Kinds } from '../../kinds.js';
import { signature } from '../../signature.js';
import { native, type Handles } from '../../native.js';
import { inAsyncPass, inPass } from './engine.js';
import { tensorKind } from '../kinds.js';
import { handlesOf, handlesOrNone, type Tensor } from '../tensor.js';
import { refuseInTransforms } from './transforms.js';

/** What a backward pass is told beside its roots. */
export interface GraphOptions {
  /** Keeps the graph for another backward pass. Default: `createGraph`. */
  retainGraph?: boolean;
  /** Records the backward pass itself, for derivatives of higher order. Default: false. */
  createGraph?: boolean;
  /** Accumulates into these tensors' gradients only. Default: every leaf. */
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

type Arguments = [Handles, Handles | null, boolean, boolean, Handles | null];

function lower(
  roots: readonly Tensor[],
  gradients: readonly (Tensor | null)[] | null,
  options: GraphOptions = {},
): Arguments {
  const { createGraph = false, retainGraph = createGraph, inputs } = options;
  return [
    handlesOf(roots),
    gradients === null ? null : handlesOrNone(gradients),
    retainGraph,
    createGraph,
    inputs === undefined ? null : handlesOf(inputs),
  ];
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
