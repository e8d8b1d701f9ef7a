import { networkInterfaces } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

import { AiforgeError } from '../errors.js';
import type { Backend } from './backend.js';
import { interfaceOf } from './launch/rendezvous/machine.js';
import { claimKey } from './nodeRanks.js';
import { tooManyOpenFiles } from './openFiles.js';
import type { Store } from './stores/store.js';
import { ofGroup } from './world.js';

/** What a rank wanted to join. */
export interface Joining {
  store: Store;
  name: string;
  backend: Backend;
  worldSize: number;
  timeoutMs: number;
}

/** How long the store may take to say who has come. */
const answerMs = 1000;

/** The keys by which a rank is known to have come: the claim of rank_claim.cc, and of Python's the address of Gloo. */
const keysOf = (rank: number): string[] => [claimKey(rank), `cpu//0/${rank}`];

/** The ranks that have not come to a group; undefined where its store does not answer. */
async function missingRanks({ store, name, worldSize }: Joining): Promise<number[] | undefined> {
  const own = ofGroup(name, store);
  const missing = async (): Promise<number[]> => {
    const ranks = Array.from({ length: worldSize }, (_, i) => i);
    const found = await Promise.all(ranks.map((rank) => Promise.all(keysOf(rank).map((key) => own.check([key])))));
    return ranks.filter((rank) => !found[rank]!.includes(true));
  };
  const stop = new AbortController();
  const tooLate = delay(answerMs, undefined, { signal: stop.signal }).catch(() => undefined);
  try {
    return await Promise.race([missing().catch(() => undefined), tooLate]);
  } finally {
    stop.abort();
  }
}

/** The interface by which other machines reach this one, by what the store knows of it. */
function interfaceFor({ addressTowardsServer }: Store): string {
  const all = Object.entries(networkInterfaces());
  const known = addressTowardsServer === undefined ? undefined : interfaceOf(addressTowardsServer);
  return known ?? all.find(([, addresses]) => addresses?.some(({ internal }) => !internal))?.[0] ?? 'eth0';
}

const list = (ranks: readonly number[]): string =>
  `${ranks.length === 1 ? 'rank' : 'ranks'} ${ranks.slice(0, 16).join(', ')}${ranks.length > 16 ? ', …' : ''} ${ranks.length === 1 ? 'has' : 'have'}`;

const late = (timeoutMs: number): string => `timed out after ${timeoutMs} ms`;

/** What is said where the store does not answer. */
export const silentStore = (timeoutMs: number): string =>
  `${late(timeoutMs)}: the group's store does not answer. Its process, that of rank 0 unless a launcher serves it, may have ended or be stopped.`;

/** What is said of ranks that have not come in time. */
export const hasNotCome = (ranks: readonly number[], timeoutMs: number): string =>
  `${late(timeoutMs)}: ${list(ranks)} not come. Check that every rank was started and is still running, and that MASTER_ADDR, MASTER_PORT and ` +
  'WORLD_SIZE are the same for all of them; a slow start needs a larger timeoutMs.';

async function whyLate(error: AiforgeError, joining: Joining): Promise<string> {
  const missing = await missingRanks(joining);
  const { store, timeoutMs } = joining;
  if (missing === undefined) return silentStore(timeoutMs);
  if (missing.length > 0) return hasNotCome(missing, timeoutMs);
  const [, place] = /remote=\[([^\]]+)\]/.exec(error.message) ?? [];
  const toWhom = place === undefined ? '' : `: this one found nobody at ${place}`;
  if (/Connection refused/.test(error.message) && store.addressTowardsServer === undefined)
    return `all ranks had come, but not all could be connected${toWhom}. Another rank has ended: its own output says why. Where ranks are on several machines, set GLOO_SOCKET_IFNAME on each.`;
  return (
    `${late(timeoutMs)}: all ranks have come, but not all could be connected${toWhom}. What the others say may tell why. One may be stopped; or they are on several machines, and one is reached by ` +
    `another address than that of its host's name: set GLOO_SOCKET_IFNAME on each to the interface that leads to the others, such as GLOO_SOCKET_IFNAME=${interfaceFor(store)}.`
  );
}

/** Why joining a group has failed, with the ranks that are to blame where it was too late. */
export async function explainJoin(error: unknown, joining: Joining): Promise<unknown> {
  // What Gloo then says is that nobody has come, or that an address cannot be resolved.
  const full = error instanceof AiforgeError ? tooManyOpenFiles(joining.worldSize) : undefined;
  if (full !== undefined) {
    return new AiforgeError('DISTRIBUTED_FAILED', `Joining the process group failed: ${full}`, { cause: error });
  }
  const isLate = error instanceof AiforgeError && /imed out|imeout|Connection refused/.test(error.message);
  // NCCL's ranks of Python leave nothing by which they are known.
  if (!isLate || joining.backend === 'nccl') return error;
  return new AiforgeError('DISTRIBUTED_FAILED', `Joining the process group failed: ${await whyLate(error, joining)}`, {
    cause: error,
  });
}
