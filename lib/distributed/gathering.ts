import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import { AiforgeError } from '../errors.js';
import type { Backend } from './backend.js';
import { hasNotCome, silentStore } from './joinError.js';
import { claimKey, defaultName } from './nodeRanks.js';
import { HeldPlace, mayLive, placeKey, readPlace, type Place } from './rankPlace.js';
import { PrefixStore } from './stores/prefixStore.js';
import type { Store } from './stores/store.js';
import { ofGroup } from './world.js';

/** A rank that joins a group over a store that outlives the group. */
export interface Gathered {
  rank: number;
  worldSize: number;
  backend: Backend;
  /** What is said of how long it waits, and when that is over, as `performance.now` counts. */
  timeoutMs: number;
  until: number;
  /** Whether the launcher starts ranks only when all those of before have ended. */
  endsTogether: boolean;
}

/** What is left of the store for this one group of it. */
export interface Gathering {
  store: Store;
  leave: () => Promise<void>;
}

// A timer of Node's cannot be longer.
const longestMs = 0x7fff_ffff;
const mostPauseMs = 50;
// How long the store may take to answer when the time is over, and when a rank leaves.
const answerMs = 500;

// Counts the changes of places, so that these are read only when there are some.
const changesKey = 'aiforge/places';

/**
 * Has the ranks agree on which of their joins go together, since such a store has the keys of earlier groups too: those of ranks that
 * have left, were restarted, or are still about to leave. Every join has a mark of its own. A rank that finds one of each rank says so; once
 * all have said the same, their group's keys are those under these marks. Where ranks of Python are among them, which know nothing of this,
 * the keys are Python's.
 */
export async function gather(store: Store, joining: Gathered): Promise<Gathering> {
  const { rank, worldSize, timeoutMs, until, endsTogether } = joining;
  // Nobody waits for a rank that is alone.
  if (worldSize === 1) return { store, leave: () => Promise.resolve() };
  const stop = new AbortController();
  const leftMs = Math.min(longestMs, Math.max(1, until - performance.now()) + answerMs);
  const silent = delay(leftMs, undefined, { signal: stop.signal }).then(
    () => {
      stop.abort();
      throw failed(silentStore(timeoutMs));
    },
    () => undefined,
  );
  const gathering = (async () => {
    const place = await HeldPlace.take(store, rank, worldSize, endsTogether);
    return new Ranks(store, place, joining, stop.signal).gather();
  })();
  gathering.catch(() => undefined);
  try {
    return (await Promise.race([gathering, silent])) as Gathering;
  } finally {
    stop.abort();
  }
}

const failed = (why: string): AiforgeError =>
  new AiforgeError('DISTRIBUTED_FAILED', `Joining the process group failed: ${why}`);

class Ranks {
  readonly #all: readonly number[];
  #changes = -1;
  #places: readonly (Place | undefined)[] = [];
  #said = '';
  /** Ranks that have been seen to join; one whose time is over leaves again. */
  readonly #seen = new Set<number>();

  constructor(
    private readonly store: Store,
    private readonly place: HeldPlace,
    private readonly joining: Gathered,
    private readonly signal: AbortSignal,
  ) {
    this.#all = Array.from({ length: joining.worldSize }, (_, rank) => rank);
  }

  async gather(): Promise<Gathering> {
    try {
      await this.store.add(changesKey, 1);
      const marks = await this.#agree();
      if (marks === undefined) await this.#forget();
      await this.place.say({ state: 'joined' });
      return { store: this.#keysOf(marks), leave: () => this.#leaveGroup(marks) };
    } catch (error) {
      await this.#leave('left').catch(() => undefined);
      throw error;
    }
  }

  /** Does nothing where the store's process is stopped: other calls would keep this process until the store's own timeout. */
  async #leaveGroup(marks: string | undefined): Promise<void> {
    try {
      await this.store.wait([placeKey(this.joining.rank)], { timeoutMs: answerMs });
      await this.#leave('left');
      if (marks !== undefined) await this.#clear(marks);
    } catch {
      // Nobody joins there any more.
    }
  }

  async #leave(state: 'left' | 'refused', beside?: readonly string[]): Promise<void> {
    if (this.place.own.state === 'refused') return;
    try {
      await this.place.say({ state, ...(beside === undefined ? {} : { beside }) });
      await this.store.add(changesKey, 1);
    } catch {
      // Whoever served the store has ended: nobody joins there any more.
    }
  }

  #keysOf(marks: string | undefined): Store {
    return marks === undefined ? this.store : new PrefixStore(`aiforge/joins/${marks}`, this.store);
  }

  /** The last rank that leaves deletes what all of them have left of their group, so that the store does not grow with each. */
  async #clear(marks: string): Promise<void> {
    const leftKey = `aiforge/left/${marks}`;
    if ((await this.store.add(leftKey, 1)) < this.joining.worldSize) return;
    const own = ofGroup(defaultName, this.#keysOf(marks));
    const ofRank = (rank: number): string[] => [claimKey(rank), `cpu//0/${rank}`, `cpu//aiforge/node/${rank}`];
    const keys = [...this.#all.flatMap(ofRank), 'aiforge/size', 'aiforge/formed'];
    await Promise.all(keys.map((key) => own.deleteKey(key)));
    await Promise.all(this.#all.map((rank) => this.store.deleteKey(agreedKey(marks, rank))));
    await this.store.deleteKey(leftKey);
  }

  /** The marks of the joins that go together; undefined where Python's keys are to be used. */
  async #agree(): Promise<string | undefined> {
    // Over NCCL alone Python's ranks leave nothing by which they are known.
    if (this.joining.backend === 'nccl') return undefined;
    for (let pauseMs = 1; ; pauseMs = Math.min(2 * pauseMs, mostPauseMs)) {
      this.signal.throwIfAborted();
      await this.#look();
      const missing = this.#all.filter((rank) => this.#places[rank] === undefined);
      if (missing.length > 0) {
        if (await this.#areOfPython(missing)) return undefined;
      } else {
        const marks = this.#marks();
        await this.#say(marks);
        if (await this.store.check(this.#all.map((rank) => agreedKey(marks, rank)))) return marks;
      }
      if (performance.now() >= this.joining.until) throw failed(hasNotCome(await this.#late(), this.joining.timeoutMs));
      await delay(pauseMs);
    }
  }

  /** Reads the places of those that join, or may still be in an earlier group. */
  async #look(): Promise<void> {
    const changes = await this.store.add(changesKey, 0);
    if (changes === this.#changes) return;
    this.#changes = changes;
    const has = await Promise.all(this.#all.map((rank) => this.store.check([placeKey(rank)])));
    const there = this.#all.filter((rank) => has[rank]);
    const found = (await this.store.multiGet(there.map(placeKey))).map(readPlace);
    const places = new Map(there.map((rank, i) => [rank, found[i]!]));
    await this.#checkSizes(places);
    for (const [rank, { state }] of places) if (state === 'joining') this.#seen.add(rank);
    this.#places = this.#all.map((rank) => {
      const place = places.get(rank);
      return place === undefined || place.state === 'left' || place.state === 'refused' ? undefined : place;
    });
  }

  /** Rejects where another rank joins as one of another number of ranks, or was refused for that beside this one. */
  async #checkSizes(places: ReadonlyMap<number, Place>): Promise<void> {
    const { own } = this.place;
    const { endsTogether, rank, worldSize } = this.joining;
    const joining = [...places].filter(
      ([, place]) => place.state === 'joining' && mayLive(place, own, endsTogether) && place.join !== own.join,
    );
    const other =
      joining.find(([, place]) => place.worldSize !== worldSize) ??
      [...places].find(([, place]) => place.beside?.includes(own.join) === true);
    if (other === undefined) return;
    await this.#leave(
      'refused',
      joining.map(([, { join }]) => join),
    );
    throw failed(
      `rank ${rank} is one of ${worldSize} ranks (WORLD_SIZE), and rank ${other[0]} says that there are ${other[1].worldSize}: give all ranks the ` +
        'same WORLD_SIZE, or another job uses this store.',
    );
  }

  #marks(): string {
    const hash = createHash('sha256');
    for (const place of this.#places) hash.update(`${place!.join} ${place!.worldSize} `);
    return hash.digest('hex').slice(0, 32);
  }

  async #say(marks: string): Promise<void> {
    if (marks === this.#said) return;
    await this.store.set(agreedKey(marks, this.joining.rank), '1');
    this.#said = marks;
  }

  /** Whether all of these ranks have Gloo's address where Python's ranks have it, and were not Node's there. */
  async #areOfPython(ranks: readonly number[]): Promise<boolean> {
    const own = ofGroup(defaultName, this.store);
    for (const rank of ranks) {
      if (!(await own.check([`cpu//0/${rank}`])) || (await own.check([claimKey(rank)]))) return false;
    }
    return true;
  }

  /** Removes what this rank has left under Python's keys. */
  async #forget(): Promise<void> {
    const own = ofGroup(defaultName, this.store);
    if (!(await own.check([claimKey(this.joining.rank)]))) return;
    for (const key of [`cpu//0/${this.joining.rank}`, claimKey(this.joining.rank), 'aiforge/size']) {
      await own.deleteKey(key);
    }
  }

  /** The ranks that have not come, or not to this group. */
  async #late(): Promise<number[]> {
    const missing = this.#all.filter((rank) => this.#places[rank] === undefined);
    const unseen = missing.filter((rank) => !this.#seen.has(rank));
    if (missing.length > 0) return unseen.length > 0 ? unseen : missing;
    const said = await Promise.all(this.#all.map((rank) => this.store.check([agreedKey(this.#said, rank)])));
    return this.#all.filter((rank) => !said[rank]);
  }
}

const agreedKey = (marks: string, rank: number): string => `aiforge/agreed/${marks}/${rank}`;
