import { AiforgeError } from '../errors.js';
import { kind } from '../kinds.js';
import { isError } from '../realms.js';

export const signalKind = kind<AbortSignal>("an AbortSignal, such as an AbortController's signal", (value) => {
  const { aborted, addEventListener } = (value ?? {}) as Partial<AbortSignal>;
  return typeof aborted === 'boolean' && typeof addEventListener === 'function';
});

/** An error that was given as the reason of an abort is why the work ends. */
export function throwErrorOf(reason: unknown): void {
  if (isError(reason) && !(reason instanceof DOMException)) throw reason;
}

/**
 * The work's result, unless the run is asked to stop first: what a plugin does, or waiting for other ranks, cannot be ended, but need
 * not be waited for. `phase` says what the work is: 'its data was prepared'.
 */
export async function untilAborted<T>(signal: AbortSignal, phase: string, work: Promise<T>): Promise<T> {
  const interrupted = () =>
    new AiforgeError('RUN_INTERRUPTED', `The run was stopped while ${phase}; nothing was written.`);
  // Nobody waits for it any more, then.
  work.catch(() => undefined);
  if (signal.aborted) throw interrupted();
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(interrupted());
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop!);
  }
}
