import { isThenable } from '../tensor/context/context.js';

/** Runs `body`, and `cleanUp` after it, or after what it promises. */
export function withCleanUp<T>(body: () => T, cleanUp: () => void): T {
  let pending = false;
  try {
    const result = body();
    pending = isThenable(result);
    return pending ? (settle(result as PromiseLike<unknown>, cleanUp) as T) : result;
  } finally {
    if (!pending) cleanUp();
  }
}

async function settle(result: PromiseLike<unknown>, cleanUp: () => void): Promise<unknown> {
  try {
    return await result;
  } finally {
    cleanUp();
  }
}
