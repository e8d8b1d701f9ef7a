import { AiforgeError } from '../../errors.js';
import { show } from '../../show.js';
import { isPromise, notAwaited } from '../../promised.js';
import { isMap } from '../../realms.js';
import { noGrad } from '../../autograd/modes.js';
import { scope } from '../../tensor/memory/scope.js';
import { Tensor } from '../../tensor/tensor.js';
import type { Module } from '../module.js';
import { joinNames } from '../members/moduleNames.js';
import { Parameter } from '../parameter.js';
import { hooksOf, members, registry, setMember } from '../members/registry.js';
import { callStateHooks, extraStateKey, metadataOf, type StateDict, type StateDictMetadata } from './stateDict.js';
import { isModule, submodulesOf } from '../members/traversal.js';
import { isUninitialized } from '../uninitialized.js';

export interface LoadStateDictOptions {
  /** Whether missing and unexpected keys are errors. Tensors of another shape always are. Default: true. */
  strict?: boolean;
  /**
   * Puts the tensors of the state dict themselves into the module, with their dtype and device, instead of copying their
   * values; an optimizer must then be made afterwards. Default: false.
   */
  assign?: boolean;
}

/** Which keys a state dict lacked and which it had too many. */
export interface LoadStateDictResult {
  missingKeys: string[];
  unexpectedKeys: string[];
}

/** What the modules that load a state dict tell each other. */
export interface StateDictLoading extends LoadStateDictResult {
  readonly assign: boolean;
  /** What does not fit; any makes loading fail. */
  readonly problems: string[];
  /** Has `action` done when everything is known to fit, or at once where hooks run after loading. */
  later(action: () => void): void;
}

/** What `stateDict` noted of the module: its version, where it is known. */
export type ModuleMetadata = StateDictMetadata[string];

class Loading implements StateDictLoading {
  readonly missingKeys: string[] = [];
  readonly unexpectedKeys: string[] = [];
  readonly problems: string[] = [];
  readonly assign: boolean;
  /** Whether hooks want to see the tensors that were loaded, so that nothing can wait for the end. */
  readonly atOnce: boolean;
  readonly actions: (() => void)[] = [];

  constructor(assign: boolean, atOnce: boolean) {
    this.assign = assign;
    this.atOnce = atOnce;
  }

  later(action: () => void): void {
    if (this.atOnce) action();
    else this.actions.push(action);
  }
}

/** A parameter or persistent buffer of one module. */
interface Slot {
  readonly name: string;
  readonly property: string;
  readonly tensor: Tensor;
}

function* slotsOf(module: Module): Generator<Slot> {
  const { buffers } = module[registry];
  const all = module[members]();
  for (const { name, property, value } of all) {
    if (value instanceof Parameter && !buffers.has(property)) yield { name, property, tensor: value };
  }
  for (const { name, property } of all) {
    const buffer = buffers.get(property);
    if (buffer?.tensor != null && buffer.persistent) yield { name, property, tensor: buffer.tensor };
  }
}

const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i]);

/** The tensor to load, or what is wrong with it. */
function fitting(key: string, own: Tensor, given: unknown): Tensor | string {
  if (!Tensor.isTensor(given)) return `${key}: expected a tensor, got ${show(given)}`;
  if (isUninitialized(own)) return given;
  if (isUninitialized(given)) return `${key}: the state dict has a ${given.toString()}, the module a shape`;
  // Scalars were saved as [1] once.
  if (own.dim() === 0 && sameShape(given.shape, [1])) return given.reshape([]);
  if (sameShape(own.shape, given.shape)) return given;
  return `${key}: the state dict has shape [${given.shape.join(', ')}], the module [${own.shape.join(', ')}]`;
}

function assign(module: Module, { property, tensor }: Slot, given: Tensor): void {
  if (!(tensor instanceof Parameter)) module[setMember](property, given);
  else if (given instanceof Parameter) module[setMember](property, given.requiresGrad_(tensor.requiresGrad));
  else module[setMember](property, new Parameter(given, tensor.requiresGrad));
}

function copy(own: Tensor, given: Tensor): void {
  if (isUninitialized(given)) return;
  if (isUninitialized(own)) own.materialize(given.shape);
  own.copy_(given);
}

function loadExtraState(module: Module, state: ReadonlyMap<string, unknown>, key: string, loading: Loading): void {
  if (module.setExtraState === undefined) {
    if (state.has(key)) loading.unexpectedKeys.push(key);
  } else if (state.has(key)) {
    loading.later(() => {
      const given: unknown = module.setExtraState?.(state.get(key));
      if (isPromise(given)) throw notAwaited('INVALID_ARGUMENT', `${module.constructor.name}.setExtraState returned a promise, but must be synchronous.`, given); // prettier-ignore
    });
  } else {
    loading.missingKeys.push(key);
  }
}

// In a deep model the prefixes are long, and `startsWith` compares them letter by letter.
const isUnder = (prefix: string, key: string): boolean => key.slice(0, prefix.length) === prefix;

/** The default of `loadFromStateDict`: the tensors of one module, without those of its submodules. */
export function loadOwnState(
  module: Module,
  state: ReadonlyMap<string, unknown>,
  prefix: string,
  loading: StateDictLoading,
): void {
  const slots = new Map(Array.from(slotsOf(module), (slot) => [slot.name, slot]));
  for (const slot of slots.values()) {
    const key = prefix + slot.name;
    if (!state.has(key)) {
      loading.missingKeys.push(key);
      continue;
    }
    const given = fitting(key, slot.tensor, state.get(key));
    if (typeof given === 'string') loading.problems.push(given);
    else loading.later(() => (loading.assign ? assign(module, slot, given) : copy(slot.tensor, given)));
  }
  loadExtraState(module, state, prefix + extraStateKey, loading as Loading);
  const children = new Set(submodulesOf(module).map(([name]) => name));
  for (const key of state.keys()) {
    if (!isUnder(prefix, key) || key === prefix + extraStateKey) continue;
    const end = key.indexOf('.', prefix.length);
    const isKnown = end < 0 ? slots.has(key.slice(prefix.length)) : children.has(key.slice(prefix.length, end));
    if (!isKnown) loading.unexpectedKeys.push(key);
  }
}

/** The entries of a state dict by the submodule that they are for. */
function byChild(state: ReadonlyMap<string, unknown>, prefix: string): Map<string, Map<string, unknown>> {
  const found = new Map<string, Map<string, unknown>>();
  for (const [key, value] of state) {
    const end = key.indexOf('.', prefix.length);
    if (end < 0 || !isUnder(prefix, key)) continue;
    const name = key.slice(prefix.length, end);
    const entries = found.get(name);
    if (entries === undefined) found.set(name, new Map([[key, value]]));
    else entries.set(key, value);
  }
  return found;
}

function loadModule(
  module: Module,
  path: string,
  state: Map<string, unknown>,
  metadata: StateDictMetadata,
  loading: Loading,
): void {
  const prefix = path === '' ? '' : `${path}.`;
  const local = metadata[path] ?? {};
  callStateHooks(module, 'loadPre', state, prefix, local, loading);
  module.loadFromStateDict(state, prefix, local, loading);
  const children = byChild(state, prefix);
  for (const { name, value } of module[members]()) {
    if (isModule(value))
      loadModule(value, joinNames(path, name), children.get(name) ?? new Map<string, unknown>(), metadata, loading);
  }
  const { missingKeys, unexpectedKeys } = loading;
  callStateHooks(module, 'loadPost', { missingKeys, unexpectedKeys });
}

function list(title: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`${title}:`, ...items.map((item) => `  ${item}`)];
}

function refuse(module: Module, { missingKeys, unexpectedKeys, problems, atOnce }: Loading, strict: boolean): void {
  const found = [
    ...(strict ? list('missing keys', missingKeys) : []),
    ...(strict ? list('unexpected keys', unexpectedKeys) : []),
    ...list('entries that do not fit', problems),
  ];
  if (found.length === 0) return;
  throw new AiforgeError(
    'STATE_DICT_MISMATCH',
    `The state dict does not fit ${module.constructor.name}; ${atOnce ? 'what fits' : 'nothing'} was loaded. ${strict ? 'Give { strict: false } to ignore missing and unexpected keys. ' : ''}Found\n${found.join('\n')}`,
  );
}

/**
 * Loads a state dict into a module and all below it: everything, or after any failure nothing. Where hooks run after
 * loading, which may change which keys count as missing and unexpected, what fits is loaded in any case.
 */
export function loadState(
  module: Module,
  given: Readonly<StateDict> | ReadonlyMap<string, unknown>,
  { strict = true, assign: byAssigning = false }: LoadStateDictOptions,
): LoadStateDictResult {
  const state = new Map(isMap(given) ? given : Object.entries<unknown>(given));
  const hasPostHooks = Array.from(module.modules()).some((each) => (hooksOf(each, 'loadPost')?.size ?? 0) > 0);
  const loading = new Loading(byAssigning, hasPostHooks);
  scope(() =>
    noGrad(() => {
      loadModule(module, '', state, metadataOf(given), loading);
      refuse(module, loading, strict);
      for (const action of loading.actions) action();
    }),
  );
  const { missingKeys, unexpectedKeys } = loading;
  return { missingKeys, unexpectedKeys };
}
