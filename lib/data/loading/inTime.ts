import { AiforgeError } from '../../errors.js';

/** What ends a wait. */
export interface Limits {
  timeoutMs: number | null;
  signal: AbortSignal | undefined;
}

/** What a promise gives. Throws LOADER_FAILED, with who is at it, after the time, and the signal's reason. */
export async function inTime<Value>(
  ready: Promise<Value>,
  { timeoutMs, signal }: Limits,
  holder: () => string,
): Promise<Value> {
  signal?.throwIfAborted();
  if (timeoutMs === null && signal === undefined) return ready;
  const stop = new AbortController();
  try {
    return await Promise.race([ready, ...ends(timeoutMs, signal, stop.signal, holder)]);
  } finally {
    stop.abort();
  }
}

function ends(
  timeoutMs: number | null,
  signal: AbortSignal | undefined,
  stopped: AbortSignal,
  holder: () => string,
): Promise<never>[] {
  const late = new Promise<never>((_, reject) => {
    if (timeoutMs === null) return;
    const timer = setTimeout(() => reject(tooLate(timeoutMs, holder())), timeoutMs);
    stopped.addEventListener('abort', () => clearTimeout(timer));
  });
  const aborted = new Promise<never>((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { signal: stopped, once: true });
  });
  return [late, aborted];
}

const late = new WeakSet<object>();

/** Whether an error says that nothing came in time. */
export const isTooLate = (error: unknown): boolean => typeof error === 'object' && error !== null && late.has(error);

function tooLate(timeoutMs: number, holder: string): AiforgeError {
  const error = new AiforgeError(
    'LOADER_FAILED',
    `DataLoader: no batch came within timeoutMs = ${timeoutMs}; ${holder} was at it. Look for what hangs in the dataset, or give it more time.`,
  );
  late.add(error);
  return error;
}
