import { native } from '../../native.js';
import { anything } from '../../kinds.js';
import { nothing, signature } from '../../signature.js';

const threadsTakes = signature({ threads: anything });

/**
 * Threads that one operator may use, for this thread of JavaScript. At first as many as AIFORGE_NUM_THREADS says; without it, what
 * LibTorch chooses by OMP_NUM_THREADS, MKL_NUM_THREADS and the process's affinity, and no more than its CPU quota pays for.
 *
 * @example
 * import { getNumThreads, setNumThreads } from 'aiforge';
 * setNumThreads(1);
 * getNumThreads(); // 1
 */
export function getNumThreads(): number {
  nothing.check('getNumThreads', arguments);
  return native.getNumThreads();
}

/** Sets the threads of one operator, 1 … 1024, for this thread of JavaScript and those that begin later. */
export function setNumThreads(threads: number): void {
  threadsTakes.check('setNumThreads', arguments);
  native.setNumThreads(threads);
}

/** Threads on which independent operators may run; can be set once, before the first use. */
export function getNumInteropThreads(): number {
  nothing.check('getNumInteropThreads', arguments);
  return native.getNumInteropThreads();
}

export function setNumInteropThreads(threads: number): void {
  threadsTakes.check('setNumInteropThreads', arguments);
  native.setNumInteropThreads(threads);
}
