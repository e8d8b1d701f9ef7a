import { AiforgeError } from '../errors.js';
import { show } from '../show.js';
import { Tuple } from './pythonValues.js';

// Python's own limit for what it takes the hash of is not far above.
const DEEPEST = 100;

/** A text that is the same for two keys that are one in Python: `1`, `1n` and `true`, or arrays of equal items. */
function identityOf(key: unknown, depth = 0): string {
  if (typeof key === 'string') return JSON.stringify(key);
  if (typeof key === 'number' || typeof key === 'boolean') return String(Number(key));
  if (typeof key === 'bigint') return BigInt(Number(key)) === key ? String(Number(key)) : String(key);
  if (key === null) return 'null';
  if (Array.isArray(key) && depth < DEEPEST) return `(${key.map((item) => identityOf(item, depth + 1)).join()})`;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `save: ${show(key)} is no key of a dictionary or item of a set in Python. Only texts, numbers, booleans, null and arrays of such can be.`,
  );
}

/** Python's lists cannot be keys; its tuples can. */
const written = (key: unknown): unknown => (Array.isArray(key) ? new Tuple(key.map(written)) : key);

/** The keys of one dictionary, or the items of one set, which must not be one in Python. */
export class Keys {
  readonly #known = new Set<string>();

  /** The key as it is written. */
  add(key: unknown): unknown {
    // Equal to no other of a Map or a Set.
    if (typeof key === 'string') return key;
    const identity = identityOf(key);
    if (this.#known.has(identity)) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `save: the key ${show(key)} occurs twice for Python, where 1, 1n and true are one, and arrays with equal items.`,
      );
    }
    this.#known.add(identity);
    return written(key);
  }
}
