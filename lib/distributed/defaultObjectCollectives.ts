import type { CallOptions } from './collectives/calls.js';
import { groupRank, inGroup, type GroupOption } from './defaultGroup.js';
import * as takes from './groupOptions.js';
import { defaultProcessGroup } from './world.js';

// As defaultCollectives.ts, for bytes and values of JavaScript.

const broadcastBytesTakes = inGroup(takes.bytesTakes);

/** See {@link ProcessGroup.broadcastBytes}. */
export async function broadcastBytes(
  bytes: Uint8Array | null,
  src: number,
  options: GroupOption & CallOptions = {},
): Promise<Uint8Array> {
  broadcastBytesTakes.check('broadcastBytes', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  return group.broadcastBytes(bytes, groupRank(group, src), rest);
}

const broadcastObjectTakes = inGroup(takes.objectTakes);

/** See {@link ProcessGroup.broadcastObject}. */
export async function broadcastObject<T>(value: T, src: number, options: GroupOption & CallOptions = {}): Promise<T> {
  broadcastObjectTakes.check('broadcastObject', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  return group.broadcastObject(value, groupRank(group, src), rest);
}

const allGatherObjectTakes = inGroup(takes.allObjectsTakes);

/** See {@link ProcessGroup.allGatherObject}. */
export async function allGatherObject<T>(value: T, options: GroupOption & CallOptions = {}): Promise<T[]> {
  allGatherObjectTakes.check('allGatherObject', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  return group.allGatherObject(value, rest);
}

const gatherObjectTakes = inGroup(takes.objectToTakes);

/** See {@link ProcessGroup.gatherObject}. */
export async function gatherObject<T>(
  value: T,
  dst: number,
  options: GroupOption & CallOptions = {},
): Promise<T[] | null> {
  gatherObjectTakes.check('gatherObject', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  return group.gatherObject(value, groupRank(group, dst), rest);
}

const scatterObjectListTakes = inGroup(takes.objectListTakes);

/** See {@link ProcessGroup.scatterObjectList}. */
export async function scatterObjectList<T>(
  values: readonly T[] | null,
  src: number,
  options: GroupOption & CallOptions = {},
): Promise<T> {
  scatterObjectListTakes.check('scatterObjectList', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  return group.scatterObjectList(values, groupRank(group, src), rest);
}

const sendObjectTakes = inGroup(takes.sendObjectTakes);

/** See {@link ProcessGroup.sendObject}. */
export async function sendObject(
  value: unknown,
  dst: number,
  options: GroupOption & takes.MessageOptions = {},
): Promise<void> {
  sendObjectTakes.check('sendObject', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  await group.sendObject(value, groupRank(group, dst), rest);
}

const recvObjectTakes = inGroup(takes.recvObjectTakes);

/** See {@link ProcessGroup.recvObject}. */
export async function recvObject<T>(src: number, options: GroupOption & takes.MessageOptions = {}): Promise<T> {
  recvObjectTakes.check('recvObject', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  return group.recvObject(groupRank(group, src), rest);
}
