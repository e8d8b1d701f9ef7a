import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';

import { writeFileAtomic } from '../../../atomicFile.js';
import type { LaunchResult } from '../../launch.js';
import type { ElasticMeeting } from '../meeting.js';
import type { RankOutcome } from '../rankOutcome.js';
import { describeFailure, failureStatus, findRootCause, keptWaiting, onlyWaited } from '../report.js';
import type { Interruption } from '../signals.js';
import { runFile, WorkerGroup, type GroupContext } from '../workerGroup.js';
import type { Failure, Start } from './messages.js';
import { interfaceOf } from './machine.js';
import { RendezvousNode, type NodeEvent } from './node.js';

export type ElasticContext = Omit<GroupContext, 'attempt' | 'onFailing'> & {
  interruption: Interruption;
  runId: string;
  meeting: ElasticMeeting;
  /** Whether what ranks print cannot be passed on any more. */
  isBroken: () => boolean;
};

type Awaited = Exclude<NodeEvent, { type: 'note' }> | { type: 'interrupted' };

const mostReport = 19_000;
const shareMs = 200;

/** The ranks of this node, started and stopped together with those of others. */
class ElasticLaunch {
  readonly #context: ElasticContext;
  readonly #node: RendezvousNode;
  readonly #events: Awaited[] = [];
  #wake: (() => void) | undefined;
  #giveUp: (() => void) | undefined;
  #group: WorkerGroup | undefined;
  #ranks: RankOutcome[] = [];
  #restarts = 0;
  /** What all nodes know of the run. */
  #shared: string | null = null;

  constructor(context: ElasticContext) {
    this.#context = context;
    const { settings, meeting, runId, say, interruption } = context;
    this.#node = new RendezvousNode({ settings, meeting, runId, say, onEvent: (event) => this.#happen(event) });
    interruption.onStop = () => {
      this.#happen({ type: 'interrupted' });
      this.#giveUp?.();
    };
  }

  async run(): Promise<LaunchResult> {
    try {
      await this.#orInterrupted(this.#node.join());
      for (;;) {
        const event = await this.#next();
        if (event.type === 'interrupted' || this.#context.isBroken()) return this.#leave();
        if (event.type === 'over') return await this.#end(event.status, event.text);
        if (event.type === 'start') await this.#runRound(event);
        else if (event.type === 'lost') await this.#orInterrupted(this.#node.rejoin(this.#note()));
        else await this.#node.stopped(null, this.#note());
      }
    } catch (error) {
      this.#node.leave();
      throw error;
    }
  }

  /** Waits for others to be found, unless a signal comes before. */
  async #orInterrupted(found: Promise<void>): Promise<void> {
    const { interruption } = this.#context;
    const interrupted = new Promise<void>((resolve) => (this.#giveUp = resolve));
    if (interruption.signal !== undefined) this.#giveUp?.();
    // It is left to end by itself.
    found.catch(() => undefined);
    await Promise.race([found, interrupted]);
  }

  #happen(event: NodeEvent | Awaited): void {
    if (event.type === 'note') {
      this.#keepNote(event.note);
      return;
    }
    // While ranks run, what is said to all of them is for them; it counts again once they have ended.
    if (event.type === 'stop') this.#context.say(`${event.reason}; stopping the ranks of this node`);
    if (event.type === 'stop' || event.type === 'lost') this.#group?.stop('SIGTERM');
    this.#events.push(event);
    this.#wake?.();
  }

  async #next(): Promise<Awaited> {
    while (this.#events.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#events.shift()!;
  }

  async #runRound({ type: _, note, address, ...place }: Start): Promise<void> {
    const { interruption, runId } = this.#context;
    if (note !== null) this.#keepNote(note);
    this.#restarts = place.restartCount;
    const onFailing = () => this.#node.send({ type: 'failing' });
    const group = new WorkerGroup({
      ...this.#context,
      attempt: { ...place, runId, networkInterface: interfaceOf(address) },
      onFailing,
    });
    this.#group = group;
    interruption.group = group;
    const sharing = setInterval(() => this.#shareNote(), shareMs);
    try {
      // What came meanwhile is for ranks that were not there yet.
      if (this.#events.length > 0) return;
      this.#ranks = await group.run();
    } finally {
      clearInterval(sharing);
      this.#group = undefined;
      interruption.group = undefined;
    }
    await this.#tellEnd();
  }

  async #tellEnd(): Promise<void> {
    const told = this.#events.findIndex(({ type }) => type === 'stop');
    if (told < 0 && this.#ranks.every(({ status }) => status === 0)) {
      this.#node.send({ type: 'ended' });
      return;
    }
    if (told >= 0) this.#events.splice(told, 1);
    if (this.#context.interruption.signal === undefined) await this.#node.stopped(this.#failure(), this.#note());
  }

  #failure(): Failure | null {
    // One that was stopped may be what ranks of other nodes have waited for.
    const cause = findRootCause(this.#ranks) ?? this.#ranks.find(keptWaiting);
    if (cause === undefined) return null;
    return {
      rank: cause.rank,
      status: failureStatus(cause, this.#ranks),
      isWaiting: onlyWaited(cause),
      keptWaiting: keptWaiting(cause),
      report: describeFailure(cause, this.#ranks).slice(0, mostReport),
    };
  }

  /** The other nodes must know the run before this one is lost. */
  #shareNote(): void {
    const note = this.#note();
    if (note === null || note === this.#shared) return;
    this.#shared = note;
    this.#node.send({ type: 'note', note });
  }

  #keepNote(note: string): void {
    this.#shared = note;
    if (note === this.#note()) return;
    try {
      writeFileAtomic(runFile(this.#context.folder), note);
    } catch (error) {
      this.#context.say(
        `the run cannot be noted: ranks that are started again would begin a new one (${String(error)})`,
      );
    }
  }

  #note(): string | null {
    const file = runFile(this.#context.folder);
    return existsSync(file) ? readFileSync(file, 'utf8') : null;
  }

  #result(status: number): LaunchResult {
    const interruptedBy = this.#context.interruption.signal;
    const rootCause = status === 0 ? undefined : findRootCause(this.#ranks);
    return { status, interruptedBy, restarts: this.#restarts, rootCause, ranks: this.#ranks };
  }

  #leave(): LaunchResult {
    this.#node.leave();
    const { signal } = this.#context.interruption;
    return this.#result(signal === undefined ? 1 : 128 + constants.signals[signal]);
  }

  async #end(status: number, text: string): Promise<LaunchResult> {
    if (text !== '') this.#context.say(text);
    await this.#node.close();
    return this.#result(status);
  }
}

/** Starts this node's ranks with those of the other nodes, as often as they decide together, until the job is over. */
export function launchElastic(context: ElasticContext): Promise<LaunchResult> {
  return new ElasticLaunch(context).run();
}
