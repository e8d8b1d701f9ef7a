import { z } from 'zod';

import { AiforgeError } from '../errors.js';
import { ExperimentConfig } from './experimentConfig.js';
import { isMapping, type Origin, type Origins } from './origin.js';
import { plainCopy, unsafeKeys } from './plainCopy.js';
import { nearest } from '../nearest.js';
import { settingCalled } from './settingNames.js';
import { keysAt, schemaAt } from './schemaShape.js';
import { isPlainScalar, typedText } from './typedText.js';
import { unknownKey } from './validate.js';

export interface Override {
  /** Keys, and indices of lists. A number may also be a key until the list is seen. */
  path: (string | number)[];
  value: unknown;
  /** What follows `=`. */
  given: string;
  /** As it was given, for messages. */
  text: string;
}

const refusal = (text: string, reason: string, cause?: unknown) =>
  new AiforgeError('CONFIG_INVALID', `Override '${text}': ${reason}`, { cause });

/**
 * Reads `training.epochs=2`, or `training.parameterGroups[0].learningRate=0.1`: a path of keys that `ExperimentConfig` knows and of
 * indices of lists, and what it is set to, which is read by the schema there (`typedText`). Throws `CONFIG_INVALID`.
 */
export function parseOverride(text: string): Override {
  refuseHydra(text);
  const equals = text.indexOf('=');
  if (equals < 1) throw refusal(text, 'expected key=value, such as training.epochs=2.');
  const path = parsePath(text.slice(0, equals).trim(), text);
  checkPath(path, text);
  const given = text.slice(equals + 1);
  return { path, value: valueOf(given, path, text), given, text };
}

/** Hydra's signs for adding and removing. */
function refuseHydra(text: string): void {
  if (text.startsWith('+')) throw refusal(text, `settings are written without '+': ${text.replace(/^\++/, '')}`);
  if (!text.startsWith('~')) return;
  throw refusal(text, 'a setting is not removed by an override: leave it out of the file, or set it to null.');
}

function valueOf(given: string, path: (string | number)[], text: string): unknown {
  try {
    const setting = { schema: ExperimentConfig, path };
    const value = typedText(given, setting, (reason, cause) => refusal(text, reason, cause));
    return plainCopy(value, `Override '${text}'`);
  } catch (error) {
    // The plugin's schema may have a text there; without one it is refused then.
    if (path[0] === 'model' && path.length > 1 && isPlainScalar(given)) return given;
    throw error;
  }
}

/** `a[0].b` and `a.0.b` as keys and indices. */
function parsePath(written: string, text: string): (string | number)[] {
  return written.split('.').flatMap((part) => {
    const [, key, indices] = /^([^[\]]*)((?:\[\d+\])*)$/.exec(part) ?? [];
    if (key === undefined) throw refusal(text, `'${part}' is no element of a list; write one as key[0]`);
    if (key === '') throw refusal(text, 'the path has an empty part; write it as training.epochs');
    return [key, ...Array.from(indices!.matchAll(/\d+/g), ([index]) => Number(index))];
  });
}

/** `a[0].b`, as it is written. */
const shownPath = (path: readonly (string | number)[]): string =>
  path.map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? key : `.${key}`)).join('');

/** Refuses what no experiment can have, and makes indices of the numbers of lists that the schema knows. */
function checkPath(path: (string | number)[], text: string): void {
  path.forEach((key, index) => {
    const parent = path.slice(0, index);
    if (unsafeKeys.has(String(key))) throw refusal(text, `'${key}' is not allowed as a key; choose another name`);
    const known = keysAt(ExperimentConfig, parent);
    if (known !== undefined && !known.includes(String(key))) {
      const elsewhere =
        index === 0 && nearest(String(key), known) === undefined ? settingCalled(String(path.at(-1))) : undefined;
      if (elsewhere !== undefined)
        throw refusal(text, `'${shownPath(path)}' is no setting, did you mean '${elsewhere}'?`);
      throw refusal(text, `'${shownPath(path.slice(0, index + 1))}' is an ${unknownKey(String(key), known)}`);
    }
    const schema = schemaAt(ExperimentConfig, parent);
    if (schema === undefined || schema instanceof z.ZodRecord || schema instanceof z.ZodUnion) return;
    if (schema instanceof z.ZodObject && typeof key === 'string') return;
    const name = shownPath(parent);
    if (!(schema instanceof z.ZodArray)) {
      const kind = schema instanceof z.ZodObject ? 'a mapping' : 'a single value';
      throw refusal(text, `'${name}' is ${kind} and has no '${key}'; set ${name} itself`);
    }
    if (!/^\d+$/.test(String(key))) {
      throw refusal(
        text,
        `'${name}' is a list and has no '${key}'; write an element as ${name}[0], or set ${name} itself`,
      );
    }
    path[index] = Number(key);
  });
}

/** Sets the override's value in a tree of plain data, making the mappings on the way, but no elements of lists. */
export function applyOverride(root: Record<string, unknown>, override: Override, origins: Origins): void {
  const { path, value, given, text } = override;
  const origin: Origin = { override: text };
  let target: Record<string, unknown> = root;
  for (const [index, key] of path.slice(0, -1).entries()) {
    checkKey(target, path, index, text);
    const isMade = (target[key] ?? null) === null && !Array.isArray(target) && typeof path[index + 1] !== 'number';
    if (isMade) {
      target[key] = {};
      origins.set(target, key, origin);
    }
    const next = target[key];
    if (typeof next !== 'object' || next === null)
      throw notWithin(path.slice(0, index + 1), next, path[index + 1]!, text);
    // It is no longer what its text says.
    const { given: _, ...changed } = origins.get(target, key) ?? {};
    origins.set(target, key, changed);
    target = next as Record<string, unknown>;
  }
  checkKey(target, path, path.length - 1, text);
  target[path.at(-1)!] = value;
  origins.mark(value, () => origin);
  origins.set(target, path.at(-1)!, { ...origin, given: { text: given, guess: value } });
}

/** Refuses a key of a list, an index of a mapping, and an element that a list does not have. */
function checkKey(target: unknown, path: (string | number)[], index: number, text: string): void {
  const key = path[index]!;
  const parent = path.slice(0, index);
  const name = shownPath(parent);
  if (isMapping(target)) {
    if (typeof key === 'number') throw notWithin(parent, target, key, text);
    return;
  }
  const { length } = target as unknown[];
  if (!/^\d+$/.test(String(key))) throw notWithin(parent, target, key, text);
  if (Number(key) < length) return;
  const has =
    length === 0 ? 'is an empty list' : `has ${length} element${length > 1 ? 's' : ''}, [0] to [${length - 1}]`;
  throw refusal(text, `'${name}' ${has}, and no [${key}]; set ${name} as a whole.`);
}

function notWithin(path: readonly (string | number)[], found: unknown, key: string | number, text: string): Error {
  const name = shownPath(path);
  const wanted = typeof key === 'number' ? 'list' : 'mapping';
  if ((found ?? null) !== null) {
    return refusal(text, `'${name}' holds ${JSON.stringify(found)}, not a ${wanted}; set ${name} as a whole.`);
  }
  return refusal(
    text,
    `no ${wanted} is given as '${name}', whose element [${key}] could be set; set ${name} as a whole.`,
  );
}
