import { Buffer } from 'node:buffer';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

import type { RankCommand } from './command.js';
import { Tail } from './output.js';
import type { Patience } from './patience.js';
import { catches, groupIsAlive, isSuspended, signalGroup } from './processGroup.js';
import { RankStream, type StreamTarget } from './rankStream.js';

const pollMs = 50;
/** How long the kernel gets to carry out a SIGKILL, and a process outside the group to close the rank's output. */
const lastWaitMs = 2000;
/** How long the last lines of a rank that has ended may take to come. */
const lastLinesMs = 200;
const tailLength = 20;

/** How one rank's process ended. */
export interface RankExit {
  /** Its exit status, as a shell would report it: 128 and the signal's number when a signal ended it. */
  status: number;
  signal: NodeJS.Signals | undefined;
  /** Why it could not be started. */
  startError: string | undefined;
  /** When the launcher saw it end, by the monotonic clock, in ns. */
  endedAt: bigint;
}

export interface RankProcessOptions {
  rank: number;
  localRank: number;
  command: RankCommand;
  env: NodeJS.ProcessEnv;
  cwd: string;
  prefix: string;
  graceMs: number;
  /** With a reader that is behind; none where there is no reader. */
  patience?: Patience;
  stdout: StreamTarget;
  stderr: StreamTarget;
  /** What the rank leaves to be shown when it has ended. */
  lastWords: () => string | undefined;
}

function waitForExit(child: ChildProcess): Promise<RankExit> {
  return new Promise((resolve) => {
    const end = (status: number, signal?: NodeJS.Signals, startError?: string): void => {
      resolve({ status, signal, startError, endedAt: process.hrtime.bigint() });
    };
    child.once('error', (error) => end(1, undefined, error.message));
    child.once('exit', (code, signal) => {
      end(code ?? 128 + (signal === null ? 0 : constants.signals[signal]), signal ?? undefined);
    });
  });
}

/** One rank: a process that leads a process group of its own, with its output passed on. */
export class RankProcess {
  readonly rank: number;
  readonly localRank: number;
  readonly pid: number | undefined;
  readonly showsErrors: boolean;
  readonly exited: Promise<RankExit>;
  /** Resolves when nothing of its process group runs any more and its output has been passed on. */
  readonly finished: Promise<RankExit>;
  readonly stderrTail = new Tail(tailLength);
  readonly #child: ChildProcess;
  readonly #graceMs: number;
  readonly #patience: Patience | undefined;
  readonly #streams: RankStream[];
  readonly #targets: readonly StreamTarget[];
  readonly #lastWords: () => string | undefined;
  #lastSignal: NodeJS.Signals | undefined;
  #hasEnded = false;
  #gone = false;

  constructor(options: RankProcessOptions) {
    this.rank = options.rank;
    this.localRank = options.localRank;
    this.#graceMs = options.graceMs;
    this.#patience = options.patience;
    this.showsErrors = options.stderr.write !== undefined;
    this.#targets = [options.stderr, options.stdout];
    this.#lastWords = options.lastWords;
    this.#child = spawn(options.command.file, options.command.args, {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.pid = this.#child.pid;
    this.#streams = this.#passOn(options);
    this.exited = waitForExit(this.#child);
    this.finished = this.#finish(once(this.#child, 'close'));
  }

  /** The file that has what it printed, on stderr where there is one for that; undefined where there is none, or no more. */
  get logPath(): string | undefined {
    const log = this.#targets.find((target) => target.log !== undefined)?.log;
    return log?.isRemoved === true ? undefined : log?.path;
  }

  /** The last signal that the launcher sent to it before it ended. */
  get lastSignal(): NodeJS.Signals | undefined {
    return this.#lastSignal;
  }

  /** Whether the rank itself has ended; what it started may still run. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Signals the whole process group, unless nothing of it is left. */
  signal(signal: NodeJS.Signals): void {
    if (this.#gone || this.pid === undefined) return;
    if (signalGroup(this.pid, signal) && !this.#hasEnded) this.#lastSignal = signal;
  }

  /** Whether it is stopped, as by SIGSTOP. */
  get isSuspended(): boolean {
    return !this.#hasEnded && this.pid !== undefined && isSuspended(this.pid);
  }

  /** Stops the whole process group, or lets it go on. */
  suspend(signal: 'SIGSTOP' | 'SIGCONT'): void {
    if (!this.#gone && this.pid !== undefined) signalGroup(this.pid, signal);
  }

  /** Signals the rank alone, and not what it started, if it has a handler: it would end of most signals otherwise. */
  pass(signal: NodeJS.Signals): void {
    if (!this.#hasEnded && this.pid !== undefined && catches(this.pid, signal)) this.#child.kill(signal);
  }

  /** Resolves when all that it wrote on stderr has come, or does not soon, as where its reader is behind or another process has it. */
  async stderrCame(): Promise<void> {
    const { stderr } = this.#child;
    if (stderr === null || stderr.closed) return;
    const isClosed = new Promise((resolve) => stderr.once('close', resolve));
    await Promise.race([isClosed, delay(lastLinesMs)]);
  }

  #passOn({ rank, prefix, stdout, stderr }: RankProcessOptions): RankStream[] {
    const common = { prefix, progress: rank === 0 };
    const onLine = (line: string): void => this.stderrTail.push(line);
    return [
      new RankStream(this.#child.stdout, { ...common, ...stdout }),
      new RankStream(this.#child.stderr, { ...common, ...stderr, onLine }),
    ];
  }

  async #finish(closed: Promise<unknown>): Promise<RankExit> {
    // A process that did not start reports it on `exited` alone.
    const isClosed = closed.then(
      () => true,
      () => true,
    );
    const exit = await this.exited;
    this.#hasEnded = true;
    if (this.pid !== undefined) {
      await this.#endGroup();
      await this.#untilPassedOn(isClosed);
    }
    for (const stream of this.#streams) stream.end();
    this.#writeLastWords();
    for (const { log } of this.#targets) log?.close();
    return exit;
  }

  /** Waits for what it has printed, for a reader that is behind as long as patience lasts; but not where only a stranger has the stream. */
  async #untilPassedOn(isClosed: Promise<boolean>): Promise<void> {
    const start = performance.now();
    while (!(await Promise.race([isClosed, delay(pollMs, false)]))) {
      const waitedMs = performance.now() - start;
      const quietMs = Math.min(...this.#streams.map((stream) => stream.quietMs));
      const overMs = this.#patience?.overMs ?? -Infinity;
      if (Math.min(waitedMs, Math.max(quietMs, overMs)) <= lastWaitMs) continue;
      if (quietMs <= lastWaitMs) this.#patience?.giveUp();
      return;
    }
  }

  #writeLastWords(): void {
    const words = this.#lastWords();
    const log = this.#targets.find((target) => target.log !== undefined)?.log;
    if (words !== undefined) log?.write(Buffer.from(`${words}\n`));
  }

  /** Ends what the rank started and left behind; its own end is the word to stop, unless it had one before. */
  async #endGroup(): Promise<void> {
    const group = this.pid;
    if (group === undefined) return;
    if (groupIsAlive(group) && this.#lastSignal === undefined) this.signal('SIGTERM');
    const killAt = performance.now() + this.#graceMs;
    while (groupIsAlive(group)) {
      const overdue = performance.now() - killAt;
      if (overdue > lastWaitMs) break;
      if (overdue >= 0) this.signal('SIGKILL');
      await delay(pollMs);
    }
    this.#gone = true;
  }
}
