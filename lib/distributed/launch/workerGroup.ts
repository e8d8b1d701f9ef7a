import { join } from 'node:path';

import { AiforgeError } from '../../errors.js';
import type { RankCommand } from './command.js';
import { rankEnvironment, type Attempt } from './environment.js';
import { readErrorFile, type RecordedError } from './errorFile.js';
import type { Settings } from './options.js';
import type { OrphanGuard } from './orphanGuard.js';
import { RankLog } from './output.js';
import { RankProcess, type RankExit } from './rankProcess.js';
import { hasStarted } from './startFile.js';

/** How long a rank that another one lost has to end by itself, so that it can say why. */
const lostRankMs = 1000;

/** How one rank of a launch ended. */
export interface RankOutcome extends RankExit {
  rank: number;
  localRank: number;
  pid: number | undefined;
  /** The last signal that the launcher sent to it before it ended, if any. */
  stoppedWith: NodeJS.Signals | undefined;
  /** What the rank itself recorded about its failure. */
  recorded: RecordedError | undefined;
  /** The last lines that it wrote on stderr. */
  stderrTail: readonly string[];
  logPath: string | undefined;
}

/** What a group needs besides its settings. */
export interface GroupContext {
  settings: Settings;
  command: RankCommand;
  attempt: Attempt;
  errorFolder: string;
  guard: OrphanGuard;
  say: (message: string) => void;
}

export function describeExit(exit: RankExit): string {
  if (exit.startError !== undefined) return `could not be started (${exit.startError})`;
  return exit.signal === undefined ? `ended with exit status ${exit.status}` : `was killed by ${exit.signal}`;
}

function describeOverdue(ranks: readonly number[], signal: NodeJS.Signals, graceSeconds: number): string {
  const which = ranks.length === 1 ? `rank ${ranks[0]} has` : `ranks ${ranks.join(', ')} have`;
  return (
    `${which} not ended ${graceSeconds} s after ${signal}: killing ${ranks.length === 1 ? 'it' : 'them'}. What was not saved is lost. ` +
    'To give ranks more time, raise --grace-seconds (graceSeconds of launch).'
  );
}

/** All ranks of this machine, started and stopped together. */
export class WorkerGroup {
  readonly #context: GroupContext;
  readonly #ranks: RankProcess[] = [];
  #stopTimer: NodeJS.Timeout | undefined;
  #killTimer: NodeJS.Timeout | undefined;
  #stopping = false;

  constructor(context: GroupContext) {
    this.#context = context;
  }

  /** Starts every rank and resolves when all have ended; the first to fail stops the others. */
  async run(): Promise<RankOutcome[]> {
    try {
      for (let localRank = 0; localRank < this.#context.settings.nproc; localRank++) this.#start(localRank);
    } catch (error) {
      this.kill();
      await Promise.all(this.#ranks.map((rank) => rank.finished));
      if (error instanceof AiforgeError) throw error;
      throw new AiforgeError('LAUNCH_FAILED', `The ranks could not be started: ${String(error)}`, { cause: error });
    }
    const outcomes = await Promise.all(this.#ranks.map((rank) => this.#outcome(rank)));
    clearTimeout(this.#stopTimer);
    clearTimeout(this.#killTimer);
    return outcomes;
  }

  /** Passes a signal on to every rank and kills those that still run when the grace has passed. */
  stop(signal: NodeJS.Signals): void {
    this.#stopping = true;
    for (const rank of this.#ranks) rank.signal(signal);
    this.#killTimer ??= setTimeout(() => this.#killOverdue(signal), this.#context.settings.graceSeconds * 1000);
  }

  #killOverdue(signal: NodeJS.Signals): void {
    const { settings, say } = this.#context;
    const ranks = this.#ranks.filter((rank) => !rank.hasEnded).map(({ rank }) => rank);
    if (ranks.length > 0) say(describeOverdue(ranks, signal, settings.graceSeconds));
    this.kill();
  }

  /** Hands a signal that is no request to stop to every rank that could have asked for it by now. */
  pass(signal: NodeJS.Signals): void {
    const { executable } = this.#context.settings;
    for (const rank of this.#ranks) {
      if (executable || hasStarted(this.#errorFile(rank.localRank))) rank.pass(signal);
    }
  }

  /** Kills every rank and what it started. */
  kill(): void {
    this.#stopping = true;
    for (const rank of this.#ranks) rank.signal('SIGKILL');
  }

  get #runFile(): string {
    return join(this.#context.errorFolder, 'run');
  }

  #start(localRank: number): void {
    const { settings, attempt, guard, command } = this.#context;
    const rank = settings.nodeRank * settings.nproc + localRank;
    const { logDir, stdout, stderr, cwd } = settings;
    const started = new RankProcess({
      rank,
      localRank,
      command,
      cwd,
      env: rankEnvironment(settings, attempt, localRank, { error: this.#errorFile(localRank), run: this.#runFile }),
      prefix: settings.prefix ? `[rank ${rank}] ` : '',
      graceMs: settings.graceSeconds * 1000,
      stdout: (text) => stdout.write(text),
      stderr: (text) => stderr.write(text),
      log: logDir === undefined ? undefined : new RankLog(logDir, rank, attempt.restartCount, this.#context.say),
      lastWords: () => {
        const recorded = readErrorFile(this.#errorFile(localRank));
        return recorded?.isShown === false ? recorded.callstack : undefined;
      },
    });
    if (started.pid !== undefined) guard.watch(started.pid);
    this.#ranks.push(started);
    void started.exited.then((exit) => this.#afterExit(started, exit));
  }

  #afterExit(rank: RankProcess, exit: RankExit): void {
    if (exit.status === 0 || this.#stopping) return;
    if (readErrorFile(this.#errorFile(rank.localRank))?.isConsequence === true) {
      this.#stopTimer ??= setTimeout(() => this.#stopOthers(rank, exit), lostRankMs);
    } else {
      this.#stopOthers(rank, exit);
    }
  }

  #stopOthers(rank: RankProcess, exit: RankExit): void {
    if (this.#stopping) return;
    const others = this.#ranks.length > 1 ? '; stopping the others' : '';
    this.#context.say(`rank ${rank.rank} ${describeExit(exit)}${others}`);
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
      recorded: readErrorFile(this.#errorFile(rank.localRank)),
      stderrTail: rank.stderrTail.lines,
      logPath: rank.logPath,
    };
  }

  #errorFile(localRank: number): string {
    return join(this.#context.errorFolder, `${this.#context.attempt.restartCount}-${localRank}.json`);
  }
}
