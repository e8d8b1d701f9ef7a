import { native } from '../native.js';
import { inPass } from '../tensor/engine.js';
import { handlesOf, wrapHandle, type Tensor } from '../tensor/tensor.js';

export interface GradOptions {
  /** The gradients of the outputs; needed where an output has more than one element. */
  gradOutputs?: readonly Tensor[];
  /** Default: `createGraph`. */
  retainGraph?: boolean;
  /** Default: false. */
  createGraph?: boolean;
  /** Gives null for an input that the outputs do not depend on, instead of throwing. Default: false. */
  allowUnused?: boolean;
}

const asList = (tensors: Tensor | readonly Tensor[]): readonly Tensor[] =>
  Array.isArray(tensors) ? (tensors as readonly Tensor[]) : [tensors as Tensor];

/**
 * The gradients of `outputs` with respect to `inputs`, which stay untouched. As `torch.autograd.grad`.
 *
 * @example
 * import { grad, tensor } from 'aiforge';
 * const x = tensor(3, { dtype: 'float32', requiresGrad: true });
 * grad(x.mul(x), x)[0]?.item(); // 6
 */
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  { gradOutputs, createGraph = false, retainGraph = createGraph, allowUnused = false }: GradOptions = {},
): (Tensor | null)[] {
  const gradients = inPass((pass) =>
    native.grad(
      handlesOf(asList(outputs)),
      handlesOf(asList(inputs)),
      gradOutputs === undefined ? null : handlesOf(gradOutputs),
      retainGraph,
      createGraph,
      allowUnused,
      pass,
    ),
  );
  return gradients.map((gradient) => (gradient === null ? null : wrapHandle(gradient)));
}
