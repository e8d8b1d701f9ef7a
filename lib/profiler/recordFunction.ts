import { func, string } from '../kinds.js';
import { signature } from '../signature.js';
import { isThenable } from '../tensor/context/context.js';
import { enterRange, isRecording, leaveRange, suspendRange } from './recording.js';

const recordFunctionTakes = signature({ name: string, body: func() });

/**
 * Runs `body` as a range with a name, which a profile shows with the operators inside it; where no profile runs, it only runs
 * `body`. Of a body that waits, the range lasts until its promise settles, and has the operators before the first `await` inside.
 * As `torch.profiler.record_function`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a name that is no string and for what is no function.
 * @example
 * import { randn } from 'aiforge';
 * import { profile, recordFunction } from 'aiforge/profiler';
 * const result = profile(() => recordFunction('scores', () => randn([8, 8]).matmul(randn([8, 8]))));
 * result.events[0].name; // 'scores'
 */
export function recordFunction<T>(name: string, body: () => T): T {
  recordFunctionTakes.check('recordFunction', arguments);
  if (!isRecording()) return body();
  const open = enterRange(name);
  let isPending = false;
  try {
    const result = body();
    if (!isThenable(result)) return result;
    isPending = true;
    suspendRange(open);
    return leaveWhenSettled(result, open) as T;
  } finally {
    if (!isPending) leaveRange(open);
  }
}

async function leaveWhenSettled(
  result: PromiseLike<unknown>,
  open: Parameters<typeof leaveRange>[0],
): Promise<unknown> {
  try {
    return await result;
  } finally {
    leaveRange(open);
  }
}
