import type { Tensor } from '../tensor/tensor.js';
import type { CallOptions } from './collectives/calls.js';
import type { Work } from './collectives/work.js';
import { globalRank, groupRank, inGroup, type GroupOption } from './defaultGroup.js';
import * as takes from './groupOptions.js';
import type { P2POp } from './p2pOp.js';
import { defaultProcessGroup } from './world.js';

// The collectives of a group as functions: of the default group, or of that of the option `group`, whose ranks are named by their
// numbers in the default group, as in Python.

const broadcastTakes = inGroup(takes.broadcastTakes);

/** See {@link ProcessGroup.broadcast}. */
export async function broadcast(tensor: Tensor, src: number, options: GroupOption & CallOptions = {}): Promise<void> {
  broadcastTakes.check('broadcast', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  await group.broadcast(tensor, groupRank(group, src), rest);
}

const allReduceTakes = inGroup(takes.reduceTakes);

/** See {@link ProcessGroup.allReduce}. */
export async function allReduce(tensor: Tensor, options: GroupOption & takes.ReduceOptions = {}): Promise<void> {
  allReduceTakes.check('allReduce', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  await group.allReduce(tensor, rest);
}

const allReduceCoalescedTakes = inGroup(takes.manyTake);

/** See {@link ProcessGroup.allReduceCoalesced}. */
export async function allReduceCoalesced(
  tensors: readonly Tensor[],
  options: GroupOption & takes.ReduceOptions = {},
): Promise<void> {
  allReduceCoalescedTakes.check('allReduceCoalesced', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  await group.allReduceCoalesced(tensors, rest);
}

const reduceTakes = inGroup(takes.reduceToTakes);

/** See {@link ProcessGroup.reduce}. */
export async function reduce(
  tensor: Tensor,
  dst: number,
  options: GroupOption & takes.ReduceOptions = {},
): Promise<void> {
  reduceTakes.check('reduce', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  await group.reduce(tensor, groupRank(group, dst), rest);
}

const allGatherTakes = inGroup(takes.allGatherTakes);

/** See {@link ProcessGroup.allGather}. */
export async function allGather(tensor: Tensor, options: GroupOption & CallOptions = {}): Promise<Tensor[]> {
  allGatherTakes.check('allGather', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  return group.allGather(tensor, rest);
}

const allGatherIntoTensorTakes = inGroup(takes.intoTakes);

/** See {@link ProcessGroup.allGatherIntoTensor}. */
export async function allGatherIntoTensor(
  output: Tensor,
  input: Tensor,
  options: GroupOption & CallOptions = {},
): Promise<void> {
  allGatherIntoTensorTakes.check('allGatherIntoTensor', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  await group.allGatherIntoTensor(output, input, rest);
}

const gatherTakes = inGroup(takes.gatherTakes);

/** See {@link ProcessGroup.gather}. */
export async function gather(
  tensor: Tensor,
  dst: number,
  options: GroupOption & CallOptions = {},
): Promise<Tensor[] | null> {
  gatherTakes.check('gather', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  return group.gather(tensor, groupRank(group, dst), rest);
}

const scatterTakes = inGroup(takes.scatterTakes);

/** See {@link ProcessGroup.scatter}. */
export async function scatter(
  output: Tensor,
  tensors: readonly Tensor[] | null,
  src: number,
  options: GroupOption & CallOptions = {},
): Promise<void> {
  scatterTakes.check('scatter', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  await group.scatter(output, tensors, groupRank(group, src), rest);
}

const reduceScatterTakes = inGroup(takes.reduceScatterTakes);

/** See {@link ProcessGroup.reduceScatter}. */
export async function reduceScatter(
  output: Tensor,
  tensors: readonly Tensor[],
  options: GroupOption & takes.ReduceOptions = {},
): Promise<void> {
  reduceScatterTakes.check('reduceScatter', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  await group.reduceScatter(output, tensors, rest);
}

const reduceScatterTensorTakes = inGroup(takes.scatterIntoTakes);

/** See {@link ProcessGroup.reduceScatterTensor}. */
export async function reduceScatterTensor(
  output: Tensor,
  input: Tensor,
  options: GroupOption & takes.ReduceOptions = {},
): Promise<void> {
  reduceScatterTensorTakes.check('reduceScatterTensor', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  await group.reduceScatterTensor(output, input, rest);
}

const allToAllTakes = inGroup(takes.allToAllTakes);

/** See {@link ProcessGroup.allToAll}. */
export async function allToAll(
  tensors: readonly Tensor[],
  options: GroupOption & takes.AllToAllOptions = {},
): Promise<Tensor[]> {
  allToAllTakes.check('allToAll', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  return group.allToAll(tensors, rest);
}

const allToAllSingleTakes = inGroup(takes.allToAllSingleTakes);

/** See {@link ProcessGroup.allToAllSingle}. */
export async function allToAllSingle(
  output: Tensor,
  input: Tensor,
  options: GroupOption & takes.AllToAllSingleOptions = {},
): Promise<void> {
  allToAllSingleTakes.check('allToAllSingle', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  await group.allToAllSingle(output, input, rest);
}

const barrierTakes = inGroup(takes.barrierTakes);

/** See {@link ProcessGroup.barrier}. */
export async function barrier(options: GroupOption & takes.BarrierOptions = {}): Promise<void> {
  barrierTakes.check('barrier', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  await group.barrier(rest);
}

const monitoredBarrierTakes = inGroup(takes.monitoredBarrierTakes);

/** See {@link ProcessGroup.monitoredBarrier}. */
export async function monitoredBarrier(options: GroupOption & takes.MonitoredBarrierOptions = {}): Promise<void> {
  monitoredBarrierTakes.check('monitoredBarrier', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  await group.monitoredBarrier(rest);
}

const sendTakes = inGroup(takes.sendTakes);

/** See {@link ProcessGroup.send}. */
export async function send(
  tensor: Tensor,
  dst: number,
  options: GroupOption & takes.MessageOptions = {},
): Promise<void> {
  sendTakes.check('send', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  await group.send(tensor, groupRank(group, dst), rest);
}

const recvTakes = inGroup(takes.recvTakes);

/** See {@link ProcessGroup.recv}. */
export async function recv(
  tensor: Tensor,
  src: number | null,
  options: GroupOption & takes.MessageOptions = {},
): Promise<number> {
  recvTakes.check('recv', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  return globalRank(group, await group.recv(tensor, src === null ? null : groupRank(group, src), rest));
}

const isendTakes = inGroup(takes.sendTakes);

/** See {@link ProcessGroup.isend}. */
export function isend(tensor: Tensor, dst: number, options: GroupOption & takes.MessageOptions = {}): Work {
  isendTakes.check('isend', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  return group.isend(tensor, groupRank(group, dst), rest);
}

const irecvTakes = inGroup(takes.recvTakes);

/** See {@link ProcessGroup.irecv}. */
export function irecv(
  tensor: Tensor,
  src: number | null,
  options: GroupOption & takes.MessageOptions = {},
): Work<number> {
  irecvTakes.check('irecv', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  return group.irecv(tensor, src === null ? null : groupRank(group, src), rest);
}

const batchIsendIrecvTakes = inGroup(takes.batchTakes);

/** See {@link ProcessGroup.batchIsendIrecv}. */
export async function batchIsendIrecv(
  operations: readonly P2POp[],
  options: GroupOption & CallOptions = {},
): Promise<void> {
  batchIsendIrecvTakes.check('batchIsendIrecv', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  await group.batchIsendIrecv(
    operations.map((each) => ({ ...each, peer: groupRank(group, each.peer) })),
    rest,
  );
}
