import { Buffer } from 'node:buffer';
import { isExternal } from 'node:util/types';
import { AiforgeError } from '../../errors.js';
import { anything, kind, listOf, orNull, string, whole, type Kind } from '../../kinds.js';
import { signature } from '../../signature.js';
import { nativeDistributed, type NativeStore } from '../native.js';
import { timeoutKind, wholeMs } from '../timeouts.js';

const waitTakes = signature<{ timeoutMs?: number | null }>(
  { keys: listOf(string) },
  { timeoutMs: orNull(timeoutKind) },
);
const keyTakes = signature({ key: string });
const keysTake = signature({ keys: listOf(string) });
const addTakes = signature({ key: string, amount: whole });
const setTakes = signature({ key: string, value: anything });
const compareTakes = signature({ key: string, expected: anything, desired: anything });
const manyTake = signature({ keys: listOf(string), values: listOf(anything) });

const bytesOf = (value: Uint8Array | string): Uint8Array => (typeof value === 'string' ? Buffer.from(value) : value);

/**
 * Keys and their values, which several processes share: what ranks find each other through. A class for each place that they may lie
 * in: `TCPStore`, `FileStore`, `HashStore`; `PrefixStore` is a part of another.
 *
 * As `torch.distributed.Store`, whose processes speak with these. A store's calls reject with `DISTRIBUTED_FAILED` when its server is
 * gone, and after `close`.
 */
export abstract class Store {
  readonly #native: NativeStore;

  protected constructor(store: NativeStore) {
    // In JavaScript nothing is private, and nothing abstract.
    if (!isExternal(store)) {
      const { name } = new.target;
      const instead = name === 'TCPStore' || name === 'FileStore' ? `await ${name}.create` : 'await TCPStore.create';
      throw new AiforgeError('INVALID_ARGUMENT', `${name}: it is not made by new; write ${instead}(…).`);
    }
    this.#native = store;
  }

  /** @internal */
  get native(): NativeStore {
    return this.#native;
  }

  async set(key: string, value: Uint8Array | string): Promise<void> {
    setTakes.check('set', arguments);
    await nativeDistributed.storeSet(this.#native, key, bytesOf(value));
  }

  /** A key's value; waits until there is one, at most as long as the store's timeout. */
  async get(key: string): Promise<Uint8Array> {
    keyTakes.check('get', arguments);
    return (await nativeDistributed.storePeek(this.#native, key)) ?? nativeDistributed.storeGet(this.#native, key);
  }

  /** Adds to a counter, which begins at 0, and returns the sum. */
  async add(key: string, amount: number): Promise<number> {
    addTakes.check('add', arguments);
    return nativeDistributed.storeAdd(this.#native, key, amount);
  }

  /** Puts bytes behind those that a key has. A `FileStore` cannot. */
  async append(key: string, value: Uint8Array | string): Promise<void> {
    setTakes.check('append', arguments);
    await nativeDistributed.storeAppend(this.#native, key, bytesOf(value));
  }

  /**
   * Sets a key to `desired` if it has the value `expected`, or if it has none and `expected` is empty. Returns what it has then;
   * `expected` if it has none.
   */
  async compareSet(key: string, expected: Uint8Array | string, desired: Uint8Array | string): Promise<Uint8Array> {
    compareTakes.check('compareSet', arguments);
    return nativeDistributed.storeCompareSet(this.#native, key, bytesOf(expected), bytesOf(desired));
  }

  /** Waits until all the keys exist. Default timeout: the store's. */
  async wait(keys: readonly string[], options: { timeoutMs?: number | null } = {}): Promise<void> {
    waitTakes.check('wait', arguments);
    const { timeoutMs = null } = options;
    await nativeDistributed.storeWait(this.#native, keys, wholeMs(timeoutMs));
  }

  /** Whether all the keys exist now. */
  async check(keys: readonly string[]): Promise<boolean> {
    keysTake.check('check', arguments);
    return nativeDistributed.storeCheck(this.#native, keys);
  }

  /** Deletes a key and returns whether it existed. */
  async deleteKey(key: string): Promise<boolean> {
    keyTakes.check('deleteKey', arguments);
    return nativeDistributed.storeDeleteKey(this.#native, key);
  }

  /** How many keys there are; a `TCPStore` has one of its own besides. */
  async numKeys(): Promise<number> {
    return nativeDistributed.storeNumKeys(this.#native);
  }

  /** The values of several keys; waits as `get` does. */
  async multiGet(keys: readonly string[]): Promise<Uint8Array[]> {
    keysTake.check('multiGet', arguments);
    return Promise.all(keys.map((key) => this.get(key)));
  }

  /** Sets several keys. */
  async multiSet(keys: readonly string[], values: readonly (Uint8Array | string)[]): Promise<void> {
    manyTake.check('multiSet', arguments);
    if (keys.length !== values.length) {
      throw new AiforgeError('INVALID_ARGUMENT', `multiSet: got ${keys.length} keys and ${values.length} values.`);
    }
    await Promise.all(keys.map((key, i) => this.set(key, values[i]!)));
  }

  /** Leaves the store: ends its connection, and its server if this process has it and no process group uses it any more. */
  async close(): Promise<void> {
    await nativeDistributed.closeStore(this.#native);
  }
}

export const storeKind: Kind<Store> = kind('a store, such as a TCPStore', (value) => value instanceof Store);
