import * as cuda from '../cuda/index.js';
import { AiforgeError } from '../errors.js';
import { anything, string, positive, whole, size, count, optional } from '../kinds.js';
import { nothing, signature } from '../signature.js';
import { setDefaultSyncGroup } from '../nn/syncGroup.js';
import type { Tensor } from '../tensor/tensor.js';
import { callOptions, type CallOptions } from './collectives/calls.js';
import { readRankEnvironment, type RankOptions } from './environment.js';
import { backendKind, type Backend } from './backend.js';
import { checkNcclOptions, ncclOptionsKind, type NcclOptions } from './ncclOptions.js';
import { barrierOptions, type BarrierOptions, type ReduceOptions } from './groupOptions.js';
import { groupKind, ProcessGroup } from './processGroup.js';
import { deviceIdKind, rankDevice } from './rankDevice.js';
import { reduceOpKind } from './reduceOp.js';
import { TCPStore } from './store.js';
import { tensorKind } from '../tensor/kinds.js';

export interface InitProcessGroupOptions extends RankOptions {
  /** Default: `gloo`. */
  backend?: Backend;
  /** How long to wait for the other ranks, now and in each collective. Default: 30 minutes. */
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
    deviceId: deviceIdKind,
    ncclOptions: ncclOptionsKind,
    timeoutMs: positive,
    rank: size,
    worldSize: count,
    masterAddr: string,
    masterPort: whole,
  },
);

interface GroupOption {
  /** Default: the group of `initProcessGroup`. */
  group?: ProcessGroup;
}

type GroupCallOptions = GroupOption & CallOptions;

let initialised: ProcessGroup | undefined;
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
  const { backend = 'gloo', timeoutMs = 1_800_000, deviceId, ncclOptions, ...rest } = options;
  if (initialised !== undefined || starting) {
    throw new AiforgeError(
      'DISTRIBUTED_FAILED',
      'initProcessGroup was called twice; call destroyProcessGroup() before.',
    );
  }
  checkNcclOptions(ncclOptions, backend);
  const device = rankDevice(deviceId, backend);
  const { rank, worldSize, masterAddr, masterPort, servesStore } = readRankEnvironment(rest);
  starting = true;
  try {
    if (device !== null) cuda.setDevice(device);
    const store = await TCPStore.create({
      host: masterAddr,
      port: masterPort,
      worldSize,
      isServer: servesStore,
      timeoutMs,
    });
    const place = device === null ? {} : { deviceId: device };
    const given = ncclOptions === undefined ? {} : { ncclOptions };
    const group = await ProcessGroup.create(store, { backend, rank, worldSize, timeoutMs, ...place, ...given });
    group.whenLeft(forget);
    initialised = group;
    setDefaultSyncGroup(group);
    return group;
  } finally {
    starting = false;
  }
}

function forget(): void {
  initialised = undefined;
  setDefaultSyncGroup(null);
}

/** Whether `initProcessGroup` has been called, and its group not yet destroyed. */
export function isInitialized(): boolean {
  return initialised !== undefined;
}

/** The group of all ranks; throws before `initProcessGroup`. */
export function defaultProcessGroup(): ProcessGroup {
  if (initialised === undefined) {
    throw new AiforgeError('DISTRIBUTED_FAILED', 'There is no process group yet: await initProcessGroup() first.');
  }
  return initialised;
}

const groupTakes = signature<GroupOption>({}, { group: groupKind });

export function getRank(options: GroupOption = {}): number {
  groupTakes.check('getRank', arguments);
  const { group = defaultProcessGroup() } = options;
  return group.rank;
}

export function getWorldSize(options: GroupOption = {}): number {
  groupTakes.check('getWorldSize', arguments);
  const { group = defaultProcessGroup() } = options;
  return group.worldSize;
}

/**
 * What a group's collectives go through. As `torch.distributed.get_backend`.
 *
 * @example
 * import { destroyProcessGroup, getBackend, initProcessGroup } from 'aiforge/distributed';
 * await initProcessGroup({ rank: 0, worldSize: 1, masterAddr: '127.0.0.1', masterPort: 29_517 });
 * getBackend(); // 'gloo'
 * await destroyProcessGroup();
 */
export function getBackend(options: GroupOption = {}): Backend {
  groupTakes.check('getBackend', arguments);
  const { group = defaultProcessGroup() } = options;
  return group.backend;
}

/** Leaves the default group; does nothing when there is none. A process may also just end. */
export async function destroyProcessGroup(): Promise<void> {
  await initialised?.destroy();
}

/**
 * Ends the default group at once, see {@link ProcessGroup.abort}; does nothing when there is none. `initProcessGroup` makes the next,
 * on another port.
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
  await initialised?.abort();
}

const groupCall = { group: groupKind, ...callOptions };
const broadcastTakes = signature<GroupCallOptions>({ tensor: tensorKind, src: whole }, groupCall);

/** See {@link ProcessGroup.broadcast}. */
export async function broadcast(tensor: Tensor, src: number, options: GroupCallOptions = {}): Promise<void> {
  broadcastTakes.check('broadcast', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  await group.broadcast(tensor, src, rest);
}

const allReduceTakes = signature<GroupOption & ReduceOptions>(
  { tensor: tensorKind },
  { op: reduceOpKind, ...groupCall },
);

/** See {@link ProcessGroup.allReduce}. */
export async function allReduce(tensor: Tensor, options: GroupOption & ReduceOptions = {}): Promise<void> {
  allReduceTakes.check('allReduce', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  await group.allReduce(tensor, rest);
}

const allGatherTakes = signature<GroupCallOptions>({ tensor: tensorKind }, groupCall);

/** See {@link ProcessGroup.allGather}. */
export async function allGather(tensor: Tensor, options: GroupCallOptions = {}): Promise<Tensor[]> {
  allGatherTakes.check('allGather', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  return group.allGather(tensor, rest);
}

const barrierTakes = signature<GroupOption & BarrierOptions>({}, { ...barrierOptions, group: groupKind });

/** See {@link ProcessGroup.barrier}. */
export async function barrier(options: GroupOption & BarrierOptions = {}): Promise<void> {
  barrierTakes.check('barrier', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  await group.barrier(rest);
}

const broadcastValueTakes = signature<GroupCallOptions>({ value: optional(anything), src: whole }, groupCall);

/** See {@link ProcessGroup.broadcastBytes}. */
export async function broadcastBytes(
  bytes: Uint8Array | null,
  src: number,
  options: GroupCallOptions = {},
): Promise<Uint8Array> {
  broadcastValueTakes.check('broadcastBytes', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  return group.broadcastBytes(bytes, src, rest);
}

/** See {@link ProcessGroup.broadcastObject}. */
export async function broadcastObject<T>(value: T, src: number, options: GroupCallOptions = {}): Promise<T> {
  broadcastValueTakes.check('broadcastObject', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  return group.broadcastObject(value, src, rest);
}
