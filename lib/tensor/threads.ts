import { native } from '../native.js';

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
  return native.getNumThreads();
}

/** Sets the threads of one operator, 1 … 1024, for this thread of JavaScript and those that begin later. */
export function setNumThreads(threads: number): void {
  native.setNumThreads(threads);
}

/** Threads on which independent operators may run; can be set once, before the first use. */
export function getNumInteropThreads(): number {
  return native.getNumInteropThreads();
}

export function setNumInteropThreads(threads: number): void {
  native.setNumInteropThreads(threads);
}
