import { isPromise, notAwaited } from '../../promised.js';
import type { Tensor } from '../../tensor/tensor.js';
import { refuseResult } from '../../tensor/autograd/engine.js';
import type { AnyHook, HookKind } from '../hooks/hookLists.js';
import type { Module } from '../module.js';
import { hooksOf, members } from '../members/registry.js';
import { persistentBuffersOf, parametersOf, submodulesOf } from '../members/traversal.js';
import { isUninitialized } from '../uninitialized.js';

/**
 * The parameters and persistent buffers of a module under PyTorch's keys. Under `…_extra_state` lies what a module's
 * `getExtraState` gave, which may be no Tensor.
 */
export type StateDict = Record<string, Tensor>;

export interface StateDictOptions {
  /** Begins every key; `'model.'` makes `model.weight`. Default: none. */
  prefix?: string;
  /** Gives the parameters themselves, not detached tensors that share their memory. Default: false. */
  keepVars?: boolean;
}

/** The version of each module's part of a state dict, by the module's name. */
export type StateDictMetadata = Record<string, { readonly version?: number }>;

export const extraStateKey = '_extra_state';

// No entry of the state dict and not seen when it is printed or spread, as Python's attribute `_metadata`.
const metadata: unique symbol = Symbol.for('aiforge.stateDictMetadata') as never;

export function metadataOf(stateDict: object): StateDictMetadata {
  return (stateDict as { [metadata]?: StateDictMetadata })[metadata] ?? {};
}

export function setMetadata(stateDict: object, value: StateDictMetadata): void {
  Object.defineProperty(stateDict, metadata, { value, configurable: true, writable: true });
}

/** The default of `saveToStateDict`: the tensors of one module, without those of its submodules. */
export function saveOwnState(module: Module, destination: StateDict, prefix: string, keepVars: boolean): void {
  const put = (name: string, tensor: Tensor): void => {
    destination[prefix + name] = keepVars || isUninitialized(tensor) ? tensor : tensor.detach();
  };
  const all = module[members]();
  for (const [name, parameter] of parametersOf(module, all)) put(name, parameter);
  for (const [name, buffer] of persistentBuffersOf(module, all)) put(name, buffer);
  if (module.getExtraState === undefined) return;
  const extra = module.getExtraState();
  if (isPromise(extra)) throw notAwaited('INVALID_ARGUMENT', `${module.constructor.name}.getExtraState returned a promise, but must be synchronous.`, extra); // prettier-ignore
  destination[prefix + extraStateKey] = extra as Tensor;
}

type StateHookKind = Extract<HookKind, `stateDict${string}` | `load${string}`>;

const stateHookNames: Readonly<Record<StateHookKind, string>> = {
  stateDictPre: 'A pre-hook of stateDict()',
  stateDictPost: 'A post-hook of stateDict()',
  loadPre: 'A pre-hook of loadStateDict()',
  loadPost: 'A post-hook of loadStateDict()',
};

/** Calls the hooks of a module about state dicts. They change what they are given: what they return would be lost. */
export function callStateHooks(module: Module, kind: StateHookKind, ...args: readonly unknown[]): void {
  for (const hook of hooksOf<AnyHook>(module, kind) ?? []) {
    const given = (hook as (...args: unknown[]) => unknown)(module, ...args);
    if (given !== undefined && given !== null) refuseResult(stateHookNames[kind], given, 'nothing');
  }
}

/** Adds the state of a module and all below it to a state dict. */
export function saveState(module: Module, destination: StateDict, prefix: string, keepVars: boolean): void {
  const local = { version: (module.constructor as typeof Module).stateDictVersion };
  metadataOf(destination)[prefix.slice(0, -1)] = local;
  callStateHooks(module, 'stateDictPre', prefix, keepVars);
  module.saveToStateDict(destination, prefix, keepVars);
  for (const [name, child] of submodulesOf(module)) saveState(child, destination, `${prefix}${name}.`, keepVars);
  callStateHooks(module, 'stateDictPost', destination, prefix, local);
}
