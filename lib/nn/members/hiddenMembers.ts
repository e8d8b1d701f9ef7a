import { Session } from 'node:inspector';

import { AiforgeError } from '../../errors.js';
import { show } from '../../show.js';
import type { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import { registry } from './registry.js';
import { isModule, namedModulesOf } from './traversal.js';

// Whether the modules of a class may have private fields; and the modules of such classes that were looked at.
const hiding = new WeakMap<NewableFunction, boolean>();
const looked = new WeakSet<Module>();
let isAnyHiding = false;

/** Notes the class of a module that is being made: programs without private fields in modules pay no more than that. */
export function noteClass(constructor: NewableFunction): void {
  if (hiding.has(constructor)) return;
  const hides = hasPrivateFields(constructor);
  hiding.set(constructor, hides);
  isAnyHiding ||= hides;
}

/**
 * Throws when a module made a module or a parameter that learns and keeps it in a `#private` field, where no walk finds it:
 * it would neither be trained nor saved. What a module was given may be hidden, and so may what does not learn.
 */
export function refuseHidden(root: Module): void {
  if (!isAnyHiding) return;
  let found: Set<object> | undefined;
  for (const [, module] of namedModulesOf(root, {})) {
    if (looked.has(module) || hiding.get(module.constructor) !== true) continue;
    found ??= new Set(membersOf(root));
    for (const [name, value] of privateFieldsOf(module)) {
      if (isOwnLearning(module, value) && !found.has(value as object)) throw refusal(module, name, value);
    }
    looked.add(module);
  }
}

function* membersOf(root: Module): Generator<object> {
  for (const [, module] of namedModulesOf(root, {})) {
    yield module;
    for (const value of Object.values(module)) if (value instanceof Parameter) yield value;
  }
}

// A member made by the module itself is younger than the module, whose constructor runs first.
function isOwnLearning(owner: Module, value: unknown): boolean {
  const { madeAt } = owner[registry];
  if (value instanceof Parameter) return value.requiresGrad && Parameter.madeAt(value) > madeAt;
  if (!isModule(value) || value[registry].madeAt < madeAt) return false;
  for (const parameter of value.parameters()) if (parameter.requiresGrad) return true;
  return false;
}

function refusal(module: Module, name: string, value: unknown): AiforgeError {
  const owner = module.constructor.name;
  return new AiforgeError(
    'INVALID_ARGUMENT',
    `${owner}: its field ${name} is a ${value instanceof Parameter ? 'Parameter' : show(value)} that learns, but JavaScript shows a #private field to its ` +
      `own class alone, so that it is neither trained nor saved nor moved. Declare it \`private ${name.slice(1)}\` or \`${name.slice(1)}\`.`,
  );
}

function hasPrivateFields(constructor: unknown): boolean {
  for (let each = constructor; typeof each === 'function'; each = Object.getPrototypeOf(each) as unknown) {
    const source = Function.prototype.toString.call(each).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    if (/#[A-Za-z_$]/.test(source)) return true;
  }
  return false;
}

const place = Symbol.for('aiforge.hiddenMembers');

// The debugger's view of an object has its private fields; the session is this process's with itself.
function privateFieldsOf(module: Module): [name: string, value: unknown][] {
  const session = new Session();
  const fields: [string, unknown][] = [];
  const values: unknown[] = [];
  try {
    session.connect();
    Object.defineProperty(globalThis, place, { value: { module, values }, configurable: true });
    const idOf = (member: string): string =>
      evaluate(session, `globalThis[Symbol.for('aiforge.hiddenMembers')].${member}`);
    const list = idOf('values');
    for (const { name, value } of propertiesOf(session, idOf('module'))) {
      if (value?.objectId === undefined) continue;
      session.post('Runtime.callFunctionOn', {
        functionDeclaration: 'function (value) { this.push(value); }',
        objectId: list,
        arguments: [{ objectId: value.objectId }],
      });
      fields.push([name, values.at(-1)]);
    }
  } catch {
    // There is no inspector in this Node, or it may not be used: then nothing can be seen.
  } finally {
    Reflect.deleteProperty(globalThis, place);
    session.disconnect();
  }
  return fields;
}

function evaluate(session: Session, expression: string): string {
  let id: string | undefined;
  session.post('Runtime.evaluate', { expression }, (_, answer) => (id = answer.result.objectId));
  if (id === undefined) throw new Error('the inspector sees another realm');
  return id;
}

interface PrivateProperty {
  name: string;
  value?: { objectId?: string };
}

function propertiesOf(session: Session, objectId: string): PrivateProperty[] {
  let found: PrivateProperty[] = [];
  session.post('Runtime.getProperties', { objectId, ownProperties: true }, (_, answer) => {
    found = (answer as { privateProperties?: PrivateProperty[] }).privateProperties ?? [];
  });
  return found;
}
