import * as cuda from '../cuda/index.js';
import { AiforgeError } from '../errors.js';
import { anything, string, positive, whole, size, count, oneOf, optional } from '../kinds.js';
import { signature } from '../signature.js';
import { setDefaultSyncGroup } from '../nn/syncGroup.js';
import type { Tensor } from '../tensor/tensor.js';
import { readRankEnvironment, type RankOptions } from './environment.js';
import { groupKind, reduceOpKind, ProcessGroup, type Backend, type ReduceOp } from './processGroup.js';
import { TCPStore } from './store.js';
import { tensorKind } from '../tensor/kinds.js';

export interface InitProcessGroupOptions extends RankOptions {
  /** Default: `gloo`. */
  backend?: Backend;
  /** How long to wait for the other ranks, now and in each collective. Default: 30 minutes. */
  timeoutMs?: number;
  /** NCCL: this rank's GPU, which also becomes the current device. Default: `LOCAL_RANK`, or the only one that it sees. */
  deviceId?: number;
}

const initTakes = signature<InitProcessGroupOptions>(
  {},
  {
    backend: oneOf('gloo', 'nccl', 'cpu:gloo,cuda:nccl'),
    deviceId: size,
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

interface ReduceOptions extends GroupOption {
  /** Default: `sum`. */
  op?: ReduceOp;
}

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
  const { backend = 'gloo', timeoutMs = 1_800_000, deviceId, ...rest } = options;
  if (initialised !== undefined || starting) {
    throw new AiforgeError(
      'DISTRIBUTED_FAILED',
      'initProcessGroup was called twice; call destroyProcessGroup() before.',
    );
  }
  if (deviceId !== undefined && backend === 'gloo') {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `deviceId: ${deviceId} is for NCCL; backend 'gloo' has no GPU of its own.`,
    );
  }
  const { rank, worldSize, masterAddr, masterPort, servesStore } = readRankEnvironment(rest);
  starting = true;
  try {
    const device = backend === 'gloo' ? null : chooseDevice(deviceId, rank);
    const store = await TCPStore.create({
      host: masterAddr,
      port: masterPort,
      worldSize,
      isServer: servesStore,
      timeoutMs,
    });
    initialised = await ProcessGroup.create(store, { backend, rank, worldSize, timeoutMs, deviceId: device });
    setDefaultSyncGroup(initialised);
    return initialised;
  } finally {
    starting = false;
  }
}

/** The GPU of an NCCL rank, which becomes the current device; null where there is none, which the group itself refuses. */
function chooseDevice(deviceId: number | undefined, rank: number): number | null {
  if (!cuda.isAvailable()) return null;
  // Launchers that show each rank its own GPU alone number it 0.
  const device = deviceId ?? (cuda.deviceCount() === 1 ? 0 : Number(process.env.LOCAL_RANK ?? rank));
  cuda.setDevice(device);
  return device;
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

/** Leaves the default group; does nothing when there is none. A process may also just end. */
export async function destroyProcessGroup(): Promise<void> {
  const group = initialised;
  initialised = undefined;
  setDefaultSyncGroup(null);
  await group?.destroy();
}

const broadcastTakes = signature<GroupOption>({ tensor: tensorKind, src: whole }, { group: groupKind });

/** See {@link ProcessGroup.broadcast}. */
export async function broadcast(tensor: Tensor, src: number, options: GroupOption = {}): Promise<void> {
  broadcastTakes.check('broadcast', arguments);
  const { group = defaultProcessGroup() } = options;
  await group.broadcast(tensor, src);
}

const allReduceTakes = signature<ReduceOptions>({ tensor: tensorKind }, { op: reduceOpKind, group: groupKind });

/** See {@link ProcessGroup.allReduce}. */
export async function allReduce(tensor: Tensor, options: ReduceOptions = {}): Promise<void> {
  allReduceTakes.check('allReduce', arguments);
  const { op = 'sum', group = defaultProcessGroup() } = options;
  await group.allReduce(tensor, { op });
}

const allGatherTakes = signature<GroupOption>({ tensor: tensorKind }, { group: groupKind });

/** See {@link ProcessGroup.allGather}. */
export async function allGather(tensor: Tensor, options: GroupOption = {}): Promise<Tensor[]> {
  allGatherTakes.check('allGather', arguments);
  const { group = defaultProcessGroup() } = options;
  return group.allGather(tensor);
}

/** See {@link ProcessGroup.barrier}. */
export async function barrier(options: GroupOption = {}): Promise<void> {
  groupTakes.check('barrier', arguments);
  const { group = defaultProcessGroup() } = options;
  await group.barrier();
}

const broadcastValueTakes = signature<GroupOption>({ value: optional(anything), src: whole }, { group: groupKind });

/** See {@link ProcessGroup.broadcastBytes}. */
export async function broadcastBytes(
  bytes: Uint8Array | null,
  src: number,
  options: GroupOption = {},
): Promise<Uint8Array> {
  broadcastValueTakes.check('broadcastBytes', arguments);
  const { group = defaultProcessGroup() } = options;
  return group.broadcastBytes(bytes, src);
}

/** See {@link ProcessGroup.broadcastObject}. */
export async function broadcastObject<T>(value: T, src: number, options: GroupOption = {}): Promise<T> {
  broadcastValueTakes.check('broadcastObject', arguments);
  const { group = defaultProcessGroup() } = options;
  return group.broadcastObject(value, src);
}
