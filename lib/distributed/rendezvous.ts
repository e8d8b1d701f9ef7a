import { setTimeout as delay } from 'node:timers/promises';
import { AiforgeError } from '../errors.js';
import { readRankAndSize, readRankEnvironment, type RankAndSize, type RankOptions } from './environment.js';
import type { Backend } from './backend.js';
import { gather } from './gathering.js';
import { readInitMethod } from './initMethod.js';
import { FileStore } from './stores/fileStore.js';
import { keysInFile, requireRegular } from './stores/storeFile.js';
import { PrefixStore } from './stores/prefixStore.js';
import type { Store } from './stores/store.js';
import { TCPStore } from './stores/tcpStore.js';

/** A rank that has found the others' store. */
export interface Meeting extends RankAndSize {
  store: Store;
  /** Leaves the store, unless it was given. */
  leave: () => Promise<void>;
}

export interface MeetingOptions extends RankOptions {
  backend: Backend;
  initMethod?: string;
  store?: Store;
}

/** Finds the store of a group's ranks, by a store that is given, an initMethod, or the environment. */
export async function meet(options: MeetingOptions, timeoutMs: number): Promise<Meeting> {
  const { store, backend, initMethod = 'env://', ...rest } = options;
  if (store !== undefined) {
    const own = readRankAndSize(rest);
    const until = performance.now() + timeoutMs;
    return { ...own, ...(await gather(store, { ...own, backend, timeoutMs, until, endsTogether: false })) };
  }
  const { file, given } = readInitMethod(initMethod);
  const asked = { ...given, ...rest };
  if (file !== undefined) return meetInFile(file, asked, timeoutMs);
  const { isServed } = readRankEnvironment(asked);
  return isServed ? meetOverServed(asked, backend, timeoutMs) : meetOverTcp(asked, timeoutMs);
}

/** The part of a store that Python's groups use; of one that is given, they use all. */
const ofGroups = (store: Store): Store => new PrefixStore('default_pg', store);

/** The files of groups that this process has left. */
const leftFiles = new Set<string>();

async function meetInFile(file: string, asked: RankOptions, timeoutMs: number): Promise<Meeting> {
  const { rank, worldSize } = readRankAndSize(asked);
  await requireRegular(file);
  await requireFresh(file, rank, timeoutMs);
  const store = await FileStore.create(file, { worldSize, timeoutMs });
  const leave = async (): Promise<void> => {
    leftFiles.add(file);
    await store.close();
  };
  try {
    await store.set(joinedKey(rank), '');
    return { rank, worldSize, store: ofGroups(store), leave };
  } catch (error) {
    await leave();
    throw error;
  }
}

const joinedKey = (rank: number): string => `aiforge/joined/${rank}`;

/**
 * Throws where this rank is in the file already: the addresses there are those of processes that have ended. The last rank that leaves a
 * group deletes its file; one that was killed never leaves.
 */
async function requireFresh(file: string, rank: number, timeoutMs: number): Promise<void> {
  // Those of Python have Gloo's address of the rank alone.
  const marks = [`/${joinedKey(rank)}`, `/default_pg/0//cpu//0/${rank}`];
  const until = performance.now() + timeoutMs;
  for (;;) {
    const keys = await keysInFile(file);
    if (!marks.some((mark) => keys.has(mark))) return;
    // The other ranks of the group that this process has left there may need a while.
    if (!leftFiles.has(file) || performance.now() >= until) break;
    await delay(10);
  }
  throw new AiforgeError(
    'DISTRIBUTED_FAILED',
    `initProcessGroup: '${file}' is left from another run, or rank ${rank} was started twice: remove it, or name another.`,
  );
}

/** Meets over the store of torchrun's agent, which has the keys of earlier groups, also of those before a restart. */
async function meetOverServed(asked: RankOptions, backend: Backend, timeoutMs: number): Promise<Meeting> {
  const until = performance.now() + timeoutMs;
  const { rank, worldSize, masterAddr: host, masterPort: port } = readRankEnvironment(asked);
  const whole = await TCPStore.create({ host, port, worldSize, timeoutMs });
  try {
    const joining = { rank, worldSize, backend, timeoutMs, until, endsTogether: true };
    const { store, leave } = await gather(ofGroups(whole), joining);
    return { rank, worldSize, store, leave: () => leave().finally(() => whole.close()) };
  } catch (error) {
    await whole.close();
    throw error;
  }
}

/** The connections to servers that other ranks may not have ended yet, by their places. */
const left = new Map<string, Store>();

async function meetOverTcp(asked: RankOptions, timeoutMs: number): Promise<Meeting> {
  const { rank, worldSize, masterAddr: host, masterPort: port, servesStore: isServer } = readRankEnvironment(asked);
  const place = `${host} ${port}`;
  await endOf(place, timeoutMs);
  // Rank 0 waits for the others later, when it can name those that have not come; Python's rank 0 counts them here.
  const store = await TCPStore.create({ host, port, worldSize: isServer ? null : worldSize, isServer, timeoutMs });
  const leave = async (): Promise<void> => {
    if (isServer) await store.close();
    else left.set(place, store);
  };
  return { rank, worldSize, store: ofGroups(store), leave };
}

/**
 * Waits until the server of an earlier group at this place is gone: whoever connects to it before rank 0 ends it would wait in vain for
 * the next one there.
 */
async function endOf(place: string, timeoutMs: number): Promise<void> {
  const before = left.get(place);
  if (before === undefined) return;
  left.delete(place);
  const until = performance.now() + timeoutMs;
  while (performance.now() < until && (await answers(before))) await delay(10);
  await before.close();
}

/** Whether the server of a connection is still there; a wait would open another connection, perhaps to the next server. */
function answers(store: Store): Promise<boolean> {
  return store.check([]).then(
    () => true,
    () => false,
  );
}
