import type { Store } from './stores/store.js';
import { ofGroup } from './world.js';

/** The name of the default group, as in Python. */
export const defaultName = '0';

/** The claim of rank_claim.cc, which a rank of Python's does not make. */
export const claimKey = (rank: number): string => `aiforge/rank/${rank}`;

/** The ranks that are Node's. All have claimed their places once the group is connected. */
export async function nodesAmong(store: Store, worldSize: number): Promise<number[]> {
  const ranks = Array.from({ length: worldSize }, (_, rank) => rank);
  // A rank that is alone claims nothing.
  if (worldSize === 1) return ranks;
  const own = ofGroup(defaultName, store);
  try {
    if (await own.check(ranks.map(claimKey))) return ranks;
    const isNode = await Promise.all(ranks.map((rank) => own.check([claimKey(rank)])));
    return ranks.filter((rank) => isNode[rank]);
  } catch {
    // The rank that serves the store has ended: no group is made any more.
    return ranks;
  }
}
