import { isMap, isSet } from 'node:util/types';
import { isError } from '../../realms.js';

/** What a value of a structured clone has in it. */
function partsOf(value: object): unknown[] {
  if (ArrayBuffer.isView(value)) return [];
  if (isMap(value)) return [...value].flat();
  if (isSet(value)) return [...value];
  return isError(value) ? [value.cause] : Object.values(value);
}

/** Whether values lie in values more than `most` deep, in the order in which a structured clone goes through them. */
export function isNestedDeeper(value: unknown, most: number): boolean {
  const seen = new Set<object>();
  const left = [{ value, depth: 1 }];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { value, depth } = next;
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    if (depth > most) return true;
    seen.add(value);
    const parts = partsOf(value).filter((part) => typeof part === 'object' && part !== null);
    for (const part of parts.reverse()) left.push({ value: part, depth: depth + 1 });
  }
  return false;
}
