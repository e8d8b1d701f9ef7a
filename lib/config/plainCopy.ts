import { checkDepth } from '../depth.js';
import { AiforgeError } from '../errors.js';
import { isPlainObject } from '../realms.js';

/** Keys that reach an object's prototype when assigned. */
export const unsafeKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * A copy that shares no object with the original. Settings are what a file can hold: texts, numbers, booleans, null, lists and
 * mappings. Throws `CONFIG_INVALID` for anything else, and at a key that would reach a prototype.
 */
export function plainCopy(value: unknown, source: string): unknown {
  const ancestors = new Set<object>();
  const invalid = (path: string[], problem: string) =>
    new AiforgeError('CONFIG_INVALID', `${source}: '${path.join('.') || 'the whole'}' ${problem}.`);

  function copy(given: unknown, path: string[]): unknown {
    if (typeof given !== 'object' || given === null) {
      if (['bigint', 'function', 'symbol'].includes(typeof given)) {
        throw invalid(path, `is a ${typeof given}, which a run cannot record; write a number or a text`);
      }
      return given;
    }
    if (ancestors.has(given)) throw invalid(path, 'holds itself; write it out');
    checkDepth(path.length, source, 'CONFIG_INVALID');
    ancestors.add(given);
    const copied = Array.isArray(given)
      ? given.map((entry, index) => copy(entry, [...path, String(index)]))
      : copyMapping(given, path);
    ancestors.delete(given);
    return copied;
  }

  function copyMapping(given: object, path: string[]): object {
    if (!isPlainObject(given)) {
      const kind = (given.constructor as { name?: string } | undefined)?.name ?? 'object of a class';
      throw invalid(path, `is a ${kind}, which a run cannot record; write numbers, texts, lists and plain objects`);
    }
    const entries = Object.entries(given).map(([key, entry]) => {
      if (unsafeKeys.has(key)) throw invalid([...path, key], 'is not allowed as a key; choose another name');
      return [key, copy(entry, [...path, key])] as const;
    });
    return Object.fromEntries(entries);
  }

  return copy(value, []);
}
