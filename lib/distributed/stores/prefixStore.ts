import { signature } from '../../signature.js';
import { nativeDistributed } from '../native.js';
import { Store, storeKind } from './store.js';
import { keyKind } from './storeKinds.js';

const prefixTakes = signature({ prefix: keyKind, store: storeKind });

/**
 * The part of a store whose keys begin with a prefix and a slash. As `torch.distributed.PrefixStore`.
 *
 * @example
 * import { HashStore, PrefixStore } from 'aiforge/distributed';
 * const store = new HashStore();
 * await new PrefixStore('job', store).set('state', 'ready');
 * await store.check(['job/state']); // true
 */
export class PrefixStore extends Store {
  readonly #below: Store;

  constructor(prefix: string, store: Store) {
    prefixTakes.check('PrefixStore', arguments);
    super(nativeDistributed.openPrefixStore(prefix, store.native), store.limits.behind(prefix));
    this.#below = store;
  }

  /** @internal */
  override get addressTowardsServer(): string | undefined {
    return this.#below.addressTowardsServer;
  }
}
