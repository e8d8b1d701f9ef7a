import { boolean, string, type Kinds } from '../../kinds.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Module } from '../module.js';
import { joinNames } from './moduleNames.js';
import { Parameter } from '../parameter.js';
import { members, registry, type Member } from './registry.js';

export interface NamedOptions {
  /** Begins every name. Default: none. */
  prefix?: string;
  /** Whether submodules are walked too. Default: true. */
  recurse?: boolean;
  /** Whether a shared tensor comes once only, under its first name. Default: true. */
  removeDuplicate?: boolean;
}

export const namedOptions: Kinds<NamedOptions> = { prefix: string, recurse: boolean, removeDuplicate: boolean };

export type NamedModulesOptions = Pick<NamedOptions, 'prefix' | 'removeDuplicate'>;

export const isModule = (value: unknown): value is Module =>
  typeof value === 'object' && value !== null && registry in value;

/** The modules that are members of this one, a shared one as often as it occurs. */
export function submodulesOf(module: Module, all = module[members]()): [name: string, module: Module][] {
  const found: [string, Module][] = [];
  for (const { name, value } of all) if (isModule(value)) found.push([name, value]);
  return found;
}

/** The same, a shared one under its first name. */
export function childrenOf(module: Module): [name: string, module: Module][] {
  const seen = new Set<Module>();
  return submodulesOf(module).filter(([, child]) => !seen.has(child) && seen.add(child));
}

export function parametersOf(module: Module, all = module[members]()): [name: string, parameter: Parameter][] {
  const { buffers } = module[registry];
  const found: [string, Parameter][] = [];
  for (const { name, property, value } of all) {
    if (value instanceof Parameter && !buffers.has(property)) found.push([name, value]);
  }
  return found;
}

export function buffersOf(module: Module, all = module[members]()): [name: string, buffer: Tensor][] {
  const { buffers } = module[registry];
  const found: [string, Tensor][] = [];
  for (const { name, property } of all) {
    const tensor = buffers.get(property)?.tensor;
    if (tensor !== undefined && tensor !== null) found.push([name, tensor]);
  }
  return found;
}

/** The buffers that a state dict has. */
export function persistentBuffersOf(module: Module, all: Member[]): [name: string, buffer: Tensor][] {
  const { buffers } = module[registry];
  const isPersistent = ({ property }: Member): boolean => buffers.get(property)?.persistent === true;
  return buffersOf(module, all.filter(isPersistent));
}

type Visit = (path: string, module: Module, all: Member[]) => void;

/** Visits a module and all below it under their names; those in `seen` are left out, and others added to it. */
function visitModules(module: Module, path: string, seen: Set<Module> | null, visit: Visit): void {
  if (seen?.has(module) === true) return;
  seen?.add(module);
  const all = module[members]();
  visit(path, module, all);
  for (const [name, child] of submodulesOf(module, all)) visitModules(child, joinNames(path, name), seen, visit);
}

/** A module and all below it under their names. */
export function namedModulesOf(
  module: Module,
  { prefix = '', removeDuplicate = true }: NamedModulesOptions,
): [name: string, module: Module][] {
  const found: [string, Module][] = [];
  visitModules(module, prefix, removeDuplicate ? new Set() : null, (path, owner) => void found.push([path, owner]));
  return found;
}

/** The tensors that `own` gives for a module and, with `recurse`, for all below it. */
export function namedTensors<T extends Tensor>(
  module: Module,
  own: (module: Module, all: Member[]) => [string, T][],
  { prefix = '', recurse = true, removeDuplicate = true }: NamedOptions,
): [name: string, tensor: T][] {
  const found: [string, T][] = [];
  const seen = new Set<T>();
  const visit: Visit = (path, owner, all) => {
    for (const [name, tensor] of own(owner, all)) {
      if (removeDuplicate && seen.has(tensor)) continue;
      seen.add(tensor);
      found.push([joinNames(path, name), tensor]);
    }
  };
  if (recurse) visitModules(module, prefix, removeDuplicate ? new Set() : null, visit);
  else visit(prefix, module, module[members]());
  return found;
}
