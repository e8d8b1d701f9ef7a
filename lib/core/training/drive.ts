import { isPromise } from '../../promised.js';

/** Work that yields what may have to be waited for, and is given what came of it. */
export type Work<T = void> = Generator<unknown, T>;

/**
 * Does some work, and waits only where it yields a promise. An asynchronous function would make a promise for each batch, and one
 * more for each `await` in it, which for a small model takes longer than the rest of the loop.
 */
export function drive<T>(work: Work<T>): T | Promise<T> {
  let given: unknown;
  for (;;) {
    const { done, value } = work.next(given);
    if (done === true) return value;
    if (isPromise(value)) return driveOn(work, value);
    given = value;
  }
}

async function driveOn<T>(work: Work<T>, first: PromiseLike<unknown>): Promise<T> {
  let pending: unknown = first;
  for (;;) {
    let next: IteratorResult<unknown, T>;
    try {
      const given = await pending;
      next = work.next(given);
    } catch (error) {
      // What the work itself throws has ended it, and passes.
      next = work.throw(error);
    }
    if (next.done === true) return next.value;
    pending = next.value;
  }
}
