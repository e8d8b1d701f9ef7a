import { AiforgeError, type ErrorCode } from './errors.js';
import { isError, isRevoked } from './realms.js';
import { showThrown } from './show.js';

/** @internal Whether a value is a promise, of whichever library. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  if (typeof value !== 'object' || value === null) return false;
  try {
    return typeof (value as { then?: unknown }).then === 'function';
  } catch (error) {
    if (isRevoked(error)) return false;
    throw error;
  }
}

/**
 * @internal The error for a promise where the value itself belongs. What the promise is rejected with becomes its cause, and is told,
 * as soon as it is known: else it would end the process as a rejection that nobody handles, or be lost.
 */
export function notAwaited(code: ErrorCode, problem: string, promise: PromiseLike<unknown>): AiforgeError {
  const error = new AiforgeError(code, problem);
  // By way of a promise of this realm: what only looks like one may want to be told what to do at once, or throw.
  Promise.resolve(promise).catch((cause: unknown) => {
    const reason = isError(cause) ? `${cause.name}: ${cause.message}` : showThrown(cause);
    error.message = `${problem} It was rejected: ${reason}`;
    Object.defineProperty(error, 'cause', { value: cause, configurable: true, writable: true });
  });
  return error;
}

/** @internal Lets a promise fail without being heard: another error has been told. */
export function unheard(promise: PromiseLike<unknown>): void {
  Promise.resolve(promise).catch(() => undefined);
}
