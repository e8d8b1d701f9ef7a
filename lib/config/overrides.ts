import { parseDocument } from './yamlLibrary.js';
import { AiforgeError } from '../errors.js';
import { ExperimentConfig } from './experimentConfig.js';
import { keysAt, schemaAt } from './schemaShape.js';
import { unknownKey } from './validate.js';

export interface Override {
  path: string[];
  value: unknown;
  /** As it was given, for messages. */
  text: string;
}

/** Keys that reach an object's prototype when assigned. */
const unsafeKeys = new Set(['__proto__', 'constructor', 'prototype']);

/** Reads `training.epochs=2`: a path of keys that `ExperimentConfig` knows, and a YAML value. Throws `CONFIG_INVALID`. */
export function parseOverride(text: string): Override {
  const equals = text.indexOf('=');
  if (equals < 1) {
    throw new AiforgeError('CONFIG_INVALID', `Override '${text}': expected key=value, such as training.epochs=2.`);
  }
  const path = text.slice(0, equals).trim().split('.');
  checkPath(path, text);
  return { path, value: parseValue(text.slice(equals + 1), text), text };
}

function checkPath(path: string[], text: string): void {
  path.forEach((key, index) => {
    const parent = path.slice(0, index);
    const refuse = (reason: string) => new AiforgeError('CONFIG_INVALID', `Override '${text}': ${reason}`);
    if (key === '') throw refuse('the path has an empty part; write it as training.epochs');
    if (unsafeKeys.has(key)) throw refuse(`'${key}' is not allowed as a key; choose another name`);
    const known = keysAt(ExperimentConfig, parent);
    if (known !== undefined && !known.includes(key)) {
      throw refuse(`'${path.slice(0, index + 1).join('.')}' is an ${unknownKey(key, known)}`);
    }
    const schema = schemaAt(ExperimentConfig, parent);
    if (known === undefined && schema !== undefined && schema._zod.def.type !== 'record') {
      throw refuse(`'${parent.join('.')}' is a single value and has no '${key}'; set ${parent.join('.')} itself`);
    }
  });
}

function parseValue(source: string, text: string): unknown {
  const document = parseDocument(source);
  const problem = document.errors[0];
  if (problem !== undefined) {
    const reason = problem.message.split('\n')[0];
    throw new AiforgeError('CONFIG_INVALID', `Override '${text}': the value is not valid YAML: ${reason}`);
  }
  return plainCopy(document.toJS(), `Override '${text}'`);
}

/** Sets the override's value in a tree of plain objects, making the objects on the way. */
export function applyOverride(root: Record<string, unknown>, { path, value, text }: Override): void {
  let target = root;
  for (const [index, key] of path.slice(0, -1).entries()) {
    target[key] ??= {};
    const next = target[key];
    if (typeof next !== 'object' || next === null || Array.isArray(next)) {
      const parent = path.slice(0, index + 1).join('.');
      throw new AiforgeError(
        'CONFIG_INVALID',
        `Override '${text}': '${parent}' holds ${JSON.stringify(next)}, not a mapping; set ${parent} as a whole.`,
      );
    }
    target = next as Record<string, unknown>;
  }
  target[path.at(-1)!] = value;
}

/** A copy that shares no object with the original. Throws `CONFIG_INVALID` at a key that would reach a prototype. */
export function plainCopy(value: unknown, source: string, path: string[] = []): unknown {
  if (Array.isArray(value)) return value.map((entry, index) => plainCopy(entry, source, [...path, String(index)]));
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, entry] of Object.entries(value)) {
    const at = [...path, key];
    if (unsafeKeys.has(key)) {
      throw new AiforgeError(
        'CONFIG_INVALID',
        `${source}: '${at.join('.')}' is not allowed as a key; choose another name.`,
      );
    }
    copy[key] = plainCopy(entry, source, at);
  }
  return copy;
}
