import { AiforgeError } from '../../errors.js';
import { show } from '../../show.js';
import { Tensor } from '../../tensor/tensor.js';
import type { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import { findMember, registry, setMember, type Member } from './registry.js';
import { isModule } from './traversal.js';

function refuse(call: string, problem: string): never {
  throw new AiforgeError('INVALID_ARGUMENT', `${call}: ${problem}`);
}

/** Throws unless a module can get a member called `property`. */
export function checkNewProperty(
  call: string,
  module: Module,
  property: string,
  replaces: (old: unknown) => boolean,
): void {
  const old: unknown = Reflect.get(module, property);
  if (property !== '' && !property.includes('.') && (old === undefined || replaces(old))) return;
  refuse(
    `${call}('${property}')`,
    `expected the name of a property without dots that ${module.constructor.name} does not have yet.`,
  );
}

export function checkTensor(call: string, property: string, value: unknown): void {
  if (value === null || Tensor.isTensor(value)) return;
  refuse(`${call}('${property}')`, `expected a Tensor or null, got ${show(value)}.`);
}

export function addParameter(module: Module, property: string, parameter: Parameter | null): void {
  const call = 'registerParameter';
  checkNewProperty(call, module, property, (old) => old === null || old instanceof Parameter);
  if (parameter !== null && !(parameter instanceof Parameter)) {
    refuse(`${call}('${property}')`, `expected a Parameter or null, got ${show(parameter)}.`);
  }
  if (parameter?.isLeaf === false) {
    refuse(`${call}('${property}')`, `expected a leaf, got the result of ${parameter.gradFn}; compute it in forward.`);
  }
  module[setMember](property, parameter);
}

export function addSubmodule(module: Module, property: string, submodule: Module | null): void {
  const call = 'registerModule';
  checkNewProperty(call, module, property, (old) => old === null || isModule(old));
  if (submodule !== null && !isModule(submodule)) {
    refuse(`${call}('${property}')`, `expected a Module or null, got ${show(submodule)}.`);
  }
  module[setMember](property, submodule);
}

function find(call: string, module: Module, name: string): Member {
  return module[findMember](name) ?? refuse(call, `${module.constructor.name} has no '${name}'.`);
}

/** The module at the end of a path of names; the path may be empty. */
export function submoduleAt(call: string, module: Module, path: readonly string[]): Module {
  let at = module;
  for (const name of path) {
    const { value } = find(call, at, name);
    at = isModule(value) ? value : refuse(call, `'${name}' of ${at.constructor.name} is no Module.`);
  }
  return at;
}

const split = (target: string): string[] => (target === '' ? [] : target.split('.'));

export function getSubmodule(module: Module, target: string): Module {
  return submoduleAt(`getSubmodule('${target}')`, module, split(target));
}

export function setSubmodule(module: Module, target: string, submodule: Module, strict: boolean): void {
  const call = `setSubmodule('${target}')`;
  const path = split(target);
  const name = path.pop() ?? refuse(call, 'expected the name of a submodule.');
  if (!isModule(submodule)) refuse(call, `expected a Module, got ${show(submodule)}.`);
  const parent = submoduleAt(call, module, path);
  const old = parent[findMember](name);
  if (old === undefined && strict) refuse(call, `${parent.constructor.name} has no '${name}'.`);
  if (old !== undefined && !isModule(old.value)) refuse(call, `'${name}' of ${parent.constructor.name} is no Module.`);
  parent[setMember](old?.property ?? name, submodule);
}

export function getParameter(module: Module, target: string): Parameter {
  const call = `getParameter('${target}')`;
  const path = split(target);
  const name = path.pop() ?? '';
  const owner = submoduleAt(call, module, path);
  const { value, property } = find(call, owner, name);
  if (value instanceof Parameter && !owner[registry].buffers.has(property)) return value;
  return refuse(call, `'${name}' of ${owner.constructor.name} is no Parameter.`);
}

export function getBuffer(module: Module, target: string): Tensor | null {
  const call = `getBuffer('${target}')`;
  const path = split(target);
  const name = path.pop() ?? '';
  const owner = submoduleAt(call, module, path);
  const { property } = find(call, owner, name);
  const buffer = owner[registry].buffers.get(property);
  return buffer === undefined ? refuse(call, `'${name}' of ${owner.constructor.name} is no buffer.`) : buffer.tensor;
}
