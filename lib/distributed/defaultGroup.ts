import { AiforgeError } from '../errors.js';
import { signature, type Signature } from '../signature.js';
import type { Backend } from './backend.js';
import { groupKind, type ProcessGroup } from './processGroup.js';
import { currentWorld, defaultProcessGroup } from './world.js';

export interface GroupOption {
  /** Default: the group of `initProcessGroup`. */
  group?: ProcessGroup;
}

const groupTakes = signature<GroupOption>({}, { group: groupKind });

/** What a method of a group takes, with the group as an option. */
export const inGroup = (takes: Signature): Signature => takes.also({ group: groupKind });

/** The ranks of a group in the default one; of that itself, and of one that was made without it, numbers are their own. */
function ranksOf(group: ProcessGroup): readonly number[] | undefined {
  const { main, groups } = currentWorld();
  return group === main.group ? undefined : groups.get(group)?.ranks;
}

/** The number in a group of a rank of the default group; throws INVALID_ARGUMENT for one that it does not have. */
export function groupRank(group: ProcessGroup, rank: number): number {
  const ranks = ranksOf(group);
  if (ranks === undefined) return rank;
  const own = ranks.indexOf(rank);
  if (own !== -1) return own;
  throw new AiforgeError('INVALID_ARGUMENT', `rank ${rank} is not in the group, which has ${ranks.join(', ')}.`);
}

/** The number in the default group of a rank of a group. */
export function globalRank(group: ProcessGroup, rank: number): number {
  return ranksOf(group)?.[rank] ?? rank;
}

/** This process's number in a group. As `torch.distributed.get_rank`. */
export function getRank(options: GroupOption = {}): number {
  groupTakes.check('getRank', arguments);
  const { group = defaultProcessGroup() } = options;
  return group.rank;
}

/** How many ranks a group has. As `torch.distributed.get_world_size`. */
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
