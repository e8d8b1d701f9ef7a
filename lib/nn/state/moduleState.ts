import { boolean, kind, string, func } from '../../kinds.js';
import { isOptions, signature } from '../../signature.js';
import { isMap } from '../../realms.js';
import type { Tensor } from '../../tensor/tensor.js';
import { refuseHidden } from '../members/hiddenMembers.js';
import type { ModuleHookHandle } from '../hooks/hookLists.js';
import {
  loadOwnState,
  loadState,
  type LoadStateDictOptions,
  type LoadStateDictResult,
  type ModuleMetadata,
  type StateDictLoading,
} from './loadStateDict.js';
import type { Module } from '../module.js';
import { addHook, ModuleHookMethods } from '../hooks/moduleHooks.js';
import { saveOwnState, saveState, setMetadata, type StateDict, type StateDictOptions } from './stateDict.js';

const loadStateDictTakes = signature<LoadStateDictOptions>(
  {
    stateDict: kind(
      'an object or a Map of tensors by their keys, as stateDict() and load() give',
      (value) => isOptions(value) || isMap(value),
    ),
  },
  { strict: boolean, assign: boolean },
);

const hookTakes = signature({ hook: func() });

const stateDictTakes = signature<StateDictOptions>({}, { prefix: string, keepVars: boolean });

/** The methods of Module about its state dict. */
export abstract class ModuleStateMethods extends ModuleHookMethods {
  /** The version of the module's own part of state dicts, which `loadFromStateDict` gets back. */
  static readonly stateDictVersion: number = 1;

  /** What the state dict has of the module beside tensors; `setExtraState` gets it when it is loaded. */
  getExtraState?(): unknown;

  setExtraState?(state: unknown): void;

  /** Parameters and persistent buffers under PyTorch's keys, as detached tensors that share the module's memory. */
  stateDict(this: Module, options: StateDictOptions = {}): StateDict {
    refuseHidden(this);
    stateDictTakes.check('stateDict', arguments);
    const { prefix = '', keepVars = false } = options;
    const destination: StateDict = {};
    setMetadata(destination, {});
    saveState(this, destination, prefix, keepVars);
    return destination;
  }

  /** Adds what belongs to this module, and not to its submodules, to a state dict; for overriding. */
  saveToStateDict(this: Module, destination: StateDict, prefix: string, keepVars: boolean): void {
    saveOwnState(this, destination, prefix, keepVars);
  }

  /**
   * Copies the tensors of a state dict into this module's; converts their dtype and device where they differ.
   *
   * @throws AiforgeError STATE_DICT_MISMATCH that lists every missing, unexpected and misshapen entry; nothing is copied.
   */
  loadStateDict(
    this: Module,
    stateDict: Readonly<StateDict> | ReadonlyMap<string, Tensor>,
    options: LoadStateDictOptions = {},
  ): LoadStateDictResult {
    loadStateDictTakes.check('loadStateDict', arguments);
    return loadState(this, stateDict, options);
  }

  /**
   * Loads what belongs to this module, and not to its submodules; for overriding by modules that read older state dicts.
   * `state` has the entries whose keys begin with `prefix` and may be changed.
   */
  loadFromStateDict(
    this: Module,
    state: Map<string, unknown>,
    prefix: string,
    metadata: ModuleMetadata,
    loading: StateDictLoading,
  ): void {
    loadOwnState(this, state, prefix, loading);
  }

  /** Has `hook` called before `stateDict` collects this module's part. As `register_state_dict_pre_hook`. */
  registerStateDictPreHook<M extends Module>(
    this: M,
    hook: (module: M, prefix: string, keepVars: boolean) => void,
  ): ModuleHookHandle {
    hookTakes.check('registerStateDictPreHook', arguments);
    return addHook(this, 'stateDictPre', hook);
  }

  /**
   * Has `hook` called when `stateDict` has collected this module and all below it; it may change the state dict. As
   * `register_state_dict_post_hook`.
   */
  registerStateDictPostHook<M extends Module>(
    this: M,
    hook: (module: M, stateDict: StateDict, prefix: string, metadata: ModuleMetadata) => void,
  ): ModuleHookHandle {
    hookTakes.check('registerStateDictPostHook', arguments);
    return addHook(this, 'stateDictPost', hook);
  }

  /**
   * Has `hook` called before this module loads its part; it may change `state`, whose keys begin with `prefix`. As
   * `register_load_state_dict_pre_hook`.
   */
  registerLoadStateDictPreHook<M extends Module>(
    this: M,
    hook: (
      module: M,
      state: Map<string, unknown>,
      prefix: string,
      metadata: ModuleMetadata,
      loading: StateDictLoading,
    ) => void,
  ): ModuleHookHandle {
    hookTakes.check('registerLoadStateDictPreHook', arguments);
    return addHook(this, 'loadPre', hook);
  }

  /**
   * Has `hook` called after a state dict was loaded, this module's and its submodules' parts; taking keys out of the two
   * lists makes `strict` ignore them. As `register_load_state_dict_post_hook`.
   */
  registerLoadStateDictPostHook<M extends Module>(
    this: M,
    hook: (module: M, incompatible: LoadStateDictResult) => void,
  ): ModuleHookHandle {
    hookTakes.check('registerLoadStateDictPostHook', arguments);
    return addHook(this, 'loadPost', hook);
  }
}
