import { AiforgeError } from '../../errors.js';
import { stack } from '../../tensor/generated/functions.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Module } from '../module.js';
import { signature } from '../../signature.js';
import { moduleKind } from '../moduleKinds.js';
import { listOf } from '../../kinds.js';

/** The parameters and the buffers of several modules, each stacked along a new first dimension. */
export type StackedState = [params: Record<string, Tensor>, buffers: Record<string, Tensor>];

function stacked(all: readonly Map<string, Tensor>[]): [string, Tensor][] {
  return [...all[0]!.keys()].map((key) => {
    const tensors = all.map((named) => named.get(key)!);
    return [key, stack(tensors).detach().requiresGrad_(tensors[0]!.requiresGrad)];
  });
}

const stackTakes = signature({ modules: listOf(moduleKind) });

/**
 * The state of an ensemble of modules of one class, for `vmap` over `functionalCall`. As `torch.func.stack_module_state`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for no modules, or for modules of different classes or modes.
 * @example
 * import { func, nn, ones } from 'aiforge';
 * const models = [new nn.Linear(2, 1), new nn.Linear(2, 1)];
 * const [params] = func.stackModuleState(models);
 * const run = func.vmap((p, x) => func.functionalCall(models[0], p, x), { inDims: [0, null] });
 * run(params, ones([3, 2])).shape; // [2, 3, 1]
 */
export function stackModuleState(modules: readonly Module[]): StackedState {
  stackTakes.check('stackModuleState', arguments);
  const [first] = modules;
  if (first === undefined) {
    throw new AiforgeError('INVALID_ARGUMENT', 'stackModuleState: expected at least one module, got none.');
  }
  if (modules.some((module) => module.constructor !== first.constructor)) {
    throw new AiforgeError('INVALID_ARGUMENT', 'stackModuleState: expected all modules to be of the same class.');
  }
  if (modules.some((module) => module.training !== first.training)) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      'stackModuleState: expected all modules to be in training mode, or all in evaluation mode.',
    );
  }
  const params = stacked(modules.map((module) => new Map<string, Tensor>(module.namedParameters())));
  const buffers = stacked(modules.map((module) => new Map(module.namedBuffers())));
  return [Object.fromEntries(params), Object.fromEntries(buffers)];
}
