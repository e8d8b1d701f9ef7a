import { Buffer } from 'node:buffer';
import { setTimeout as delay } from 'node:timers/promises';
import { AiforgeError, errorOfCall } from '../errors.js';
import { lineOf } from './collectives/calls.js';
import { tooManyOpenFiles } from './openFiles.js';
import type { Store } from './stores/store.js';
import type { KnownGroup } from './world.js';

/** A call that makes groups. */
export interface MakingCall {
  name: string;
  stack: { stack?: unknown };
}

/** What a rank asks for in it. */
export interface Asked {
  /** Such as `newGroup([0, 1])`. */
  text: string;
  /** The same on all ranks that ask for the same. */
  same: string;
}

// A timer of Node's cannot be longer.
const longestMs = 0x7fff_ffff;
// How long the rank with the store waits until the others have read how it ended.
const forFailureMs = 300;
const forSuccessMs = 5_000;
// How long a rank whose time is over still waits for the store and the others.
const forStoreMs = 800;
// How seldom a rank that waits asks, at most.
const mostPauseMs = 100;

// As native/distributed/deadlines.cc says it.
const silentStore =
  'The store did not answer: its process, that of rank 0 unless a launcher serves it, may be stopped.';

/** The verdict where nothing is wrong. */
const agreed = 'ok';

/** What all ranks do the same where they make a group, before and after it is connected. */
type Round = 'asked' | 'made';

/**
 * The ranks of a group while they make others from it. As Python's barrier of `new_group`, it is over the store and has all ranks,
 * also those that are in none of the new groups: the one that serves the store must not end while others still connect. Ranks of
 * Python have no part in it.
 */
class Meeting {
  readonly #store: Store;
  readonly #rank: number;
  /** The ranks that take part. */
  readonly #ranks: readonly number[];
  /** The rank that compares: the first of the default group, which is more likely to serve the store than others. */
  readonly #first: number;
  readonly #key: string;
  readonly #until: number;

  constructor(
    from: KnownGroup,
    private readonly asked: string,
    private readonly timeoutMs: number,
  ) {
    this.#store = from.store;
    this.#rank = from.group.rank;
    this.#ranks = from.nodes;
    this.#first = from.nodes.reduce((one, other) => (from.ranks[other]! < from.ranks[one]! ? other : one));
    this.#key = `aiforge/making/${from.makings++}`;
    this.#until = performance.now() + timeoutMs;
  }

  /** Resolves once all ranks have said `own`; rejects on all of them with what `judge` finds wrong. */
  async meet(round: Round, own: string, judge: (all: ReadonlyMap<number, string>) => string): Promise<void> {
    let verdict: string;
    try {
      await this.#store.set(this.#keyOf(round, this.#rank), own);
      const said = await (this.#rank === this.#first ? this.#compare(round, judge) : this.#hear(round));
      verdict = said ?? (await this.#afterTimeout(round));
    } catch (error) {
      throw this.#storeError(error);
    }
    const isOver = verdict !== agreed;
    if (isOver || round === 'made') await this.#part(round, isOver ? forFailureMs : forSuccessMs);
    if (isOver) throw failure(verdict);
  }

  #storeError(error: unknown): AiforgeError {
    const why = error instanceof Error ? error.message : String(error);
    if (why.includes(silentStore)) return this.silence();
    return failure(
      'the connection to the store was lost: its process, that of rank 0 unless a launcher serves it, has ended. Another rank has ' +
        `ended: its own output says why. (${why})`,
    );
  }

  /** What is said where the store does not answer in time. */
  silence(): AiforgeError {
    return failure(`${this.#waited}. ${silentStore}`);
  }

  get #waited(): string {
    return `timed out after ${this.timeoutMs} ms. rank ${this.#rank}: ${this.asked}`;
  }

  #keyOf(round: Round, of: number | 'verdict' | 'left'): string {
    return `${this.#key}/${round}/${of}`;
  }

  /** The time that is left for it. */
  get leftMs(): number {
    return Math.max(1, Math.ceil(this.#until - performance.now()));
  }

  /** Undefined where one of the ranks has not come in time. */
  async #compare(round: Round, judge: (all: ReadonlyMap<number, string>) => string): Promise<string | undefined> {
    const keys = this.#ranks.map((rank) => this.#keyOf(round, rank));
    if (!(await this.#has(keys))) return undefined;
    const values = await this.#store.multiGet(keys);
    return this.#leave(round, judge(new Map(this.#ranks.map((rank, i) => [rank, textOf(values[i]!)]))));
  }

  async #hear(round: Round): Promise<string | undefined> {
    const key = this.#keyOf(round, 'verdict');
    return (await this.#has([key])) ? textOf(await this.#store.get(key)) : undefined;
  }

  /** Whether the store has the keys in time. It is asked again and again: a wait would not tell at once that its process has ended. */
  async #has(keys: readonly string[]): Promise<boolean> {
    for (let pauseMs = 1; !(await this.#store.check(keys)); pauseMs = Math.min(2 * pauseMs, mostPauseMs)) {
      if (performance.now() >= this.#until) return false;
      await delay(pauseMs);
    }
    return true;
  }

  /** Leaves a verdict for all ranks; the first one holds. */
  async #leave(round: Round, verdict: string): Promise<string> {
    return textOf(await this.#store.compareSet(this.#keyOf(round, 'verdict'), '', verdict));
  }

  async #afterTimeout(round: Round): Promise<string> {
    const missing = await this.#missing(round);
    const where = round === 'asked' ? 'it' : 'the end of it';
    const have = missing.length === 0 ? '' : `; ${ranksText(missing, ['has', 'have'])} not come to ${where}`;
    return this.#leave(
      round,
      `${this.#waited}${have}. Every rank must make the same groups in the same order, also those that it is not in. ` +
        'Check that every rank is still running; a slow one needs a larger timeoutMs.',
    );
  }

  async #missing(round: Round): Promise<number[]> {
    const has = await Promise.all(this.#ranks.map((rank) => this.#store.check([this.#keyOf(round, rank)])));
    return this.#ranks.filter((_, i) => !has[i]);
  }

  /** The first rank, with which the store may end, is the last to leave. */
  async #part(round: Round, limitMs: number): Promise<void> {
    try {
      if (this.#rank !== this.#first) {
        await this.#store.add(this.#keyOf(round, 'left'), 1);
        return;
      }
      const until = performance.now() + Math.min(limitMs, Math.max(forFailureMs, this.leftMs));
      while ((await this.#store.add(this.#keyOf(round, 'left'), 0)) < this.#ranks.length - 1) {
        if (performance.now() > until) return;
        await delay(1);
      }
    } catch {
      // The verdict is known all the same.
    }
  }
}

function failure(verdict: string): AiforgeError {
  return new AiforgeError('DISTRIBUTED_FAILED', verdict);
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** What a promise gives, undefined where that takes longer. */
async function within<T>(limitMs: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>(
    (resolve) => (timer = setTimeout(() => resolve(undefined), Math.min(limitMs, longestMs))),
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Such as "rank 1 has" and "ranks 0 and 2 have". */
function ranksText(ranks: readonly number[], [one, several] = ['', '']): string {
  const verb = ranks.length === 1 ? one : several;
  const list = ranks.length === 1 ? ranks.join() : `${ranks.slice(0, -1).join(', ')} and ${ranks.at(-1)}`;
  return `${ranks.length === 1 ? 'rank' : 'ranks'} ${list}${verb === '' ? '' : ` ${verb}`}`;
}

/** Says what each rank asks for, where that differs. */
function compareAsked(all: ReadonlyMap<number, string>): string {
  const asked = [...all].map(([rank, json]) => ({ rank, ...(JSON.parse(json) as Asked) }));
  if (asked.every(({ same }) => same === asked[0]!.same)) return agreed;
  const ranksOf = new Map<string, number[]>();
  for (const { rank, text } of asked) ranksOf.set(text, [...(ranksOf.get(text) ?? []), rank]);
  const each = [...ranksOf].map(([text, ranks]) => `${ranksText(ranks)}: ${text}`);
  return `the ranks do not do the same. ${each.join('; ')}. All ranks must make the same groups in the same order.`;
}

/** Says what went wrong on other ranks. */
function compareMade(all: ReadonlyMap<number, string>): string {
  const failed = [...all].find(([, outcome]) => outcome !== agreed);
  return failed === undefined ? agreed : `rank ${failed[0]} could not be connected: ${failed[1]}`;
}

async function meetAround<T>(meeting: Meeting, asked: Asked, make: () => Promise<T>): Promise<T> {
  await meeting.meet('asked', JSON.stringify(asked), compareAsked);
  let made: T;
  try {
    made = await make();
  } catch (error) {
    await meeting
      .meet('made', error instanceof Error ? error.message : String(error), compareMade)
      .catch(() => undefined);
    throw error;
  }
  await meeting.meet('made', agreed, compareMade);
  return made;
}

/**
 * Makes a group out of another together with its other ranks, each of which calls this. Rejects on all of them when they ask for
 * different things, and at the timeout when one does not come.
 */
export async function makeTogether<T>(
  from: KnownGroup,
  { name, stack }: MakingCall,
  asked: Asked,
  timeoutMs: number,
  make: () => Promise<T>,
): Promise<T> {
  if (from.nodes.length === 1) return make();
  const line = lineOf(stack.stack);
  const text = line === undefined ? asked.text : `${asked.text} at ${line}`;
  const meeting = new Meeting(from, text, timeoutMs);
  const making = meetAround(meeting, { ...asked, text }, make).then((made) => ({ made }));
  try {
    const result = await within(meeting.leftMs + forStoreMs, making);
    if (result !== undefined) return result.made;
    making.catch(() => undefined);
    const full = tooManyOpenFiles(from.nodes.length);
    throw full === undefined ? meeting.silence() : failure(full);
  } catch (error) {
    throw toldOf(error, name, stack);
  }
}

function toldOf(error: unknown, name: string, stack: { stack?: unknown }): unknown {
  if (!(error instanceof AiforgeError)) return error;
  if (error.code !== 'DISTRIBUTED_FAILED' || error.message.startsWith(`${name} failed`))
    return errorOfCall(error, name, stack);
  return errorOfCall(failure(`${name} failed: ${error.message}`), name, stack);
}
