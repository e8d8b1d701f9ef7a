import { Buffer } from 'node:buffer';
import { boolean, string, positive, whole, count, orNull, listOf } from '../kinds.js';
import { signature } from '../signature.js';
import { nativeDistributed, type NativeStore } from './native.js';

export interface TCPStoreOptions {
  /** Where the server runs. Default: `127.0.0.1`. */
  host?: string;
  /** Its port; a server that is given 0 chooses a free one. Default: 29500. */
  port?: number;
  /** A server with a world size waits until so many have connected, itself included. Default: it does not wait. */
  worldSize?: number | null;
  /** Whether this process serves the store. Default: false. */
  isServer?: boolean;
  /** How long to wait for the server, for the others and for keys. Default: 5 minutes. */
  timeoutMs?: number;
}

const storeTakes = signature<TCPStoreOptions>(
  {},
  { host: string, port: whole, worldSize: orNull(count), isServer: boolean, timeoutMs: positive },
);

const waitTakes = signature<{ timeoutMs?: number | null }>({ keys: listOf(string) }, { timeoutMs: orNull(positive) });

/**
 * c10d's key-value store over TCP: one process serves it, all may read and write. Python's `TCPStore` speaks with it.
 *
 * @example
 * import { TCPStore } from 'aiforge/distributed';
 * const store = await TCPStore.create({ port: 0, isServer: true });
 * await store.set('greeting', 'hello');
 * Buffer.from(await store.get('greeting')).toString(); // 'hello'
 */
export class TCPStore {
  readonly #native: NativeStore;

  private constructor(store: NativeStore) {
    this.#native = store;
  }

  /** Serves a store or connects to one. Rejects with `DISTRIBUTED_FAILED` when the port is in use or nobody answers. */
  static async create(options: TCPStoreOptions = {}): Promise<TCPStore> {
    storeTakes.check('TCPStore.create', arguments);
    const { host = '127.0.0.1', port = 29500, worldSize = null, isServer = false, timeoutMs = 300_000 } = options;
    return new TCPStore(await nativeDistributed.openTcpStore(host, port, worldSize, isServer, timeoutMs));
  }

  /** @internal */
  get native(): NativeStore {
    return this.#native;
  }

  /** The port of the server. */
  get port(): number {
    return nativeDistributed.storePort(this.#native);
  }

  async set(key: string, value: Uint8Array | string): Promise<void> {
    await nativeDistributed.storeSet(this.#native, key, typeof value === 'string' ? Buffer.from(value) : value);
  }

  /** A key's value; waits until there is one, at most as long as the store's timeout. */
  async get(key: string): Promise<Uint8Array> {
    return nativeDistributed.storeGet(this.#native, key);
  }

  /** Adds to a counter, which begins at 0, and returns the sum. */
  async add(key: string, amount: number): Promise<number> {
    return nativeDistributed.storeAdd(this.#native, key, amount);
  }

  /** Waits until all the keys exist. Default timeout: the store's. */
  async wait(keys: readonly string[], options: { timeoutMs?: number | null } = {}): Promise<void> {
    waitTakes.check('wait', arguments);
    const { timeoutMs = null } = options;
    await nativeDistributed.storeWait(this.#native, keys, timeoutMs);
  }

  /** Whether all the keys exist now. */
  async check(keys: readonly string[]): Promise<boolean> {
    return nativeDistributed.storeCheck(this.#native, keys);
  }

  /** Deletes a key and returns whether it existed. */
  async deleteKey(key: string): Promise<boolean> {
    return nativeDistributed.storeDeleteKey(this.#native, key);
  }
}
