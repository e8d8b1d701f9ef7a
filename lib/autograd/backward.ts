import { anything, optional } from '../kinds.js';
import { signature } from '../signature.js';
import { backwardAsyncFrom, backwardFrom, graphOptions, type GraphOptions } from '../tensor/autograd/backward.js';
import type { Tensor } from '../tensor/tensor.js';
import { asList } from './asList.js';

type Roots = Tensor | readonly Tensor[];
type Gradients = Tensor | null | readonly (Tensor | null)[];

const backwardTakes = signature({ tensors: anything, gradTensors: optional(anything) }, graphOptions);

/**
 * Computes the gradients of the leaves that some tensors depend on, and accumulates them. `gradTensors` has a gradient
 * for each, null where it has one element. As `torch.autograd.backward`.
 *
 * @example
 * import { autograd, ones } from 'aiforge';
 * const x = ones([2], { requiresGrad: true });
 * autograd.backward([x.mul(2).sum(), x.mul(3)], [null, ones([2])]);
 * x.grad?.tolist(); // [5, 5]
 */
export function backward(tensors: Roots, gradTensors: Gradients = null, options: GraphOptions = {}): void {
  backwardTakes.check('backward', arguments);
  backwardFrom(asList(tensors), gradTensors === null ? null : asList(gradTensors), options);
}

/** `backward` off the event loop; see `Tensor.backwardAsync`. */
export function backwardAsync(
  tensors: Roots,
  gradTensors: Gradients = null,
  options: GraphOptions = {},
): Promise<void> {
  backwardTakes.check('backwardAsync', arguments);
  return backwardAsyncFrom(asList(tensors), gradTensors === null ? null : asList(gradTensors), options);
}
