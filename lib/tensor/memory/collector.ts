import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { native } from '../../native.js';

/** V8's collector: of all garbage, or of what options say. */
type Collector = (options?: object) => void;

// To set a flag would end the process then.
const areFlagsFrozen = process.execArgv.some((flag) => /^--freeze[-_]flags/.test(flag));

const ofNewContext = (): Collector | null =>
  runInNewContext("typeof gc === 'function' ? gc : null") as Collector | null;

// V8 hands its collector only to a context that is made while this flag of the process is set.
function find(): Collector | null {
  const given = ofNewContext();
  if (given !== null || areFlagsFrozen) return given;
  setFlagsFromString('--expose-gc');
  try {
    return ofNewContext();
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}

let found: Collector | null = null;
// Another thread that looks for its own may reset the flag in between.
let attempts = 3;

/** Null where V8 does not give its collector away. */
export function collector(): Collector | null {
  for (; found === null && attempts > 0; --attempts) found = find();
  return found;
}

const youngOnly = { type: 'minor' };
const nothing = (): void => undefined;

/** Collects the tensors that were made lately and that nobody can reach any more. */
export function collectYoung(): void {
  native.collectYoung(collector() ?? nothing, youngOnly);
}
