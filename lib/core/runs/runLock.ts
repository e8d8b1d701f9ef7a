import { linkSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';

import { AiforgeError } from '../../errors.js';
import { saving } from './saving.js';

const prefix = 'lock.';

interface Holder {
  pid: number;
  host: string;
  /** When the process began, in the kernel's ticks: another process may have got the pid since. */
  began: string | undefined;
}

/** A run's folder belongs to one process at a time: whoever holds its lock. A process that has ended holds nothing. */
export class RunLock {
  readonly #file: string;
  readonly #release = (): void => {
    try {
      unlinkSync(this.#file);
    } catch {
      // Gone with its folder, or not to be removed any more: it is nobody's as soon as this process has ended.
    }
  };

  private constructor(file: string) {
    this.#file = file;
    process.once('exit', this.#release);
  }

  /** Throws TRAINING_FAILED, naming the process, when another one works in the folder. */
  static acquire(directory: string): RunLock {
    const own = path.join(directory, `.${prefix}${process.pid}.tmp`);
    try {
      saving(own, () => writeFileSync(own, JSON.stringify(holderOf(process.pid))));
      // Each holder takes the number after the last one, which only one can.
      for (;;) {
        const numbers = locksIn(directory);
        for (const number of numbers) refuseIfHeld(directory, number);
        const file = path.join(directory, `${prefix}${(numbers.at(-1) ?? 0) + 1}`);
        if (!tryLink(own, file)) continue;
        for (const number of numbers) rmSync(path.join(directory, `${prefix}${number}`), { force: true });
        return new RunLock(file).#alone(directory);
      }
    } finally {
      rmSync(own, { force: true });
    }
  }

  /** Throws as `acquire` does, and takes nothing. */
  static requireFree(directory: string): void {
    for (const number of locksIn(directory)) refuseIfHeld(directory, number);
  }

  /** The lock, or undefined when another process holds it. */
  static tryAcquire(directory: string): RunLock | undefined {
    try {
      return RunLock.acquire(directory);
    } catch (error) {
      if (error instanceof AiforgeError) return undefined;
      throw error;
    }
  }

  /** Whether a process works in the folder now. Changes nothing. */
  static isHeld(directory: string): boolean {
    try {
      for (const number of locksIn(directory)) refuseIfHeld(directory, number);
      return false;
    } catch (error) {
      if (error instanceof AiforgeError) return true;
      throw error;
    }
  }

  /** A process that was slow to look may have found a number free that a faster one had given back. */
  #alone(directory: string): this {
    try {
      for (const number of locksIn(directory)) {
        if (path.join(directory, `${prefix}${number}`) !== this.#file) refuseIfHeld(directory, number);
      }
      return this;
    } catch (error) {
      this.release();
      throw error;
    }
  }

  release(): void {
    process.off('exit', this.#release);
    this.#release();
  }
}

function locksIn(directory: string): number[] {
  return readdirSync(directory)
    .filter((name) => /^lock\.\d+$/.test(name))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((a, b) => a - b);
}

function refuseIfHeld(directory: string, number: number): void {
  const file = path.join(directory, `${prefix}${number}`);
  let holder: Holder;
  try {
    holder = JSON.parse(readFileSync(file, 'utf8')) as Holder;
  } catch {
    return; // Given back meanwhile.
  }
  if (!isAlive(holder)) return;
  const where = holder.host === hostname() ? '' : ` on ${holder.host}`;
  throw new AiforgeError(
    'TRAINING_FAILED',
    `The run in ${directory} is being worked on by process ${holder.pid}${where}. Wait for it or stop it` +
      (where === '' ? '.' : `; if it no longer runs, remove ${file}.`),
  );
}

// A link appears with its content, so nobody ever reads a lock without its holder.
function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** A process of another machine cannot be looked at: it counts as alive. */
function isAlive(holder: Holder): boolean {
  if (holder.host !== hostname()) return true;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const { began, hasEnded } = processAt(holder.pid);
  return began === holder.began && !hasEnded;
}

function holderOf(pid: number): Holder {
  return { pid, host: hostname(), began: processAt(pid).began };
}

/** PF_EXITING of Linux: a process that was killed runs no code any more, and may be there for a while. */
const exiting = 0x4;

/** From /proc/PID/stat: its 3rd field, the state, its 9th, the flags, and its 22nd; the 2nd is the program's name, which may hold anything. */
function processAt(pid: number): { began: string | undefined; hasEnded: boolean } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { began: fields[19], hasEnded: /^[ZX]$/.test(fields[0]!) || (Number(fields[6]) & exiting) !== 0 };
  } catch {
    return { began: undefined, hasEnded: false };
  }
}
