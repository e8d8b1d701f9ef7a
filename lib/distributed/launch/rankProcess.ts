import { Buffer } from 'node:buffer';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

import type { RankCommand } from './command.js';
import { LineTee, Tail, type RankLog } from './output.js';
import { groupIsAlive, signalGroup } from './processGroup.js';

const pollMs = 50;
/** How long the kernel gets to carry out a SIGKILL, and a process outside the group to close the rank's output. */
const lastWaitMs = 2000;
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
  stdout: (text: string) => void;
  stderr: (text: string) => void;
  log: RankLog | undefined;
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
  readonly logPath: string | undefined;
  readonly exited: Promise<RankExit>;
  /** Resolves when nothing of its process group runs any more and its output has been passed on. */
  readonly finished: Promise<RankExit>;
  readonly stderrTail = new Tail(tailLength);
  readonly #child: ChildProcess;
  readonly #graceMs: number;
  readonly #tees: LineTee[] = [];
  readonly #log: RankLog | undefined;
  readonly #lastWords: () => string | undefined;
  #lastSignal: NodeJS.Signals | undefined;
  #hasEnded = false;
  #gone = false;

  constructor(options: RankProcessOptions) {
    this.rank = options.rank;
    this.localRank = options.localRank;
    this.#graceMs = options.graceMs;
    this.#log = options.log;
    this.#lastWords = options.lastWords;
    this.logPath = options.log?.path;
    this.#child = spawn(options.command.file, options.command.args, {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.pid = this.#child.pid;
    this.#passOn(options);
    this.exited = waitForExit(this.#child);
    this.finished = this.#finish(once(this.#child, 'close'));
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

  /** Signals the rank alone, and not what it started. */
  pass(signal: NodeJS.Signals): void {
    if (!this.#gone) this.#child.kill(signal);
  }

  #passOn(options: RankProcessOptions): void {
    const common = { prefix: options.prefix, progress: options.rank === 0 };
    const keep = (line: string): void => this.stderrTail.push(line);
    const tees = [
      [this.#child.stdout, new LineTee({ ...common, write: options.stdout })],
      [this.#child.stderr, new LineTee({ ...common, write: options.stderr, onLine: keep })],
    ] as const;
    for (const [stream, tee] of tees) {
      this.#tees.push(tee);
      stream?.on('data', (chunk: Buffer) => {
        this.#log?.write(chunk);
        tee.push(chunk);
      });
    }
  }

  async #finish(closed: Promise<unknown>): Promise<RankExit> {
    // A process that did not start reports it on `exited` alone.
    closed.catch(() => undefined);
    const exit = await this.exited;
    this.#hasEnded = true;
    if (this.pid !== undefined) {
      await this.#endGroup();
      await Promise.race([closed, delay(lastWaitMs, undefined, { ref: false })]);
    }
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.destroy();
    for (const tee of this.#tees) tee.end();
    const words = this.#lastWords();
    if (words !== undefined) this.#log?.write(Buffer.from(`${words}\n`));
    this.#log?.close();
    return exit;
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
