import type { Tensor } from '../tensor/tensor.js';
import type { Module } from './module.js';
import { joinNames } from './moduleNames.js';
import { Parameter } from './parameter.js';
import { members, registry } from './registry.js';

export interface NamedOptions {
  /** Begins every name. Default: none. */
  prefix?: string;
  /** Whether submodules are walked too. Default: true. */
  recurse?: boolean;
  /** Whether a shared tensor comes once only, under its first name. Default: true. */
  removeDuplicate?: boolean;
}

export type NamedModulesOptions = Pick<NamedOptions, 'prefix' | 'removeDuplicate'>;

export const isModule = (value: unknown): value is Module =>
  typeof value === 'object' && value !== null && registry in value;

/** The modules that are members of this one, a shared one as often as it occurs. */
export function* submodulesOf(module: Module): Generator<[name: string, module: Module]> {
  for (const { name, value } of module[members]()) if (isModule(value)) yield [name, value];
}

export function* parametersOf(module: Module): Generator<[name: string, parameter: Parameter]> {
  const { buffers } = module[registry];
  for (const { name, property, value } of module[members]()) {
    if (value instanceof Parameter && !buffers.has(property)) yield [name, value];
  }
}

export function* buffersOf(module: Module, { onlyPersistent = false } = {}): Generator<[name: string, buffer: Tensor]> {
  const { buffers } = module[registry];
  for (const { name, property } of module[members]()) {
    const buffer = buffers.get(property);
    if (buffer === undefined || buffer.tensor === null || (onlyPersistent && !buffer.persistent)) continue;
    yield [name, buffer.tensor];
  }
}

/** A module and all below it under their names; those in `seen` are left out, and others added to it. */
export function* walk(module: Module, prefix: string, seen?: Set<Module>): Generator<[name: string, module: Module]> {
  if (seen?.has(module) === true) return;
  seen?.add(module);
  yield [prefix, module];
  for (const [name, child] of submodulesOf(module)) yield* walk(child, joinNames(prefix, name), seen);
}

/** The tensors that `own` gives for a module and, with `recurse`, for all below it. */
export function* namedTensors<T extends Tensor>(
  module: Module,
  own: (module: Module) => Iterable<[string, T]>,
  { prefix = '', recurse = true, removeDuplicate = true }: NamedOptions,
): Generator<[string, T]> {
  const seen = new Set<T>();
  const modules = recurse ? walk(module, prefix, removeDuplicate ? new Set() : undefined) : [[prefix, module] as const];
  for (const [path, owner] of modules) {
    for (const [name, tensor] of own(owner)) {
      if (removeDuplicate && seen.has(tensor)) continue;
      seen.add(tensor);
      yield [joinNames(path, name), tensor];
    }
  }
}
