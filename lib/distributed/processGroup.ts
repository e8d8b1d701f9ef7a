import { isExternal } from 'node:util/types';

import { AiforgeError } from '../errors.js';
import { kind, type Kind } from '../kinds.js';
import type { Backend } from './backend.js';
import { ObjectCollectives } from './collectives/objectCollectives.js';
import type { GroupPlace } from './collectives/tensorCollectives.js';
import { flightRecordOf, type FlightRecord } from './flightRecord.js';
import { glooAddress } from './glooAddress.js';
import * as takes from './groupOptions.js';
import { explainJoin } from './joinError.js';
import { nativeDistributed, type NativeGroup } from './native.js';
import { checkNcclOptions, nativeNcclOptions } from './ncclOptions.js';
import { rankDevice } from './rankDevice.js';
import { nothing } from '../signature.js';
import type { Store } from './stores/store.js';

/** How a rank leaves a group. */
type Leaving = 'destroy' | 'abort';

/**
 * Ranks that work together. Every rank must call the same collectives in the same order, with tensors of the same shape and dtype: on
 * Gloo, where all ranks are Node's, a collective that differs between them rejects on every rank with each rank's call and line, and
 * the group is at its end. Collectives return at once and settle when they are done: the event loop goes on meanwhile. Each takes
 * `timeoutMs` and a `signal`.
 */
export class ProcessGroup extends ObjectCollectives {
  #onLeave: (() => void) | undefined;
  #onLeft: ((how: Leaving) => Promise<void>) | undefined;

  private constructor(group: NativeGroup, place: GroupPlace, openOnCpu: () => Promise<NativeGroup>) {
    // In JavaScript nothing is private.
    if (!isExternal(group)) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        'ProcessGroup: the ranks make it together; write await initProcessGroup(), await newGroup(ranks) or await ' +
          'ProcessGroup.create(store, options).',
      );
    }
    super(group, place, openOnCpu);
  }

  /** Joins a group; resolves when all its ranks have. Rejects with `DISTRIBUTED_FAILED` when one does not come in time. */
  static async create(store: Store, options: takes.ProcessGroupOptions): Promise<ProcessGroup> {
    takes.createTakes.check('ProcessGroup.create', arguments);
    return ProcessGroup.join(store, options, options.timeoutMs);
  }

  /** @internal As `create`, but waits for the other ranks for another time than collectives do. */
  static async join(
    store: Store,
    options: takes.ProcessGroupOptions,
    joinTimeoutMs = 1_800_000,
  ): Promise<ProcessGroup> {
    const { rank, worldSize, backend = 'gloo', name = '0', timeoutMs = 1_800_000 } = options;
    checkNcclOptions(options.ncclOptions, backend);
    const ownDevice = options.deviceId === undefined ? null : rankDevice(options.deviceId, backend);
    const full = { rank, worldSize, backend, name, timeoutMs };
    const open = async (name: string, backend: Backend, deviceId: number | null): Promise<NativeGroup> => {
      try {
        return await nativeDistributed.openProcessGroup(
          store.native,
          backend,
          name,
          full.rank,
          full.worldSize,
          Math.ceil(full.timeoutMs),
          deviceId,
          backend === 'gloo' ? null : nativeNcclOptions(options.ncclOptions),
          Math.ceil(joinTimeoutMs),
          backend === 'nccl' ? null : await glooAddress(store),
        );
      } catch (error) {
        throw await explainJoin(error, { store, name, backend, worldSize, timeoutMs });
      }
    };
    // Objects are bytes on the CPU.
    const openOnCpu = (): Promise<NativeGroup> => open(`${full.name}/objects`, 'gloo', null);
    return new ProcessGroup(await open(full.name, full.backend, ownDevice), full, openOnCpu);
  }

  /**
   * What c10d's flight recorder holds of this group's last collectives, the newest last, for Gloo and NCCL alike: which were
   * called, with what, and how far they came; over Gloo also where, as long as the group is not aborted. `TORCH_FR_BUFFER_SIZE` sets how many it keeps, 0 for none. Default: 2000.
   *
   * @example
   * import { ones } from 'aiforge';
   * import { ProcessGroup, TCPStore } from 'aiforge/distributed';
   * const group = await ProcessGroup.create(await TCPStore.create({ port: 0, isServer: true }), { rank: 0, worldSize: 1 });
   * await group.allReduce(ones([2]));
   * group.dumpFlightRecorder().entries.at(-1)?.profiling_name; // 'gloo:all_reduce'
   * await group.destroy();
   */
  dumpFlightRecorder(options: { onlyActive?: boolean } = {}): FlightRecord {
    takes.recordTakes.check('dumpFlightRecorder', arguments);
    const { onlyActive = false } = options;
    return flightRecordOf(this.native, this.name, this.backend !== 'gloo', onlyActive);
  }

  /** Leaves the group once its pending collectives are done. Collectives called afterwards reject. */
  async destroy(): Promise<void> {
    nothing.check('ProcessGroup.destroy', arguments);
    this.#onLeave?.();
    if (this.ownGroupOnCpu !== undefined) await nativeDistributed.closeProcessGroup(await this.ownGroupOnCpu);
    await nativeDistributed.closeProcessGroup(this.native);
    await this.#onLeft?.('destroy');
  }

  /**
   * Ends the group at once, whatever the other ranks do: pending collectives reject with `DISTRIBUTED_FAILED`, here and, as their
   * connections close, on the other ranks, which then abort it too. The process goes on and may join another group, on another port
   * or under another name. Resolves when nothing of the group is left. As Python's `_abort_process_group`.
   *
   * @example
   * import { ProcessGroup, TCPStore } from 'aiforge/distributed';
   * const store = await TCPStore.create({ port: 0, isServer: true });
   * const group = await ProcessGroup.create(store, { rank: 0, worldSize: 1 });
   * await group.abort();
   * const next = await ProcessGroup.create(store, { rank: 0, worldSize: 1, name: '1' });
   * await next.destroy();
   */
  async abort(): Promise<void> {
    nothing.check('ProcessGroup.abort', arguments);
    this.#onLeave?.();
    this.rejectAborted();
    // Not waited for: while it is being opened, it waits for the other ranks.
    this.ownGroupOnCpu?.then((group) => nativeDistributed.abortProcessGroup(group)).catch(() => undefined);
    await nativeDistributed.abortProcessGroup(this.native);
    await this.#onLeft?.('abort');
  }

  /** @internal Calls `first` as soon as this rank leaves the group, and `then` when nothing of it is left. */
  whenLeft(first: () => void, then: (how: Leaving) => Promise<void>): void {
    this.#onLeave = first;
    this.#onLeft = then;
  }
}

export const groupKind: Kind<ProcessGroup> = kind('a ProcessGroup', (value) => value instanceof ProcessGroup);
