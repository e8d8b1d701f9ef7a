import { boolean, int32From, kind, orNull } from '../../kinds.js';
import { signature } from '../../signature.js';
import { nativeDistributed } from '../native.js';
import { addressTowards } from '../glooAddress.js';
import { timeoutKind } from '../timeouts.js';
import { resolveHost } from './resolveHost.js';
import { Store } from './store.js';
import { StoreLimits } from './storeLimits.js';

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

const hostKind = kind<string>(
  "a host's name or address",
  (value) => typeof value === 'string' && value !== '' && !/[\s\0]/.test(value),
);
const portKind = kind<number>(
  'a whole number in 0 … 65535',
  (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) < 2 ** 16,
);

const storeTakes = signature<TCPStoreOptions>(
  {},
  { host: hostKind, port: portKind, worldSize: orNull(int32From(1)), isServer: boolean, timeoutMs: timeoutKind },
);

/**
 * c10d's key-value store over TCP: one process serves it, all may read and write. Python's `TCPStore` speaks with it.
 *
 * @example
 * import { TCPStore } from 'aiforge/distributed';
 * const store = await TCPStore.create({ port: 0, isServer: true });
 * await store.set('greeting', 'hello');
 * Buffer.from(await store.get('greeting')).toString(); // 'hello'
 */
export class TCPStore extends Store {
  /**
   * Serves a store or connects to one. Rejects with `DISTRIBUTED_FAILED` when the port is in use, the host has no address or nobody
   * answers in time.
   */
  static async create(options: TCPStoreOptions = {}): Promise<TCPStore> {
    storeTakes.check('TCPStore.create', arguments);
    const { host = '127.0.0.1', port = 29500, worldSize = null, isServer = false, timeoutMs = 300_000 } = options;
    await resolveHost(host, timeoutMs);
    const opened = await nativeDistributed.openTcpStore(host, port, worldSize, isServer, Math.ceil(timeoutMs));
    const store = new TCPStore(opened, StoreLimits.ofServer);
    store.#addressTowardsServer = await addressTowards(host, store.port);
    return store;
  }

  #addressTowardsServer: string | undefined;

  /** @internal */
  override get addressTowardsServer(): string | undefined {
    return this.#addressTowardsServer;
  }

  /** The port of the server. */
  get port(): number {
    return nativeDistributed.storePort(this.native);
  }
}
