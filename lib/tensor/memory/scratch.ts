import { native } from '../../native.js';

const buffer = native.scratchBuffer();

/**
 * Memory of this thread that the addon reads and writes too: numbers cross in it without a value made for each. A user
 * fills and empties it without running foreign code in between.
 */
export const scratch = new Float64Array(buffer);

/** The same memory as integers. */
export const scratchIntegers = new BigInt64Array(buffer);
