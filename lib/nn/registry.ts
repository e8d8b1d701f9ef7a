import { keep } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { nextAge } from './age.js';
import { Buffer } from './buffer.js';
import type { ModuleHooks, AnyHook, HookKind, HookList } from './hookLists.js';
import type { Module } from './module.js';
import { stateDictName } from './moduleNames.js';

export interface RegisteredBuffer {
  tensor: Tensor | null;
  readonly persistent: boolean;
}

/** A property of a module and its name in state dicts. */
export interface Member {
  readonly name: string;
  readonly property: string;
  readonly value: unknown;
}

/** Where a module keeps its registry; no property that a user sees. */
export const registry: unique symbol = Symbol.for('aiforge.registry') as never;

/** The method that lists a module's members; containers whose names are not their properties' override it. */
export const members: unique symbol = Symbol.for('aiforge.members') as never;

/** The method that puts another value in the place of a member, or takes it away; overridden with `members`. */
export const setMember: unique symbol = Symbol.for('aiforge.setMember') as never;

/** The method that is called after a module's tensors were converted, moved or copied; layers that lay them out override it. */
export const converted: unique symbol = Symbol.for('aiforge.converted') as never;

/** What a module knows of itself beside its properties. */
export class Registry {
  /** Tells what was made before the module from what was made after its constructor had begun. */
  readonly madeAt = nextAge();
  readonly buffers = new Map<string, RegisteredBuffer>();
  hooks: ModuleHooks | null = null;
}

/** The hooks of one kind that a module has; null where it never had any. */
export function hooksOf<Hook extends AnyHook>(module: Module, kind: HookKind): HookList<Hook> | null {
  return (module[registry].hooks?.lists[kind] as HookList<Hook> | undefined) ?? null;
}

const kept = (tensor: Tensor | null): Tensor | null => (tensor === null ? null : keep(tensor));

// Shared by all modules: the accessor reads whose registry it is from `this`, so that a copied module has its own.
function accessor(property: string): PropertyDescriptor {
  return {
    configurable: true,
    enumerable: true,
    get(this: Module) {
      return this[registry].buffers.get(property)?.tensor;
    },
    set(this: Module, value: Tensor | null) {
      this[registry].buffers.get(property)!.tensor = kept(value);
    },
  };
}

/** Makes a property of a module a buffer, whatever is assigned to it later. */
export function defineBuffer(module: Module, property: string, tensor: Tensor | null, persistent: boolean): void {
  module[registry].buffers.set(property, { tensor: kept(tensor), persistent });
  Object.defineProperty(module, property, accessor(property));
}

/** The members that are properties; a `Buffer` that was assigned to one is registered on the way. */
export function propertiesOf(module: Module): Member[] {
  const { buffers } = module[registry];
  return Object.keys(module).map((property) => {
    const value: unknown = Reflect.get(module, property);
    if (value instanceof Buffer && !buffers.has(property)) defineBuffer(module, property, value, value.persistent);
    return { name: stateDictName(property), property, value };
  });
}

/** The default of `setMember`: members are properties, and undefined takes one away. */
export function setProperty(module: Module, property: string, value: unknown): void {
  if (value === undefined) {
    module[registry].buffers.delete(property);
    Reflect.deleteProperty(module, property);
  } else {
    Reflect.set(module, property, value);
  }
}
