import { AiforgeError } from '../errors.js';
import { count, listOf, optional, orNull, size } from '../kinds.js';
import { signature } from '../signature.js';
import { takeStack } from '../stack.js';
import { backendKind, type Backend } from './backend.js';
import { ncclOptionsKind, type NcclOptions } from './ncclOptions.js';
import { makeTogether, type MakingCall } from './groupMaking.js';
import { groupKind, ProcessGroup } from './processGroup.js';
import { rankDevice } from './rankDevice.js';
import { timeoutKind } from './timeouts.js';
import { currentWorld, defaultProcessGroup, knownGroup, ofGroup, type KnownGroup } from './world.js';

export interface NewGroupOptions {
  /** Default: that of the default group. */
  backend?: Backend;
  /**
   * How long to wait for the other ranks, now and in each collective. Default: now as long as the group of `initProcessGroup`, in each
   * collective 30 minutes.
   */
  timeoutMs?: number;
  /** NCCL's own options. Default: NCCL's. */
  ncclOptions?: NcclOptions;
}

export interface SplitGroupOptions {
  /** The group that is split. Default: the group of `initProcessGroup`. */
  group?: ProcessGroup;
  /**
   * How long to wait for the other ranks, now and in each collective. Default: now as long as the group that is split, in each
   * collective 30 minutes.
   */
  timeoutMs?: number;
}

const rankList = listOf(size);
const newTakes = signature<NewGroupOptions>(
  { ranks: optional(orNull(rankList)) },
  { backend: backendKind, timeoutMs: timeoutKind, ncclOptions: ncclOptionsKind },
);
const splitTakes = signature<SplitGroupOptions>(
  { splitRanks: listOf(rankList) },
  { group: groupKind, timeoutMs: timeoutKind },
);
const enumerationTakes = signature<NewGroupOptions>(
  { ranksPerGroup: listOf(rankList) },
  { backend: backendKind, timeoutMs: timeoutKind, ncclOptions: ncclOptionsKind },
);
const subgroupsTake = signature<NewGroupOptions>(
  { groupSize: count },
  { backend: backendKind, timeoutMs: timeoutKind, ncclOptions: ncclOptionsKind },
);
const ranksTake = signature<{ group?: ProcessGroup }>({}, { group: groupKind });
const rankOfTakes = signature({ group: groupKind, rank: size });

function refuse(call: string, problem: string): never {
  throw new AiforgeError('INVALID_ARGUMENT', `${call}: ${problem}.`);
}

/** Throws unless the ranks are some of `worldSize`, each once. */
function checkRanks(call: string, ranks: readonly number[], worldSize: number): void {
  if (ranks.length === 0) refuse(call, 'a group has at least one rank, got an empty list');
  const seen = new Set<number>();
  for (const rank of ranks) {
    if (rank >= worldSize) refuse(call, `rank ${rank} is not in 0 … ${worldSize - 1}`);
    if (seen.has(rank)) refuse(call, `rank ${rank} is named twice`);
    seen.add(rank);
  }
}

/** Opens a group of some ranks of another, named as in Python. */
async function open(
  from: KnownGroup,
  ranks: readonly number[],
  name: string,
  options: NewGroupOptions,
): Promise<ProcessGroup> {
  const { backend = from.group.backend, timeoutMs = 1_800_000, ncclOptions } = options;
  const device = rankDevice(null, backend);
  const group = await ProcessGroup.create(from.store, {
    backend,
    name,
    timeoutMs,
    rank: ranks.indexOf(from.group.rank),
    worldSize: ranks.length,
    deviceId: device,
    ...(ncclOptions === undefined ? {} : { ncclOptions }),
  });
  const { groups } = currentWorld();
  groups.set(group, {
    group,
    store: ofGroup(group.name, from.store),
    ranks: ranks.map((rank) => from.ranks[rank]!),
    nodes: [...ranks.keys()].filter((i) => from.nodes.includes(ranks[i]!)),
    timeoutMs: options.timeoutMs ?? from.timeoutMs,
    splits: 0,
    makings: 0,
  });
  group.whenLeft(
    () => groups.delete(group),
    () => Promise.resolve(),
  );
  return group;
}

/**
 * A group of some of the ranks, in ascending order; null on the others. **Every** rank of the default group must call it, in the same
 * order as others; it resolves when all ranks of Node have, and rejects with `DISTRIBUTED_FAILED` on all when they name others, or one
 * does not come in time. As `torch.distributed.new_group`; Python's ranks can be in it.
 *
 * @param ranks Default: all ranks.
 *
 * @example
 * import { ones } from 'aiforge';
 * import { initProcessGroup, newGroup } from 'aiforge/distributed';
 * await initProcessGroup(); // started by `npx aiforge-launch --nproc 4 script.js`
 * const first = await newGroup([0]);
 * if (first !== null) await first.allReduce(ones([2]));
 */
export async function newGroup(
  ranks: readonly number[] | null = null,
  options: NewGroupOptions = {},
): Promise<ProcessGroup | null> {
  newTakes.check('newGroup', arguments);
  return makeGroup({ name: 'newGroup', stack: takeStack(newGroup) }, ranks, options);
}

const listText = (ranks: readonly number[]): string => `[${ranks.join(', ')}]`;

/** @internal As `newGroup`, for the call of another function. */
export async function makeGroup(
  call: MakingCall,
  ranks: readonly number[] | null,
  options: NewGroupOptions = {},
): Promise<ProcessGroup | null> {
  const world = currentWorld();
  const { main } = world;
  const sorted = [...(ranks ?? main.ranks)].sort((a, b) => a - b);
  checkRanks(call.name, sorted, main.group.worldSize);
  // Counted by the ranks that are not in it too, which must call later ones by the same names.
  const name = String(world.made++);
  const { backend = main.group.backend, timeoutMs = main.timeoutMs } = options;
  const given = options.backend === undefined ? '' : `, { backend: '${backend}' }`;
  const text = `${call.name === 'newGroup' ? '' : `${call.name}: `}newGroup(${listText(sorted)}${given})`;
  const same = JSON.stringify(['newGroup', sorted, backend]);
  return makeTogether(main, call, { text, same }, timeoutMs, async () =>
    sorted.includes(main.group.rank) ? open(main, sorted, name, options) : null,
  );
}

async function makeGroups(
  call: MakingCall,
  ranksPerGroup: readonly (readonly number[])[],
  options: NewGroupOptions,
): Promise<ProcessGroup | null> {
  let own: ProcessGroup | null = null;
  for (const ranks of ranksPerGroup) own = (await makeGroup(call, ranks, options)) ?? own;
  return own;
}

/**
 * Divides the ranks into groups; returns this rank's, null for a rank in none. As `torch.distributed.new_subgroups_by_enumeration`.
 *
 * @example
 * import { initProcessGroup, newSubgroupsByEnumeration } from 'aiforge/distributed';
 * await initProcessGroup();
 * const own = await newSubgroupsByEnumeration([[0]]); // null on all but rank 0
 */
export async function newSubgroupsByEnumeration(
  ranksPerGroup: readonly (readonly number[])[],
  options: NewGroupOptions = {},
): Promise<ProcessGroup | null> {
  enumerationTakes.check('newSubgroupsByEnumeration', arguments);
  checkRanks('newSubgroupsByEnumeration', ranksPerGroup.flat(), defaultProcessGroup().worldSize);
  const call = { name: 'newSubgroupsByEnumeration', stack: takeStack(newSubgroupsByEnumeration) };
  return makeGroups(call, ranksPerGroup, options);
}

/**
 * Divides the ranks into groups of one size, of neighbours; returns this rank's. As `torch.distributed.new_subgroups`.
 *
 * @example
 * import { getWorldSize, initProcessGroup, newSubgroups } from 'aiforge/distributed';
 * await initProcessGroup();
 * const machine = await newSubgroups(getWorldSize()); // such as the ranks of each machine
 */
export async function newSubgroups(groupSize: number, options: NewGroupOptions = {}): Promise<ProcessGroup> {
  subgroupsTake.check('newSubgroups', arguments);
  const { worldSize } = defaultProcessGroup();
  if (worldSize % groupSize !== 0) {
    refuse('newSubgroups', `${worldSize} ranks cannot be divided into groups of ${groupSize}`);
  }
  const starts = Array.from({ length: worldSize / groupSize }, (_, i) => i * groupSize);
  const ranks = starts.map((start) => Array.from({ length: groupSize }, (_, i) => start + i));
  return (await makeGroups({ name: 'newSubgroups', stack: takeStack(newSubgroups) }, ranks, options))!;
}

/**
 * Divides a group into others that do not overlap; returns this rank's, null for a rank in none. Every rank of the group must call it,
 * and none else need. Ranks are the group's own, in the order that they get. As `torch.distributed.split_group`, for Gloo too.
 *
 * @example
 * import { initProcessGroup, splitGroup } from 'aiforge/distributed';
 * await initProcessGroup();
 * const part = await splitGroup([[0]]);
 */
export async function splitGroup(
  splitRanks: readonly (readonly number[])[],
  options: SplitGroupOptions = {},
): Promise<ProcessGroup | null> {
  splitTakes.check('splitGroup', arguments);
  const { group = defaultProcessGroup(), ...rest } = options;
  const from = knownGroup(group);
  checkRanks('splitGroup', splitRanks.flat(), group.worldSize);
  const split = `${group.name}:split:${from.splits++}`;
  const index = splitRanks.findIndex((ranks) => ranks.includes(group.rank));
  const text = `splitGroup([${splitRanks.map(listText).join(', ')}])`;
  const asked = { text, same: JSON.stringify(['splitGroup', splitRanks]) };
  const call = { name: 'splitGroup', stack: takeStack(splitGroup) };
  return makeTogether(from, call, asked, options.timeoutMs ?? from.timeoutMs, async () =>
    index === -1 ? null : open(from, splitRanks[index]!, `${split}:${index}`, rest),
  );
}

/** A group's ranks, by their numbers in the default group. As `torch.distributed.get_process_group_ranks`. */
export function getProcessGroupRanks(options: { group?: ProcessGroup } = {}): number[] {
  ranksTake.check('getProcessGroupRanks', arguments);
  const { group = defaultProcessGroup() } = options;
  return [...knownGroup(group).ranks];
}

/** The number in a group of a rank of the default group; throws where it is not in it. As `torch.distributed.get_group_rank`. */
export function getGroupRank(group: ProcessGroup, globalRank: number): number {
  rankOfTakes.check('getGroupRank', arguments);
  const { ranks } = knownGroup(group);
  const rank = ranks.indexOf(globalRank);
  if (rank === -1) refuse('getGroupRank', `rank ${globalRank} is not in the group of ${ranks.join(', ')}`);
  return rank;
}

/** The number in the default group of a rank of a group. As `torch.distributed.get_global_rank`. */
export function getGlobalRank(group: ProcessGroup, groupRank: number): number {
  rankOfTakes.check('getGlobalRank', arguments);
  const { ranks } = knownGroup(group);
  return ranks[groupRank] ?? refuse('getGlobalRank', `rank ${groupRank} is not in 0 … ${ranks.length - 1}`);
}
