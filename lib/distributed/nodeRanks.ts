import type { Store } from './stores/store.js';
import { ofGroup } from './world.js';

// The name of the default group, as in Python.
const defaultName = '0';
const keyOf = (rank: number): string => `aiforge/node/${rank}`;

/** Says to the other ranks, before the group is connected, that this one is Node's. */
export async function sayNode(store: Store, rank: number): Promise<void> {
  await ofGroup(defaultName, store).set(keyOf(rank), '1');
}

/** The ranks that are Node's. All have said it once the group is connected. */
export async function nodesAmong(store: Store, worldSize: number): Promise<number[]> {
  const ranks = Array.from({ length: worldSize }, (_, rank) => rank);
  const own = ofGroup(defaultName, store);
  try {
    if (await own.check(ranks.map(keyOf))) return ranks;
    const isNode = await Promise.all(ranks.map((rank) => own.check([keyOf(rank)])));
    return ranks.filter((rank) => isNode[rank]);
  } catch {
    // The rank that serves the store has ended: no group is made any more.
    return ranks;
  }
}
