import { setTimeout as delay } from 'node:timers/promises';

import * as cuda from '../cuda/index.js';
import { AiforgeError } from '../errors.js';
import { count, size, string, whole } from '../kinds.js';
import { setDefaultSyncGroup } from '../nn/syncGroup.js';
import { nothing, signature } from '../signature.js';
import { backendKind, type Backend } from './backend.js';
import type { RankOptions } from './environment.js';
import { initMethodKind, type InitMethod } from './initMethod.js';
import { checkNcclOptions, ncclOptionsKind, type NcclOptions } from './ncclOptions.js';
import { ProcessGroup } from './processGroup.js';
import { deviceIdKind, rankDevice } from './rankDevice.js';
import { meet, type Meeting } from './rendezvous.js';
import { storeKind, type Store } from './stores/store.js';
import { nodesAmong } from './nodeRanks.js';
import { timeoutKind } from './timeouts.js';
import { defaultProcessGroup, enterWorld, hasWorld, leaveWorld } from './world.js';

export interface InitProcessGroupOptions extends RankOptions {
  /** Default: `gloo`. */
  backend?: Backend;
  /**
   * Where the ranks find each other: `env://`, by `MASTER_ADDR` and `MASTER_PORT`; `tcp://host:port` of a free port where rank 0 runs;
   * `file:///path`, a file that is not there yet, on a file system that all ranks have. Default: `env://`.
   */
  initMethod?: InitMethod;
  /** A store that all ranks have, in place of an initMethod; it is not closed with the group. Needs `rank` and `worldSize`. */
  store?: Store;
  /**
   * How long to wait for the other ranks, now and in each collective; it then rejects within a second. Default: 30 minutes.
   */
  timeoutMs?: number;
  /**
   * NCCL: this rank's GPU, such as 1 or `'cuda:1'`, which also becomes the current device. Default: the only one that it sees, else that
   * of `LOCAL_RANK`; INVALID_ARGUMENT where neither says which.
   */
  deviceId?: number | `cuda:${number}`;
  /** NCCL's own options, as Python's `ProcessGroupNCCL.Options`. Default: NCCL's. */
  ncclOptions?: NcclOptions;
}

const initTakes = signature<InitProcessGroupOptions>(
  {},
  {
    backend: backendKind,
    initMethod: initMethodKind,
    store: storeKind,
    deviceId: deviceIdKind,
    ncclOptions: ncclOptionsKind,
    timeoutMs: timeoutKind,
    rank: size,
    worldSize: count,
    masterAddr: string,
    masterPort: whole,
  },
);

let starting = false;

/**
 * Joins the group of all ranks, as the launcher's environment describes it; resolves when every rank is there.
 * Python's ranks can be in it as well.
 *
 * @example
 * import { allReduce, initProcessGroup } from 'aiforge/distributed';
 * import { tensor } from 'aiforge';
 * const { rank } = await initProcessGroup(); // started by `npx aiforge-launch --nproc 2 script.js`
 * const sum = tensor([rank + 1]);
 * await allReduce(sum); // 3 on both ranks
 */
export async function initProcessGroup(options: InitProcessGroupOptions = {}): Promise<ProcessGroup> {
  initTakes.check('initProcessGroup', arguments);
  if (hasWorld() || starting) {
    throw new AiforgeError(
      'DISTRIBUTED_FAILED',
      'initProcessGroup was called twice; call destroyProcessGroup() before.',
    );
  }
  checkPlaces(options);
  checkNcclOptions(options.ncclOptions, options.backend ?? 'gloo');
  starting = true;
  try {
    return await join(options);
  } finally {
    starting = false;
  }
}

function checkPlaces({ store, initMethod, masterAddr, masterPort }: InitProcessGroupOptions): void {
  const given = Object.entries({ store, initMethod, 'masterAddr and masterPort': masterAddr ?? masterPort });
  const names = given.flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (names.length < 2 || (names.length === 2 && initMethod === 'env://' && store === undefined)) return;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `initProcessGroup: ${names.join(', ')} each say where the ranks meet: give one.`,
  );
}

/** How much longer rank 0 keeps the store after joining has failed: the others look there for who has not come. */
const forOthersMs = 500;

async function join(options: InitProcessGroupOptions): Promise<ProcessGroup> {
  const { backend = 'gloo', timeoutMs = 1_800_000, deviceId, ncclOptions, ...rest } = options;
  const device = rankDevice(deviceId, backend);
  const until = performance.now() + timeoutMs;
  const meeting = await meet({ ...rest, backend }, timeoutMs);
  const { store, rank, worldSize } = meeting;
  try {
    if (device !== null) cuda.setDevice(device);
    const place = device === null ? {} : { deviceId: device };
    const given = ncclOptions === undefined ? {} : { ncclOptions };
    const all = { backend, rank, worldSize, timeoutMs, ...place, ...given };
    const group = await ProcessGroup.join(store, all, Math.max(1, Math.ceil(until - performance.now())));
    enter(group, meeting, await nodesAmong(store, worldSize), timeoutMs);
    return group;
  } catch (error) {
    if (rank === 0 && worldSize > 1) await delay(forOthersMs);
    await meeting.leave();
    throw error;
  }
}

function enter(group: ProcessGroup, { store, leave }: Meeting, nodes: readonly number[], timeoutMs: number): void {
  enterWorld(group, store, nodes, timeoutMs);
  setDefaultSyncGroup(group);
  let others: ProcessGroup[] = [];
  group.whenLeft(
    () => {
      others = leaveWorld();
      setDefaultSyncGroup(null);
    },
    async (how) => {
      await Promise.all(others.map((other) => other[how]()));
      await leave();
    },
  );
}

/** Whether `initProcessGroup` has been called, and its group not yet destroyed. */
export function isInitialized(): boolean {
  nothing.check('isInitialized', arguments);
  return hasWorld();
}

/**
 * Leaves the default group, and those made from it; does nothing when there is none. A process may also just end. The ranks may call
 * `initProcessGroup` again, at the same place too.
 */
export async function destroyProcessGroup(): Promise<void> {
  nothing.check('destroyProcessGroup', arguments);
  if (hasWorld()) await defaultProcessGroup().destroy();
}

/**
 * Ends the default group and those made from it at once, see {@link ProcessGroup.abort}; does nothing when there is none.
 * `initProcessGroup` makes the next.
 *
 * @example
 * import { abortProcessGroup, allReduce, initProcessGroup } from 'aiforge/distributed';
 * import { ones } from 'aiforge';
 * await initProcessGroup();
 * try {
 *   await allReduce(ones([4]));
 * } catch {
 *   await abortProcessGroup(); // another rank is gone, and this one goes on
 * }
 */
export async function abortProcessGroup(): Promise<void> {
  nothing.check('abortProcessGroup', arguments);
  if (hasWorld()) await defaultProcessGroup().abort();
}
