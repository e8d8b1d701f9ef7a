import { AiforgeError } from '../errors.js';
import { nothing } from '../signature.js';
import type { ProcessGroup } from './processGroup.js';
import { PrefixStore } from './stores/prefixStore.js';
import type { Store } from './stores/store.js';

/** A process group, and what groups are made from it by. */
export interface KnownGroup {
  group: ProcessGroup;
  /** Where groups that are made from it meet. */
  store: Store;
  /** Its ranks, by their numbers in the default group. */
  ranks: readonly number[];
  /** Those of its ranks that are Node's, by its own numbers. */
  nodes: readonly number[];
  /** How long to wait for them where groups are made from it. */
  timeoutMs: number;
  /** How often it was split. */
  splits: number;
  /** How often groups were made from it. */
  makings: number;
}

/** The default group and those made from it. */
interface World {
  main: KnownGroup;
  /** Groups that all ranks have made together, which gives each its name, as in Python. */
  made: number;
  groups: Map<ProcessGroup, KnownGroup>;
}

let world: World | undefined;
let wasLeft = false;

export function enterWorld(group: ProcessGroup, store: Store, nodes: readonly number[], timeoutMs: number): void {
  const main: KnownGroup = {
    group,
    store: ofGroup(group.name, store),
    ranks: Array.from({ length: group.worldSize }, (_, i) => i),
    nodes,
    timeoutMs,
    splits: 0,
    makings: 0,
  };
  world = { main, made: 1, groups: new Map([[group, main]]) };
}

/** The part of a store in which a group keeps its own keys, those of the groups made from it among them. */
export function ofGroup(name: string, store: Store): Store {
  return new PrefixStore(`${name}/`, store);
}

/** Forgets all groups; returns those that were made from the default one. */
export function leaveWorld(): ProcessGroup[] {
  const others = [...(world?.groups.keys() ?? [])].filter((group) => group !== world?.main.group);
  world = undefined;
  wasLeft = true;
  return others;
}

export function currentWorld(): World {
  if (world !== undefined) return world;
  const why = wasLeft ? 'The process group was destroyed or aborted' : 'There is no process group yet';
  throw new AiforgeError('DISTRIBUTED_FAILED', `${why}: await initProcessGroup() first.`);
}

export function hasWorld(): boolean {
  return world !== undefined;
}

/** The group of all ranks; throws before `initProcessGroup`. */
export function defaultProcessGroup(): ProcessGroup {
  nothing.check('defaultProcessGroup', arguments);
  return currentWorld().main.group;
}

/** What is known of a group; throws for one that was made by `ProcessGroup.create` itself, or destroyed. */
export function knownGroup(group: ProcessGroup): KnownGroup {
  const known = currentWorld().groups.get(group);
  if (known !== undefined) return known;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `The process group '${group.name}' is none that initProcessGroup, newGroup or splitGroup made, or it was destroyed: its ranks have ` +
      'no numbers among those of the default group.',
  );
}
