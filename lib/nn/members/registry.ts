import { AiforgeError } from '../../errors.js';
import { show } from '../../show.js';
import { camelCase } from '../../tensor/calls/schema.js';
import { keep } from '../../tensor/memory/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { nextAge } from './age.js';
import { Buffer } from '../buffer.js';
import type { ModuleHooks, AnyHook, HookKind, HookList } from '../hooks/hookLists.js';
import type { Module } from '../module.js';
import { stateDictName } from './moduleNames.js';
import { Parameter } from '../parameter.js';

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

/** The method that finds a member by its name, or its property, without a look at the others; overridden with `members`. */
export const findMember: unique symbol = Symbol.for('aiforge.findMember') as never;

/** The method that puts another value in the place of a member, or takes it away; overridden with `members`. */
export const setMember: unique symbol = Symbol.for('aiforge.setMember') as never;

/** The method that is called after a module's tensors were converted, moved or copied; layers that lay them out override it. */
export const converted: unique symbol = Symbol.for('aiforge.converted') as never;

type MemberKind = 'Parameter' | 'Module';

/** What a module knows of itself beside its properties. */
export class Registry {
  /** Tells what was made before the module from what was made after its constructor had begun. */
  readonly madeAt = nextAge();
  readonly buffers = new Map<string, RegisteredBuffer>();
  /** What the properties that held a parameter or a module may hold from then on; null always. */
  readonly kinds = new Map<string, MemberKind>();
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

/** Marks what wraps a module without being one. */
export const wrapper = Symbol('aiforge.wrapper');

function kindOf(value: unknown): MemberKind | null {
  if (value instanceof Parameter) return 'Parameter';
  return typeof value === 'object' && value !== null && registry in value ? 'Module' : null;
}

/**
 * Throws where something else was put in the place of a parameter or a module, which would no longer be trained, moved or saved.
 * A getter may compute what was a parameter.
 */
function checkKind(module: Module, property: string, value: unknown): void {
  const { kinds } = module[registry];
  const kind = kindOf(value);
  const before = kinds.get(property);
  if (typeof value === 'object' && value !== null && wrapper in value) throw asMember(module, property, value);
  if (kind !== null && (before !== 'Parameter' || kind === 'Parameter')) {
    if (kind !== before) kinds.set(property, kind);
    return;
  }
  if (before === undefined || value === null || value === undefined) return;
  if (Object.getOwnPropertyDescriptor(module, property)?.get !== undefined) return;
  const name = `${module.constructor.name}.${property}`;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `${name}: expected a ${before} or null, got ${show(value)}.` +
      (before === 'Parameter'
        ? ` Write new nn.Parameter(…), or setData(…) of the parameter that is there; what is computed has a name of its own.`
        : ''),
  );
}

function asMember(module: Module, property: string, value: object): AiforgeError {
  const name = `${module.constructor.name}.${property}`;
  return new AiforgeError(
    'INVALID_ARGUMENT',
    `${name}: a ${value.constructor.name} is no module, so that its parameters would be neither saved nor found here: keep its ` +
      '.module as the member, and itself beside the model or in a #private field.',
  );
}

/** Notes what a module holds, so that nothing else takes its place; every look at the members does so as well. */
export function noteMembers(module: Module): void {
  propertiesOf(module);
}

/** The member that is a property; a `Buffer` that was assigned to it is registered on the way. */
function memberAt(module: Module, property: string): Member {
  const value: unknown = Reflect.get(module, property);
  if (!module[registry].buffers.has(property)) {
    if (value instanceof Buffer) defineBuffer(module, property, value, value.persistent);
    else checkKind(module, property, value);
  }
  return { name: stateDictName(property), property, value };
}

/** The members that are properties. */
export function propertiesOf(module: Module): Member[] {
  return Object.keys(module).map((property) => memberAt(module, property));
}

const isProperty = (module: Module, property: string): boolean =>
  Object.prototype.propertyIsEnumerable.call(module, property);

/** The default of `findMember`: the property that has the name in state dicts, else the one that is called so itself. */
export function propertyOf(module: Module, name: string): Member | undefined {
  const property = propertyNamed(module, name) ?? name;
  return isProperty(module, property) ? memberAt(module, property) : undefined;
}

function propertyNamed(module: Module, name: string): string | undefined {
  const isNamed = (property: string): boolean => stateDictName(property) === name;
  // What is no name itself is none of another property either.
  if (!isNamed(name)) return undefined;
  const usual = [name, camelCase(name)].find((property) => isProperty(module, property) && isNamed(property));
  return usual ?? Object.keys(module).find(isNamed);
}

/** The default of `setMember`: members are properties, and undefined takes one away. */
export function setProperty(module: Module, property: string, value: unknown): void {
  if (value === undefined) {
    module[registry].buffers.delete(property);
    module[registry].kinds.delete(property);
    Reflect.deleteProperty(module, property);
  } else {
    Reflect.set(module, property, value);
  }
}
