import { isExternal } from 'node:util/types';
import { AiforgeError } from '../../errors.js';
import { boolean, kind, listOf, orNull, whole, type Kind } from '../../kinds.js';
import { nothing, signature } from '../../signature.js';
import { nativeDistributed, type NativeStore } from '../native.js';
import { timeoutKind, wholeMs } from '../timeouts.js';
import { bytesOf, keyKind, valueKind } from './storeKinds.js';
import { StoreLimits } from './storeLimits.js';

const waitTakes = signature<{ timeoutMs?: number | null }>(
  { keys: listOf(keyKind) },
  { timeoutMs: orNull(timeoutKind) },
);
const keyTakes = signature({ key: keyKind });
const keysTake = signature({ keys: listOf(keyKind) });
const addTakes = signature({ key: keyKind, amount: whole });
const setTakes = signature({ key: keyKind, value: valueKind });
const compareTakes = signature({ key: keyKind, expected: valueKind, desired: valueKind });
const popTakes = signature<QueuePopOptions>({ key: keyKind }, { block: boolean, timeoutMs: orNull(timeoutKind) });
const manyTake = signature({ keys: listOf(keyKind), values: listOf(valueKind) });

export interface QueuePopOptions {
  /** Whether to wait for a value where there is none. Default: true. */
  block?: boolean;
  /** How long to wait. Default: the store's timeout. */
  timeoutMs?: number | null;
}

/**
 * Keys and their values, which several processes share: what ranks find each other through. A class for each place that they may lie
 * in: `TCPStore`, `FileStore`, `HashStore`; `PrefixStore` is a part of another.
 *
 * As `torch.distributed.Store`, whose processes speak with these. A store's calls reject with `DISTRIBUTED_FAILED` when its server is
 * gone, and after `close`. Keys are text without lone surrogates; a `TCPStore` takes keys of at most 8191 bytes in UTF-8, prefixes
 * included, values of at most 8 MiB and 131072 keys in one call.
 */
export abstract class Store {
  readonly #native: NativeStore;
  readonly #limits: StoreLimits;

  protected constructor(store: NativeStore, limits: StoreLimits = StoreLimits.none) {
    // In JavaScript nothing is private, and nothing abstract.
    if (!isExternal(store)) {
      const { name } = new.target;
      const instead = name === 'TCPStore' || name === 'FileStore' ? `await ${name}.create` : 'await TCPStore.create';
      throw new AiforgeError('INVALID_ARGUMENT', `${name}: it is not made by new; write ${instead}(…).`);
    }
    this.#native = store;
    this.#limits = limits;
  }

  /** @internal */
  get native(): NativeStore {
    return this.#native;
  }

  /** @internal */
  get limits(): StoreLimits {
    return this.#limits;
  }

  /** @internal Where this machine is reached from that of the server; undefined where both are one, or there is no server. */
  get addressTowardsServer(): string | undefined {
    return undefined;
  }

  async set(key: string, value: Uint8Array | string): Promise<void> {
    setTakes.check('set', arguments);
    await nativeDistributed.storeSet(this.#native, this.#key('set', key), this.#bytes('set', 'value', value));
  }

  /** A key's value; waits until there is one, at most as long as the store's timeout. */
  async get(key: string): Promise<Uint8Array> {
    keyTakes.check('get', arguments);
    this.#limits.checkKeys('get', [key]);
    return (await nativeDistributed.storePeek(this.#native, key)) ?? nativeDistributed.storeGet(this.#native, key);
  }

  /**
   * Adds to a counter, which begins at 0, and returns the sum. Rejects with `INVALID_ARGUMENT`, and leaves the value as it is, where that
   * is no whole number or the sum is beyond 2^53-1.
   */
  async add(key: string, amount: number): Promise<number> {
    addTakes.check('add', arguments);
    return nativeDistributed.storeAdd(this.#native, this.#key('add', key), amount);
  }

  /** Puts bytes behind those that a key has. */
  async append(key: string, value: Uint8Array | string): Promise<void> {
    setTakes.check('append', arguments);
    await nativeDistributed.storeAppend(this.#native, this.#key('append', key), this.#bytes('append', 'value', value));
  }

  /**
   * Sets a key to `desired` if it has the value `expected`, or if it has none and `expected` is empty. Returns what it has then;
   * `expected` if it has none.
   */
  async compareSet(key: string, expected: Uint8Array | string, desired: Uint8Array | string): Promise<Uint8Array> {
    compareTakes.check('compareSet', arguments);
    return nativeDistributed.storeCompareSet(
      this.#native,
      this.#key('compareSet', key),
      this.#bytes('compareSet', 'expected', expected),
      this.#bytes('compareSet', 'desired', desired),
    );
  }

  /** Waits until all the keys exist. Default timeout: the store's. */
  async wait(keys: readonly string[], options: { timeoutMs?: number | null } = {}): Promise<void> {
    waitTakes.check('wait', arguments);
    const { timeoutMs = null } = options;
    this.#limits.checkKeys('wait', keys);
    await nativeDistributed.storeWait(this.#native, keys, wholeMs(timeoutMs));
  }

  /** Whether all the keys exist now. */
  async check(keys: readonly string[]): Promise<boolean> {
    keysTake.check('check', arguments);
    this.#limits.checkKeys('check', keys);
    return nativeDistributed.storeCheck(this.#native, keys);
  }

  /** Deletes a key and returns whether it existed. */
  async deleteKey(key: string): Promise<boolean> {
    keyTakes.check('deleteKey', arguments);
    return nativeDistributed.storeDeleteKey(this.#native, this.#key('deleteKey', key));
  }

  /** How many keys there are; a `TCPStore` has one of its own besides. */
  async numKeys(): Promise<number> {
    nothing.check('numKeys', arguments);
    return nativeDistributed.storeNumKeys(this.#native);
  }

  /** The keys that there are, in no order; of a store with a prefix its own, without it. Queues are not among them. */
  async listKeys(): Promise<string[]> {
    nothing.check('listKeys', arguments);
    return nativeDistributed.storeListKeys(this.#native);
  }

  /** Puts a value at the end of a queue, which is there as long as it has values. A `FileStore` has no queues. */
  async queuePush(key: string, value: Uint8Array | string): Promise<void> {
    setTakes.check('queuePush', arguments);
    await nativeDistributed.storeQueuePush(
      this.#native,
      this.#key('queuePush', key),
      this.#bytes('queuePush', 'value', value),
    );
  }

  /**
   * Takes the first value of a queue, for one process each; waits until there is one. With `block: false` it does not wait, and is null
   * where there is none.
   */
  async queuePop(key: string, options?: { block?: true; timeoutMs?: number | null }): Promise<Uint8Array>;
  async queuePop(key: string, options: QueuePopOptions): Promise<Uint8Array | null>;
  async queuePop(key: string, options: QueuePopOptions = {}): Promise<Uint8Array | null> {
    popTakes.check('queuePop', arguments);
    const { block = true, timeoutMs = null } = options;
    this.#limits.checkKeys('queuePop', [key]);
    if (!block) {
      if (timeoutMs === null) return nativeDistributed.storeQueueTake(this.#native, key);
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `queuePop: got timeoutMs ${timeoutMs} with block: false, which does not wait.`,
      );
    }
    return nativeDistributed.storeQueuePop(this.#native, key, wholeMs(timeoutMs));
  }

  /** How many values a queue has. */
  async queueLen(key: string): Promise<number> {
    keyTakes.check('queueLen', arguments);
    return nativeDistributed.storeQueueLength(this.#native, this.#key('queueLen', key));
  }

  /** The values of several keys; waits as `get` does. */
  async multiGet(keys: readonly string[]): Promise<Uint8Array[]> {
    keysTake.check('multiGet', arguments);
    this.#limits.checkKeys('multiGet', keys);
    const values = await Promise.all(keys.map((key) => nativeDistributed.storePeek(this.#native, key)));
    const found = values.filter((value) => value !== null);
    return found.length === keys.length ? found : nativeDistributed.storeMultiGet(this.#native, keys);
  }

  /** Sets several keys. */
  async multiSet(keys: readonly string[], values: readonly (Uint8Array | string)[]): Promise<void> {
    manyTake.check('multiSet', arguments);
    if (keys.length !== values.length) {
      throw new AiforgeError('INVALID_ARGUMENT', `multiSet: got ${keys.length} keys and ${values.length} values.`);
    }
    this.#limits.checkKeys('multiSet', keys);
    const bytes = values.map((value, i) => this.#bytes('multiSet', `value ${i}`, value));
    await Promise.all(keys.map((key, i) => nativeDistributed.storeSet(this.#native, key, bytes[i]!)));
  }

  /** Leaves the store: ends its connection, and its server if this process has it and no process group uses it any more. */
  async close(): Promise<void> {
    nothing.check('close', arguments);
    await nativeDistributed.closeStore(this.#native);
  }

  #key(name: string, key: string): string {
    this.#limits.checkKeys(name, [key]);
    return key;
  }

  #bytes(name: string, what: string, value: Uint8Array | string): Uint8Array {
    const bytes = bytesOf(`${name}: ${what}`, value);
    this.#limits.checkValue(name, what, bytes);
    return bytes;
  }
}

export const storeKind: Kind<Store> = kind('a store, such as a TCPStore', (value) => value instanceof Store);
