import { AiforgeError } from '../../errors.js';
import { isMap, isPlainObject, isSet } from '../../realms.js';
import { noGrad } from '../../autograd/modes.js';
import { keep, scope } from '../../tensor/memory/scope.js';
import { Tensor } from '../../tensor/tensor.js';
import { Buffer } from '../buffer.js';
import type { Module } from '../module.js';
import { ModuleHooks } from '../hooks/hookLists.js';
import { Parameter } from '../parameter.js';
import { converted, registry, Registry } from '../members/registry.js';
import { isModule } from '../members/traversal.js';
import { isUninitialized } from '../uninitialized.js';

type Copies = Map<object, unknown>;

function copyTensor(tensor: Tensor): Tensor {
  if (!tensor.isLeaf) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `deepCopy: a module holds a tensor that was computed (${tensor.gradFn}), which cannot be copied with its graph; detach() it.`,
    );
  }
  if (isUninitialized(tensor)) return tensor.copyUninitialized();
  return scope(() => {
    const data = noGrad(() => tensor.detach().clone());
    if (tensor instanceof Parameter) return tensor.copyWith(data);
    if (tensor instanceof Buffer) return new Buffer(data, { persistent: tensor.persistent });
    return keep(data.requiresGrad_(tensor.requiresGrad));
  });
}

function copyModule(module: Module, copies: Copies): Module {
  const copy = Object.create(Object.getPrototypeOf(module) as object) as Module;
  copies.set(module, copy);
  const own = new Registry();
  for (const [property, { tensor, persistent }] of module[registry].buffers) {
    own.buffers.set(property, { tensor: copyOf(tensor, copies), persistent });
  }
  for (const [property, kind] of module[registry].kinds) own.kinds.set(property, kind);
  own.hooks = module[registry].hooks === null ? null : new ModuleHooks(module[registry].hooks);
  Object.defineProperty(copy, registry, { value: own });
  for (const name of Reflect.ownKeys(module)) {
    if (name === registry) continue;
    const property = Object.getOwnPropertyDescriptor(module, name)!;
    if ('value' in property) property.value = copyOf<unknown>(property.value, copies);
    Object.defineProperty(copy, name, property);
  }
  copy[converted]();
  return copy;
}

function copyObject(value: object, copies: Copies): object {
  if (isModule(value)) return copyModule(value, copies);
  if (Tensor.isTensor(value)) {
    const copy = copyTensor(value);
    copies.set(value, copy);
    return copy;
  }
  if (Array.isArray(value)) return fill<unknown[]>(value, [], copies, (copy, item) => void copy.push(item));
  if (isSet(value)) return fill<Set<unknown>>(value, new Set(), copies, (copy, item) => void copy.add(item));
  if (isMap(value)) {
    const copy = new Map<unknown, unknown>();
    copies.set(value, copy);
    for (const [key, item] of value) copy.set(copyOf(key, copies), copyOf(item, copies));
    return copy;
  }
  if (!isPlainObject(value)) return value;
  const copy: Record<string, unknown> = {};
  copies.set(value, copy);
  for (const [name, item] of Object.entries(value)) copy[name] = copyOf<unknown>(item, copies);
  return copy;
}

function fill<T extends object>(
  value: Iterable<unknown>,
  copy: T,
  copies: Copies,
  add: (copy: T, item: unknown) => void,
): T {
  copies.set(value, copy);
  for (const item of value) add(copy, copyOf(item, copies));
  return copy;
}

function copyOf<T>(value: T, copies: Copies): T {
  if (typeof value !== 'object' || value === null) return value;
  return (copies.has(value) ? copies.get(value) : copyObject(value, copies)) as T;
}

/**
 * A copy of a module that shares nothing with it: parameters, buffers, submodules and other properties, where arrays,
 * maps, sets and plain objects are copied too, and other objects and functions are the same. What was shared inside is
 * shared in the copy. Gradients are not copied. As Python's `copy.deepcopy(module)`.
 */
export function deepCopy<M extends Module>(module: M): M {
  return copyOf(module, new Map());
}
