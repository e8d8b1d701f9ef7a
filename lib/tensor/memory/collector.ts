import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { native } from '../../native.js';

/** V8's collector: of all garbage, or of what options say. */
type Collector = (options?: object) => void;

// V8 hands its collector only to a context that is made while this flag is set.
function find(): Collector {
  const given = runInNewContext('globalThis.gc') as Collector | undefined;
  if (given !== undefined) return given;
  setFlagsFromString('--expose-gc');
  try {
    return runInNewContext('gc') as Collector;
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}

let found: Collector | undefined;

export function collector(): Collector {
  return (found ??= find());
}

const youngOnly = { type: 'minor' };

/** Collects the tensors that were made lately and that nobody can reach any more. */
export function collectYoung(): void {
  native.collectYoung(collector(), youngOnly);
}
