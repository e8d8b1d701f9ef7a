import { randomUUID } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';

import { AiforgeError } from '../errors.js';
import type { Store } from './stores/store.js';

/** What a rank says of itself in a store that outlives its group. */
export interface Place {
  /** Of this one time that it joins. */
  join: string;
  /** The thread that joins. */
  by: string;
  host: string;
  /** The namespace of process numbers, which a container has of its own. */
  processes: number;
  pid: number;
  /** When the process began, by the system's clock ticks; undefined where the system does not tell. */
  began?: string;
  worldSize: number;
  state: 'joining' | 'joined' | 'left' | 'refused';
  /** The joins that one that was refused has found there. */
  beside?: readonly string[];
}

const thread = randomUUID();

/** Which process has a number: since when, and whether it has ended but is still listed. */
function processAt(pid: number): { began: string | undefined; isListedOnly: boolean } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The command's name stands in parentheses and may hold anything; the state follows it, and 19 fields later the start.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { began: fields[19], isListedOnly: fields[0] === 'Z' || fields[0] === 'X' };
  } catch {
    return { began: undefined, isListedOnly: false };
  }
}

function placeOfThis(worldSize: number): Place {
  const { began } = processAt(process.pid);
  return {
    join: randomUUID(),
    by: thread,
    host: hostname(),
    processes: statSync('/proc/self/ns/pid', { throwIfNoEntry: false })?.ino ?? 0,
    pid: process.pid,
    ...(began === undefined ? {} : { began }),
    worldSize,
    state: 'joining',
  };
}

const isOnSameMachine = (one: Place, own: Place): boolean => one.host === own.host && one.processes === own.processes;

/** Whether the process of a place has certainly ended. */
function hasEnded({ pid, began }: Place): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
  const now = processAt(pid);
  return now.isListedOnly || (now.began !== undefined && began !== undefined && now.began !== began);
}

/**
 * Whether whoever has made a place may still be there. `endsTogether`: a launcher starts ranks only when all that it has started before
 * have ended, so that a place that was made on another machine is one of before.
 */
export function mayLive(one: Place, own: Place, endsTogether: boolean): boolean {
  if (one.state === 'left' || one.state === 'refused') return false;
  return isOnSameMachine(one, own) ? !hasEnded(one) : !endsTogether;
}

export const placeKey = (rank: number): string => `aiforge/place/${rank}`;

export const readPlace = (bytes: Uint8Array): Place => JSON.parse(Buffer.from(bytes).toString()) as Place;

/** The place of this rank, which no other process has as long as it is held. */
export class HeldPlace {
  private constructor(
    readonly store: Store,
    readonly rank: number,
    private place: Place,
  ) {}

  /** Takes the place of a rank; rejects at once where another one has it. */
  static async take(store: Store, rank: number, worldSize: number, endsTogether: boolean): Promise<HeldPlace> {
    const own = placeOfThis(worldSize);
    const text = JSON.stringify(own);
    const key = placeKey(rank);
    for (;;) {
      const before = (await store.check([key])) ? Buffer.from(await store.get(key)).toString() : '';
      if (before !== '') refuseTaken(rank, JSON.parse(before) as Place, own, endsTogether);
      if (Buffer.from(await store.compareSet(key, before, text)).toString() === text) break;
    }
    return new HeldPlace(store, rank, own);
  }

  get own(): Place {
    return this.place;
  }

  /** Says what has become of it, unless another one has taken the place since. */
  async say(more: Pick<Place, 'state' | 'beside'>): Promise<void> {
    const before = JSON.stringify(this.place);
    this.place = { ...this.place, ...more };
    await this.store.compareSet(placeKey(this.rank), before, JSON.stringify(this.place));
  }
}

function refuseTaken(rank: number, other: Place, own: Place, endsTogether: boolean): void {
  // One that joins again is no other.
  if (other.by === own.by || !mayLive(other, own, endsTogether)) return;
  throw new AiforgeError(
    'DISTRIBUTED_FAILED',
    `rank ${rank} has joined this group already (process ${other.pid} on ${other.host}): another process has the same RANK, or another job uses this ` +
      'store. A process that is to be replaced calls destroyProcessGroup(), or ends on the same machine.',
  );
}
