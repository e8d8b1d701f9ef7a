import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 50;
const lastWaitMs = 2000;

/**
 * The processes whose environment has a text, which is how what a rank has started is known where it has made itself a session of its
 * own. Linux alone tells.
 */
function processesWith(text: string): number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && environmentHas(entry, text))
    .map(Number);
}

function environmentHas(pid: string, text: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(text);
  } catch {
    // It is gone, or another user's.
    return false;
  }
}

function signalEach(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** Ends what ranks have left behind in sessions of their own: they are asked to, and killed when the grace has passed. */
export async function endStrays(mark: string, graceMs: number): Promise<void> {
  let strays = processesWith(mark);
  signalEach(strays, 'SIGTERM');
  const killAt = performance.now() + graceMs;
  while (strays.length > 0) {
    await delay(pollMs);
    strays = processesWith(mark);
    const overdue = performance.now() - killAt;
    if (overdue > lastWaitMs) return;
    if (overdue >= 0) signalEach(strays, 'SIGKILL');
  }
}
