import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** Collects what earlier tests left, so that a count of live tensors taken now can only be lowered by what is counted. */
export function collectGarbage(): void {
  gc();
}
