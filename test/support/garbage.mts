import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** Collects what earlier tests left, so that a count of live tensors taken now can only be lowered by what is counted. */
export function collectGarbage(): void {
  gc();
}

/** Collects all garbage, and what that lets go of when the event loop turns. */
export async function collectAll(): Promise<void> {
  for (let i = 0; i < 4; ++i) {
    gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
