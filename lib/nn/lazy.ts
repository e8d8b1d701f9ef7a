import { AiforgeError } from '../errors.js';
import { noGrad } from '../autograd/modes.js';
import { scope } from '../tensor/scope.js';
import type { Module } from './module.js';
import { addHook, removeHook } from './moduleHooks.js';
import { members } from './registry.js';
import { isUninitialized } from './uninitialized.js';

/** A module that gets the shapes of its parameters from the arguments of its first `forward`. */
export interface LazyModule extends Module {
  /** Gives the parameters that have none yet shapes and values. */
  initializeParameters(...args: never[]): void;
}

/** Whether a module has parameters or buffers without a shape; those of submodules do not count. */
export function hasUninitializedParams(module: Module): boolean {
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
  const lazy = Object.getPrototypeOf(module) as object;
  Object.setPrototypeOf(module, Object.getPrototypeOf(lazy) as object);
}

/**
 * For the constructor of a lazy class: has the module call `initializeParameters` before its first `forward` and then
 * become an instance of the class that the lazy one extends.
 */
export function initializeOnForward(module: LazyModule): void {
  addHook(module, 'forwardPre', initialize);
}
