import { checkDepth } from '../depth.js';
import { isPlainObject } from '../realms.js';

type Finish = <T extends object>(made: T) => T;

function copied(value: unknown, finish: Finish, depth = 0): unknown {
  checkDepth(depth, 'plain data');
  if (Array.isArray(value)) return finish(value.map((each) => copied(each, finish, depth + 1)));
  if (!isPlainObject(value)) return value;
  return finish(Object.fromEntries(Object.entries(value).map(([key, each]) => [key, copied(each, finish, depth + 1)])));
}

/**
 * A copy of plain data that nobody can write into: what is handed out must not change what the run goes by. Whatever is no
 * plain object and no array is taken as it is.
 */
export const frozenCopy = <T>(value: T): T => copied(value, Object.freeze) as T;

/** A copy of plain data for its owner to do with as it likes. */
export const ownCopy = <T>(value: T): T => copied(value, (made) => made) as T;
