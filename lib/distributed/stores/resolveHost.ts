import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { AiforgeError } from '../../errors.js';

const retryMs = 500;
/** Node.js fires timers above it at once. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * Waits until a host has an address: the name of a container may come later than the container that asks for it. c10d would look it up
 * for as long as the system's resolver takes, whatever its timeout.
 */
export async function resolveHost(host: string, timeoutMs: number): Promise<void> {
  if (isIP(host) !== 0) return;
  const until = performance.now() + timeoutMs;
  const stop = new AbortController();
  const late = delay(Math.min(timeoutMs, longestTimerMs), 'it took too long', { signal: stop.signal, ref: true });
  late.catch(() => undefined);
  try {
    for (;;) {
      const problem = await Promise.race([addressProblem(host), late]);
      if (problem === undefined) return;
      const left = until - performance.now();
      if (left <= retryMs) throw unknown(host, timeoutMs, problem);
      await delay(retryMs);
    }
  } finally {
    stop.abort();
  }
}

/** Why a host has no address; undefined if it has one. */
async function addressProblem(host: string): Promise<string | undefined> {
  try {
    await lookup(host);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

function unknown(host: string, timeoutMs: number, problem: string): AiforgeError {
  return new AiforgeError(
    'DISTRIBUTED_FAILED',
    `The TCPStore failed: no address was found for the host '${host}' within ${timeoutMs} ms (${problem}). Check MASTER_ADDR and the ` +
      'name server, or give an IP address.',
  );
}
