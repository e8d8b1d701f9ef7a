import { inspect, types } from 'node:util';

import { isError, isPlainObject } from './realms.js';

/** The method of objects that know how an error message shows them: tensors by dtype and shape, modules by their class. */
export const shown: unique symbol = Symbol.for('aiforge.shown') as never;

interface Shown {
  [shown](): string;
}

// How much of a value an error shows.
const DEPTH = 3;
const ITEMS = 16;
const LENGTH = 200;

const limits = { depth: 0, breakLength: Infinity, customInspect: false, maxArrayLength: 8, maxStringLength: 100 };

const isShown = (value: object): value is Shown => !types.isProxy(value) && shown in value;

const isPlain = (value: object): boolean => !types.isProxy(value) && isPlainObject(value);

function cut(text: string): string {
  return text.length > LENGTH ? `${text.slice(0, LENGTH)}…` : text;
}

function showItems(texts: readonly string[], count: number): string {
  return (count > texts.length ? [...texts, '…'] : texts).join(', ');
}

function showArray(array: readonly unknown[], depth: number): string {
  if (depth === DEPTH) return '[…]';
  // By index: an array is any caller's, and its own methods are not trusted.
  const count = Math.min(array.length, ITEMS);
  const items = Array.from({ length: count }, (_, i) => showWithin(array[i], depth + 1));
  return `[${showItems(items, array.length)}]`;
}

function showPlain(object: object, depth: number): string {
  const properties = Object.entries(Object.getOwnPropertyDescriptors(object)).filter(
    ([, { enumerable }]) => enumerable,
  );
  if (properties.length === 0) return '{}';
  if (depth === DEPTH) return '{…}';
  const texts = properties.slice(0, ITEMS).map(([name, property]) => {
    const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : inspect(name);
    return `${key}: ${'value' in property ? showWithin(property.value, depth + 1) : '[getter]'}`;
  });
  return `{ ${showItems(texts, properties.length)} }`;
}

// A look-alike that only inherits from a tensor has the method, but nothing that it reads.
function ownText(value: object): string | undefined {
  try {
    return isShown(value) ? value[shown]() : undefined;
  } catch {
    return undefined;
  }
}

// A proxy that was revoked, or whose traps throw, has nothing to show.
function showWithin(value: unknown, depth: number): string {
  try {
    return showReadable(value, depth);
  } catch {
    return types.isProxy(value) ? 'a proxy that cannot be read' : 'a value that cannot be read';
  }
}

function showReadable(value: unknown, depth: number): string {
  if (typeof value === 'function' && value.name !== '') {
    return /^class\b/.test(Function.prototype.toString.call(value)) ? `class ${value.name}` : `function ${value.name}`;
  }
  if (typeof value !== 'object' || value === null) return inspect(value, limits);
  if (Array.isArray(value)) return showArray(value, depth);
  // Without its stack, which would be taken for that of the error that shows it.
  if (types.isNativeError(value) && !types.isProxy(value)) return cut(`${value.name}: ${value.message}`);
  return ownText(value) ?? (isPlain(value) ? showPlain(value, depth) : cut(inspect(value, limits)));
}

/** What was thrown, for a sentence that goes on about it: an error's message, a text as it is, all else as `show`. */
export function showThrown(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown;
  return isError(thrown) ? thrown.message : show(thrown);
}

/**
 * A value as every error message shows it: strings in quotes, tensors by dtype and shape, modules by their class, and of
 * what is long or deep the beginning.
 */
export function show(value: unknown): string {
  return showWithin(value, 0);
}
