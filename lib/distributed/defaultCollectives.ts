import { anything, optional, whole } from '../kinds.js';
import { signature } from '../signature.js';
import { tensorKind } from '../tensor/kinds.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Backend } from './backend.js';
import { barrierOptions, type BarrierOptions } from './groupOptions.js';
import { groupKind, type ProcessGroup } from './processGroup.js';
import { reduceOpKind, type ReduceOp } from './reduceOp.js';
import { defaultProcessGroup } from './world.js';

interface GroupOption {
  /** Default: the group of `initProcessGroup`. */
  group?: ProcessGroup;
}

interface ReduceOptions extends GroupOption {
  /** Default: `sum`. */
  op?: ReduceOp;
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

const barrierTakes = signature<GroupOption & BarrierOptions>({}, { ...barrierOptions, group: groupKind });

/** See {@link ProcessGroup.barrier}. */
export async function barrier(options: GroupOption & BarrierOptions = {}): Promise<void> {
  barrierTakes.check('barrier', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  await group.barrier(rest);
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
