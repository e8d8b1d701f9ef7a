import { native } from '../native.js';
import { inPass } from '../tensor/autograd/engine.js';
import { checkGradients, requireInputs } from '../tensor/autograd/given.js';
import { handleOf, handlesOf, wrapHandle, type Tensor } from '../tensor/tensor.js';

export interface GradientOptions {
  retainGraph?: boolean;
  createGraph?: boolean;
}

/**
 * The gradients of those outputs that have any, null where an input takes no part. A gradient of an output that is left
 * out is one.
 */
export function gradientsOf(
  outputs: readonly (Tensor | null)[],
  inputs: readonly Tensor[],
  gradOutputs?: readonly (Tensor | null)[],
  { createGraph = false, retainGraph = createGraph }: GradientOptions = {},
): (Tensor | null)[] {
  const used = outputs.flatMap((output, i) => (output?.requiresGrad === true ? [i] : []));
  if (gradOutputs !== undefined) checkGradients(outputs, gradOutputs);
  if (used.length === 0) return inputs.map(() => null);
  requireInputs('grad', inputs);
  const gradients = inPass((pass) =>
    native.grad(
      handlesOf(used.map((i) => outputs[i]!)),
      handlesOf(inputs),
      gradOutputs === undefined
        ? null
        : Float64Array.from(used, (i) => (gradOutputs[i] == null ? -1 : handleOf(gradOutputs[i]))),
      retainGraph,
      createGraph,
      true,
      pass,
    ),
  );
  return gradients.map((gradient) => (gradient === null ? null : wrapHandle(gradient)));
}

/** One tensor for each given: together they have every unit vector of their elements, along the first dimension. */
export function standardBasis(tensors: readonly Tensor[]): Tensor[] {
  const total = tensors.reduce((sum, tensor) => sum + tensor.numel(), 0);
  let start = 0;
  return tensors.map((tensor) => {
    const numel = tensor.numel();
    const basis = tensor.newZeros([total, numel]);
    basis.diagonal(-start).fill_(1);
    start += numel;
    return basis.view([total, ...tensor.shape]);
  });
}
