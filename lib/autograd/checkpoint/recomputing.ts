let depth = 0;

/** Whether a checkpointed function runs again, for a backward pass: what it does beside its tensors, it did the first time. */
export const isRecomputing = (): boolean => depth > 0;

/** Runs a checkpointed function again. */
export function recomputing<T>(run: () => T): T {
  ++depth;
  try {
    return run();
  } finally {
    --depth;
  }
}
