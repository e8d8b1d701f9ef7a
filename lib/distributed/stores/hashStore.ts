import { signature } from '../../signature.js';
import { nativeDistributed } from '../native.js';
import { timeoutKind } from '../timeouts.js';
import { Store } from './store.js';

const hashTakes = signature<{ timeoutMs?: number }>({}, { timeoutMs: timeoutKind });

/**
 * c10d's key-value store in the memory of this process, for groups of one rank and for tests. As `torch.distributed.HashStore`.
 *
 * @example
 * import { HashStore, ProcessGroup } from 'aiforge/distributed';
 * const group = await ProcessGroup.create(new HashStore(), { rank: 0, worldSize: 1 });
 * await group.destroy();
 */
export class HashStore extends Store {
  /** `timeoutMs`: how long to wait for keys. Default: 5 minutes. */
  constructor(options: { timeoutMs?: number } = {}) {
    hashTakes.check('HashStore', arguments);
    const { timeoutMs = 300_000 } = options;
    super(nativeDistributed.openHashStore(Math.ceil(timeoutMs)));
  }
}
