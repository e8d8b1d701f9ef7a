import { clearTimeout, setTimeout } from 'node:timers';
import { AiforgeError } from '../../errors.js';

/** What ends a wait. */
export interface Limits {
  timeoutMs: number | null;
  signal: AbortSignal | undefined;
}

/** What a promise gives. Rejects with LOADER_FAILED, and who is at it, after the time, and with the signal's reason. */
export function inTime<Value>(
  ready: Promise<Value>,
  { timeoutMs, signal }: Limits,
  holder: () => string,
): Promise<Value> {
  if (timeoutMs === null && signal === undefined) return ready;
  return new Promise((resolve, reject) => {
    const stop = () => end(() => reject(signal!.reason as Error));
    const timer =
      timeoutMs === null ? null : setTimeout(() => end(() => reject(tooLate(timeoutMs, holder()))), timeoutMs);
    const end = (settle: () => void): void => {
      if (timer !== null) clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      settle();
    };
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop);
    ready.then(
      (value) => end(() => resolve(value)),
      (error: Error) => end(() => reject(error)),
    );
  });
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
