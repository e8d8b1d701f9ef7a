import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Whether a process runs; a zombie that nobody reaps does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    if (process.platform !== 'linux') return true;
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat[stat.lastIndexOf(')') + 2] !== 'Z';
  } catch {
    return false;
  }
}

/** Waits for a condition; one that does not come about ends the wait, and so the run of all tests. */
export async function until(condition: () => boolean, seconds = 50): Promise<void> {
  const last = performance.now() + seconds * 1000;
  while (!condition()) {
    if (performance.now() > last) throw new Error(`not so within ${seconds} s: ${String(condition)}`);
    await delay(20);
  }
}

/** The process ids that `behave.mjs` printed for its ranks and for what they started. */
export function printedPids(output: string): number[] {
  return [...output.matchAll(/(?:pid|child) (\d+)/g)].map((match) => Number(match[1]));
}

/** The processes that a process has started and that have not ended, on Linux. */
export function childrenOf(pid: number): number[] {
  const listed = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
  return listed
    .split(' ')
    .filter((text) => text !== '')
    .map(Number);
}
