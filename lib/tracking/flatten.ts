import { checkDepth } from '../depth.js';
import { isPlainObject } from '../realms.js';
import { show } from '../show.js';

/**
 * Nested settings as one level of dotted keys with text values, as trackers take them: `{ a: { b: 1 } }` gives
 * `{ 'a.b': '1' }`. Arrays and empty objects become JSON, `undefined` is left out.
 */
export function flattenParams(params: object): Record<string, string> {
  const flat: Record<string, string> = {};
  addEntries(params, '', flat, new Set());
  return flat;
}

function addEntries(value: object, prefix: string, flat: Record<string, string>, open: Set<object>): void {
  checkDepth(open.size, 'parameters');
  open.add(value);
  for (const [key, entry] of Object.entries(value) as [string, unknown][]) {
    const path = prefix + key;
    if (entry === undefined) continue;
    if (!isPlainObject(entry)) flat[path] = asText(entry);
    else if (open.has(entry)) flat[path] = '[circular]';
    else if (Object.keys(entry).length === 0) flat[path] = '{}';
    else addEntries(entry, `${path}.`, flat, open);
  }
  open.delete(value);
}

function asText(value: unknown): string {
  if (!Array.isArray(value)) return String(value);
  try {
    return JSON.stringify(value);
  } catch (error) {
    // An array that holds itself or a bigint has no JSON; its plain text is still worth recording, of a deep one the beginning.
    return error instanceof RangeError ? show(value) : String(value);
  }
}
