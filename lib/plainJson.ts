import { checkDepth } from './depth.js';
import { AiforgeError, type ErrorCode } from './errors.js';
import { show } from './show.js';
import { isPlainObject } from './realms.js';

/**
 * The JSON of plain data. Throws for what JSON would lose or make something else of: a Map, a typed array, NaN, a tensor.
 *
 * @param what Whose data it is, as the error calls it.
 */
export function plainJson(what: string, value: unknown, code: ErrorCode): string {
  const refuse = (path: string, found: unknown): never => {
    const place = path === '' ? '' : ` at ${path}`;
    throw new AiforgeError(
      code,
      `${what} has ${show(found)}${place}, which JSON does not keep: write numbers, texts, booleans, null, arrays and plain objects.`,
    );
  };
  const ancestors = new Set<object>();
  const check = (found: unknown, path: string): void => {
    if (found === null || typeof found === 'string' || typeof found === 'boolean' || Number.isFinite(found)) return;
    if (typeof found !== 'object' || ancestors.has(found)) return refuse(path, found);
    if (!Array.isArray(found) && !isPlainObject(found)) return refuse(path, found);
    checkDepth(ancestors.size, what, code);
    ancestors.add(found);
    for (const [key, each] of Object.entries(found)) {
      // A field that is not set is not there after reading either.
      if (each !== undefined || Array.isArray(found)) check(each, path === '' ? key : `${path}.${key}`);
    }
    ancestors.delete(found);
  };
  check(value, '');
  return JSON.stringify(value);
}
