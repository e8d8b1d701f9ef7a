import { join } from 'node:path';

import { AiforgeError } from '../../errors.js';
import type { Attempt } from './attempt.js';
import { wordsOf, type RankCommand } from './command.js';
import { rankEnvironment } from './environment.js';
import { readErrorFile } from './errorFile.js';
import type { OrphanGuard } from './orphanGuard.js';
import { othersInText } from './othersAtFault.js';
import { describeExit, type RankOutcome } from './rankOutcome.js';
import type { Patience } from './patience.js';
import { openOutput } from './rankOutput.js';
import { RankProcess, type RankExit } from './rankProcess.js';
import type { Settings } from './settings.js';
import type { SharedOutput } from './sharedOutput.js';
import { hasStarted } from './startFile.js';
import { endStrays } from './strays.js';

/** How long a rank that another one lost has to end by itself, so that it can say why. */
const lostRankMs = 1000;

/** What a group needs besides its settings. */
export interface GroupContext {
  settings: Settings;
  command: RankCommand;
  /** The words before the command, which bind a rank to this process. */
  binding: readonly string[];
  attempt: Attempt;
  /** For what the ranks record; of this launch alone. */
  folder: string;
  guard: OrphanGuard;
  outputs: { stdout: SharedOutput; stderr: SharedOutput };
  patience: Patience;
  say: (message: string) => void;
  /** Called when the failure of one rank is about to stop the others. */
  onFailing?: () => void;
}

const listed = (ranks: readonly number[]): string =>
  ranks.length === 1 ? `rank ${ranks[0]} has` : `ranks ${ranks.join(', ')} have`;

function describeOverdue(ranks: readonly number[], signal: NodeJS.Signals, seconds: number): string {
  return (
    `${listed(ranks)} not ended ${seconds} s after ${signal}: killing ${ranks.length === 1 ? 'it' : 'them'}. What was not saved is lost. ` +
    'To give ranks more time, raise --shutdown-timeout (shutdownTimeout of launch).'
  );
}

/** All ranks of this node, started and stopped together. */
export class WorkerGroup {
  readonly #context: GroupContext;
  readonly #ranks: RankProcess[] = [];
  readonly #suspended = new Set<RankProcess>();
  #monitor: NodeJS.Timeout | undefined;
  #stopTimer: NodeJS.Timeout | undefined;
  #killTimer: NodeJS.Timeout | undefined;
  #stopping = false;
  /** Whether the launcher itself has stopped the ranks where they are. */
  #isHeld = false;

  constructor(context: GroupContext) {
    this.#context = context;
  }

  /** Starts every rank and resolves when all have ended; the first to fail stops the others. */
  async run(): Promise<RankOutcome[]> {
    const { nproc, monitorInterval } = this.#context.settings;
    this.#context.patience.renew();
    try {
      for (let localRank = 0; localRank < nproc; localRank++) this.#start(localRank);
    } catch (error) {
      this.kill();
      await Promise.all(this.#ranks.map((rank) => rank.finished));
      if (error instanceof AiforgeError) throw error;
      throw new AiforgeError('LAUNCH_FAILED', `The ranks could not be started: ${String(error)}`, { cause: error });
    }
    this.#monitor = setInterval(() => this.#lookForSuspended(), monitorInterval * 1000);
    const outcomes = await Promise.all(this.#ranks.map((rank) => this.#outcome(rank)));
    this.#stopping = true;
    clearInterval(this.#monitor);
    clearTimeout(this.#stopTimer);
    clearTimeout(this.#killTimer);
    await endStrays(`AIFORGE_ERROR_FILE=${this.#filePrefix}`, this.#context.settings.shutdownTimeout * 1000);
    return outcomes;
  }

  /** Passes a signal on to every rank and kills those that still run when the grace has passed. */
  stop(signal: NodeJS.Signals): void {
    if (!this.#stopping && !this.#isHeld) {
      for (const rank of this.#ranks) if (rank.isSuspended) this.#suspended.add(rank);
    }
    this.#stopping = true;
    this.#context.patience.limit();
    for (const rank of this.#ranks) {
      const isSuspended = rank.isSuspended;
      rank.signal(signal);
      // Until then it would not see the signal.
      if (isSuspended) rank.suspend('SIGCONT');
    }
    this.#killTimer ??= setTimeout(() => this.#killOverdue(signal), this.#context.settings.shutdownTimeout * 1000);
  }

  #killOverdue(signal: NodeJS.Signals): void {
    const { settings, say } = this.#context;
    const ranks = this.#ranks.filter((rank) => !rank.hasEnded).map(({ rank }) => rank);
    if (ranks.length > 0) say(describeOverdue(ranks, signal, settings.shutdownTimeout));
    this.kill();
  }

  /** Hands a signal that is no request to stop to every rank that could have asked for it by now. */
  pass(signal: NodeJS.Signals): void {
    const isNode = this.#context.command.nodeArgs !== undefined;
    for (const rank of this.#ranks) {
      if (!isNode || hasStarted(this.#errorFile(rank.localRank))) rank.pass(signal);
    }
  }

  /** Stops every rank and what it started where it is, or lets it go on. */
  suspend(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#isHeld = signal === 'SIGSTOP';
    for (const rank of this.#ranks) rank.suspend(signal);
  }

  /** Kills every rank and what it started. */
  kill(): void {
    this.#stopping = true;
    this.#context.patience.end();
    for (const rank of this.#ranks) rank.signal('SIGKILL');
  }

  #start(localRank: number): void {
    const { settings, attempt, guard, command, binding, outputs, patience, say, folder } = this.#context;
    const rank = attempt.firstRank + localRank;
    const [file, ...args] = wordsOf(command, binding, localRank);
    const errorFile = this.#errorFile(localRank);
    const started = new RankProcess({
      rank,
      localRank,
      command: { file, args },
      cwd: settings.cwd,
      env: rankEnvironment(settings, attempt, localRank, { error: errorFile, run: runFile(folder) }),
      prefix: settings.prefix ? `[rank ${rank}] ` : '',
      graceMs: settings.shutdownTimeout * 1000,
      patience,
      ...openOutput(settings, { rank, localRank, round: attempt.round }, outputs, say),
      lastWords: () => {
        const recorded = readErrorFile(errorFile);
        return recorded?.isShown === false ? recorded.callstack : undefined;
      },
    });
    if (started.pid !== undefined) guard.watch(started.pid);
    this.#ranks.push(started);
    void started.exited.then(async (exit) => this.#afterExit(started, exit));
  }

  /** Says once of each rank that it is stopped: the others wait for it, and nothing else would tell why. */
  #lookForSuspended(): void {
    // What they are then is the launcher's doing.
    if (this.#stopping || this.#isHeld) return;
    for (const rank of this.#ranks) {
      if (!rank.isSuspended) this.#suspended.delete(rank);
      else if (!this.#suspended.has(rank)) {
        this.#suspended.add(rank);
        const { pid } = rank;
        this.#context.say(
          `rank ${rank.rank} (pid ${pid}) is stopped, as by SIGSTOP, and others may wait for it: kill -CONT ${pid} lets it go on`,
        );
      }
    }
  }

  async #afterExit(rank: RankProcess, exit: RankExit): Promise<void> {
    if (exit.status === 0 || this.#stopping) return;
    if (await this.#hasLostAnother(rank, exit)) {
      this.#stopTimer ??= setTimeout(() => this.#stopOthers(rank, exit), lostRankMs);
    } else {
      this.#stopOthers(rank, exit);
    }
  }

  async #hasLostAnother(rank: RankProcess, { signal, startError }: RankExit): Promise<boolean> {
    const recorded = readErrorFile(this.#errorFile(rank.localRank));
    if (recorded !== undefined) return recorded.isConsequence;
    if (signal !== undefined || startError !== undefined) return false;
    // It may have shown its error itself.
    await rank.stderrCame();
    return othersInText(rank.stderrTail.lines.join('\n')).isConsequence;
  }

  #stopOthers(rank: RankProcess, exit: RankExit): void {
    if (this.#stopping) return;
    const others = this.#ranks.length > 1 ? '; stopping the others' : '';
    this.#context.say(`rank ${rank.rank} ${describeExit(exit)}${others}`);
    this.#context.onFailing?.();
    this.stop('SIGTERM');
  }

  async #outcome(rank: RankProcess): Promise<RankOutcome> {
    const exit = await rank.finished;
    if (rank.pid !== undefined) this.#context.guard.forget(rank.pid);
    return {
      ...exit,
      rank: rank.rank,
      localRank: rank.localRank,
      pid: rank.pid,
      stoppedWith: rank.lastSignal,
      wasSuspended: this.#suspended.has(rank),
      recorded: readErrorFile(this.#errorFile(rank.localRank)),
      stderrShown: rank.showsErrors,
      stderrTail: rank.stderrTail.lines,
      logPath: rank.logPath,
    };
  }

  get #filePrefix(): string {
    return join(this.#context.folder, `${this.#context.attempt.round}-`);
  }

  #errorFile(localRank: number): string {
    return `${this.#filePrefix}${localRank}.json`;
  }
}

/** Where `aiforge train` notes its run, for all starts of a group. */
export const runFile = (folder: string): string => join(folder, 'run');
