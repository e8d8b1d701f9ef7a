import { AiforgeError } from '../errors.js';
import { anything, boolean, type Kind } from '../kinds.js';
import { signature } from '../signature.js';
import { native, ownArray } from '../native.js';
import { inPass } from '../tensor/autograd/engine.js';
import { zerosLike } from '../tensor/generated/functions.js';
import { checkGradients, requireInputs } from '../tensor/autograd/given.js';
import { handlesOf, handlesOrNone, wrapHandle, type Tensor } from '../tensor/tensor.js';
import { asList } from './asList.js';

export interface GradOptions {
  /** The gradients of the outputs; null or left out where an output has one element. */
  gradOutputs?: Tensor | readonly (Tensor | null)[];
  /** Default: `createGraph`. */
  retainGraph?: boolean;
  /** Default: false. */
  createGraph?: boolean;
  /** Gives null for an input that the outputs do not depend on, instead of throwing. Default: `materializeGrads`. */
  allowUnused?: boolean;
  /** Gives zeros for such an input. Default: false. */
  materializeGrads?: boolean;
}

const gradTakes = signature<GradOptions>(
  { outputs: anything, inputs: anything },
  {
    gradOutputs: anything as Kind<Tensor | readonly (Tensor | null)[]>,
    retainGraph: boolean,
    createGraph: boolean,
    allowUnused: boolean,
    materializeGrads: boolean,
  },
);

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
  options: GradOptions = {},
): (Tensor | null)[] {
  gradTakes.check('grad', arguments);
  const {
    gradOutputs,
    createGraph = false,
    retainGraph = createGraph,
    materializeGrads = false,
    allowUnused = materializeGrads,
  } = options;
  if (materializeGrads && !allowUnused) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      'grad: materializeGrads gives zeros for unused inputs, so allowUnused must be true or left out.',
    );
  }
  const sources = asList(inputs);
  const roots = asList(outputs);
  const args = [
    handlesOf(roots),
    handlesOf(sources),
    gradOutputs === undefined ? null : handlesOrNone(asList(gradOutputs)),
  ] as const;
  if (gradOutputs !== undefined) checkGradients(roots, asList(gradOutputs));
  requireInputs('grad', sources);
  const gradients = inPass((pass) => native.grad(...args, retainGraph, createGraph, allowUnused, pass));
  return ownArray(gradients).map((gradient, i) => {
    if (gradient !== null) return wrapHandle(gradient);
    return materializeGrads ? zerosLike(sources[i] as Tensor, { requiresGrad: createGraph }) : null;
  });
}
