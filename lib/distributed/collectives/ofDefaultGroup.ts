import { AiforgeError } from '../../errors.js';
import { show } from '../../show.js';
import type { Tensor } from '../../tensor/tensor.js';
import { defaultProcessGroup } from '../defaultGroup.js';
import type * as takes from '../groupOptions.js';
import type { P2POp } from '../p2pOp.js';
import { groupKind, type ProcessGroup } from '../processGroup.js';
import type { CallOptions } from './calls.js';
import type { Work } from './work.js';

/** The options of a method of `ProcessGroup`, and the group. */
export type InGroup<Options> = Options & {
  /** Default: the group of `initProcessGroup`. */
  group?: ProcessGroup;
};

/** The group of some options, and those that are its method's, which checks them. */
function divided<Options>(name: string, options: InGroup<Options>): [ProcessGroup, Options] {
  if (typeof options !== 'object' || (options as unknown) === null) return [defaultProcessGroup(), options];
  const { group = defaultProcessGroup(), ...rest } = options;
  if (groupKind.accepts(group)) return [group, rest as Options];
  throw new AiforgeError('INVALID_ARGUMENT', `${name}: group must be ${groupKind.expected}, got ${show(group)}.`);
}

/** See {@link ProcessGroup.reduce}. */
export async function reduce(tensor: Tensor, dst: number, options: InGroup<takes.ReduceOptions> = {}): Promise<void> {
  const [group, rest] = divided('reduce', options);
  await group.reduce(tensor, dst, rest);
}

/** See {@link ProcessGroup.gather}. */
export async function gather(
  tensor: Tensor,
  dst: number,
  options: InGroup<CallOptions> = {},
): Promise<Tensor[] | null> {
  const [group, rest] = divided('gather', options);
  return group.gather(tensor, dst, rest);
}

/** See {@link ProcessGroup.scatter}. */
export async function scatter(
  output: Tensor,
  tensors: readonly Tensor[] | null,
  src: number,
  options: InGroup<CallOptions> = {},
): Promise<void> {
  const [group, rest] = divided('scatter', options);
  await group.scatter(output, tensors, src, rest);
}

/** See {@link ProcessGroup.reduceScatter}. */
export async function reduceScatter(
  output: Tensor,
  tensors: readonly Tensor[],
  options: InGroup<takes.ReduceOptions> = {},
): Promise<void> {
  const [group, rest] = divided('reduceScatter', options);
  await group.reduceScatter(output, tensors, rest);
}

/** See {@link ProcessGroup.allToAll}. */
export async function allToAll(
  tensors: readonly Tensor[],
  options: InGroup<takes.AllToAllOptions> = {},
): Promise<Tensor[]> {
  const [group, rest] = divided('allToAll', options);
  return group.allToAll(tensors, rest);
}

/** See {@link ProcessGroup.allGatherIntoTensor}. */
export async function allGatherIntoTensor(
  output: Tensor,
  input: Tensor,
  options: InGroup<CallOptions> = {},
): Promise<void> {
  const [group, rest] = divided('allGatherIntoTensor', options);
  await group.allGatherIntoTensor(output, input, rest);
}

/** See {@link ProcessGroup.reduceScatterTensor}. */
export async function reduceScatterTensor(
  output: Tensor,
  input: Tensor,
  options: InGroup<takes.ReduceOptions> = {},
): Promise<void> {
  const [group, rest] = divided('reduceScatterTensor', options);
  await group.reduceScatterTensor(output, input, rest);
}

/** See {@link ProcessGroup.allToAllSingle}. */
export async function allToAllSingle(
  output: Tensor,
  input: Tensor,
  options: InGroup<takes.AllToAllSingleOptions> = {},
): Promise<void> {
  const [group, rest] = divided('allToAllSingle', options);
  await group.allToAllSingle(output, input, rest);
}

/** See {@link ProcessGroup.send}. */
export async function send(tensor: Tensor, dst: number, options: InGroup<takes.MessageOptions> = {}): Promise<void> {
  const [group, rest] = divided('send', options);
  await group.send(tensor, dst, rest);
}

/** See {@link ProcessGroup.recv}. */
export async function recv(
  tensor: Tensor,
  src: number | null,
  options: InGroup<takes.MessageOptions> = {},
): Promise<number> {
  const [group, rest] = divided('recv', options);
  return group.recv(tensor, src, rest);
}

/** See {@link ProcessGroup.isend}. */
export function isend(tensor: Tensor, dst: number, options: InGroup<takes.MessageOptions> = {}): Work {
  const [group, rest] = divided('isend', options);
  return group.isend(tensor, dst, rest);
}

/** See {@link ProcessGroup.irecv}. */
export function irecv(tensor: Tensor, src: number | null, options: InGroup<takes.MessageOptions> = {}): Work<number> {
  const [group, rest] = divided('irecv', options);
  return group.irecv(tensor, src, rest);
}

/** See {@link ProcessGroup.batchIsendIrecv}. */
export async function batchIsendIrecv(operations: readonly P2POp[], options: InGroup<CallOptions> = {}): Promise<void> {
  const [group, rest] = divided('batchIsendIrecv', options);
  await group.batchIsendIrecv(operations, rest);
}

/** See {@link ProcessGroup.monitoredBarrier}. */
export async function monitoredBarrier(options: InGroup<takes.MonitoredBarrierOptions> = {}): Promise<void> {
  const [group, rest] = divided('monitoredBarrier', options);
  await group.monitoredBarrier(rest);
}

/** See {@link ProcessGroup.allGatherObject}. */
export async function allGatherObject<T>(value: T, options: InGroup<CallOptions> = {}): Promise<T[]> {
  const [group, rest] = divided('allGatherObject', options);
  return group.allGatherObject(value, rest);
}

/** See {@link ProcessGroup.gatherObject}. */
export async function gatherObject<T>(value: T, dst: number, options: InGroup<CallOptions> = {}): Promise<T[] | null> {
  const [group, rest] = divided('gatherObject', options);
  return group.gatherObject(value, dst, rest);
}

/** See {@link ProcessGroup.scatterObjectList}. */
export async function scatterObjectList<T>(
  values: readonly T[] | null,
  src: number,
  options: InGroup<CallOptions> = {},
): Promise<T> {
  const [group, rest] = divided('scatterObjectList', options);
  return group.scatterObjectList(values, src, rest);
}

/** See {@link ProcessGroup.sendObject}. */
export async function sendObject(
  value: unknown,
  dst: number,
  options: InGroup<takes.MessageOptions> = {},
): Promise<void> {
  const [group, rest] = divided('sendObject', options);
  await group.sendObject(value, dst, rest);
}

/** See {@link ProcessGroup.recvObject}. */
export async function recvObject<T>(src: number, options: InGroup<takes.MessageOptions> = {}): Promise<T> {
  const [group, rest] = divided('recvObject', options);
  return group.recvObject<T>(src, rest);
}
