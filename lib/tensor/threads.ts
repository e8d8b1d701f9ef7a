import { native } from '../native.js';

/** Threads that one operator may use, for this thread of JavaScript. */
export function getNumThreads(): number {
  return native.getNumThreads();
}

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
