import { AiforgeError } from '../errors.js';
import { noGrad } from '../autograd/modes.js';
import { scope } from '../tensor/memory/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Module } from './module.js';
import { addHook, removeHook } from './hooks/moduleHooks.js';
import { members } from './members/registry.js';
import { isUninitialized } from './uninitialized.js';
import { signature } from '../signature.js';
import { moduleKind } from './moduleKinds.js';

/** A module that gets the shapes of its parameters from the arguments of its first `forward`. */
export interface LazyModule extends Module {
  /** Gives the parameters that have none yet shapes and values. */
  initializeParameters(...args: never[]): void;
}

/** What a lazy layer has beside what its regular class has. */
export interface LazyLayer {
  /** Whether a parameter or buffer of its own has no shape yet. */
  hasUninitializedParams(): boolean;
  /** Gives the parameters their shapes by the first input, and values. */
  initializeParameters(input: Tensor): void;
}

/** What is static in every class of modules. */
export type ModuleStatics = Pick<typeof Module, 'stateDictVersion'>;

/** Where a lazy class made by a function, which stands between it and the regular one, has the prototype of the latter. */
export const regular: unique symbol = Symbol('regular');

const moduleTakes = signature({ module: moduleKind });

/**
 * Whether a module has parameters or buffers without a shape; those of submodules do not count. As
 * `has_uninitialized_params` of `torch.nn.modules.lazy.LazyModuleMixin`.
 *
 * @example
 * import { nn, ones } from 'aiforge';
 * const layer = new nn.LazyLinear(3);
 * nn.hasUninitializedParams(layer); // true
 * layer.forward(ones([2, 4]));
 * nn.hasUninitializedParams(layer); // false
 */
export function hasUninitializedParams(module: Module): boolean {
  moduleTakes.check('hasUninitializedParams', arguments);
  for (const { value } of module[members]()) if (isUninitialized(value)) return true;
  return false;
}

// One function for all, so that a copied module can take its own away.
function initialize(module: LazyModule, args: never[]): void {
  scope(() => noGrad(() => module.initializeParameters(...args)));
  if (hasUninitializedParams(module)) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `${module.constructor.name}: initializeParameters() has left parameters without a shape.`,
    );
  }
  removeHook(module, 'forwardPre', initialize);
  const lazy = Object.getPrototypeOf(module) as { [regular]?: object };
  Object.setPrototypeOf(module, lazy[regular] ?? (Object.getPrototypeOf(lazy) as object));
}

/**
 * For the constructor of a lazy class: has the module call `initializeParameters` before its first `forward` and then
 * become an instance of the class that the lazy one extends. What `torch.nn.modules.lazy.LazyModuleMixin` does.
 *
 * @throws AiforgeError INVALID_ARGUMENT at that `forward`, when `initializeParameters` leaves a parameter without a shape.
 * @example
 * import { nn, ones } from 'aiforge';
 * class Scale extends nn.Module {
 *   constructor(weight) {
 *     super();
 *     this.weight = weight;
 *   }
 *   forward(x) {
 *     return x.mul(this.weight);
 *   }
 * }
 * class LazyScale extends Scale {
 *   constructor() {
 *     super(new nn.UninitializedParameter());
 *     nn.initializeOnForward(this);
 *   }
 *   initializeParameters(x) {
 *     this.weight.materialize([x.size(-1)]);
 *     nn.init.ones_(this.weight);
 *   }
 * }
 * const layer = new LazyScale();
 * layer.forward(ones([2, 3]));
 * layer.weight.tolist(); // [1, 1, 1]
 * layer.constructor.name; // 'Scale'
 */
export function initializeOnForward(module: LazyModule): void {
  moduleTakes.check('initializeOnForward', arguments);
  addHook(module, 'forwardPre', initialize);
}
