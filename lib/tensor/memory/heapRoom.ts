import { getHeapStatistics } from 'node:v8';

import { AiforgeError } from '../../errors.js';

/** Below this nobody asks V8, which takes some microseconds. */
const FREELY = 2 ** 24;

/** A longer array has twice the room and more, and is copied while it grows. */
const LONG = 2 ** 25;
const LONG_BYTES = 24;

/** What no array of V8's has. */
const BEYOND_ANY_ARRAY = 2 ** 27 - 2 ** 10;

const bytesText = (bytes: number): string =>
  bytes < 2 ** 30 ? `${Math.ceil(bytes / 2 ** 20)} MiB` : `${(bytes / 2 ** 30).toFixed(1)} GiB`;

/** What is to be made: so many values, `longest` of them in one array, each of so many bytes there. */
interface Values {
  readonly elements: number;
  readonly longest: number;
  readonly bytes: number;
}

/**
 * Refuses to make JavaScript values that V8's heap has no room for: V8 would end the process instead of throwing.
 * `instead` says what to do.
 */
export function requireHeapRoom(what: string, { elements, longest, bytes }: Values, instead: string): void {
  const needed = elements * (longest > LONG ? Math.max(bytes, LONG_BYTES) : bytes);
  if (needed < FREELY) return;
  const { heap_size_limit: limit, used_heap_size: used } = getHeapStatistics();
  const room = Math.max(0, limit - used);
  if (needed < room && longest < BEYOND_ANY_ARRAY) return;
  throw new AiforgeError(
    'OUT_OF_MEMORY',
    `${what}: ${elements} elements take ${bytesText(needed)} as values of JavaScript, whose heap has ${bytesText(room)} left and ` +
      `whose arrays end below 2^27 elements. ${instead}`,
  );
}
