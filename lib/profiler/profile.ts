import { boolean, count, func } from '../kinds.js';
import { moduleKind } from '../nn/moduleKinds.js';
import type { Module } from '../nn/module.js';
import { signature } from '../signature.js';
import { isThenable } from '../tensor/context/context.js';
import { recordModules } from './moduleRanges.js';
import { ProfileResult } from './profileResult.js';
import { startRecording, type Recorded } from './recording.js';

export interface ProfileOptions {
  /** Keeps the shapes of what operators take and give; with them FLOPs are counted. Default: false. */
  recordShapes?: boolean;
  /** Counts the bytes that operators allocate and free. Default: false. */
  memory?: boolean;
  /** A module: each `forward` of it and of those inside it becomes a range. Default: none. */
  modules?: Module;
  /** For how many events there is room; further ones are counted and told. Default: 1,000,000, of some 100 bytes each. */
  maxEvents?: number;
}

/** The kinds of the options, for those who take them too. */
export const profileOptions = { recordShapes: boolean, memory: boolean, modules: moduleKind, maxEvents: count };

const profileTakes = signature<ProfileOptions>({ body: func() }, profileOptions);

/** Begins to record; gives what ends it. */
export function startProfile(who: string, options: ProfileOptions): () => Recorded {
  const { recordShapes = false, memory = false, modules, maxEvents = 1_000_000 } = options;
  const stop = startRecording(who, { shapes: recordShapes, memory, maxEvents });
  const forget = modules === undefined ? () => undefined : recordModules(modules);
  return () => {
    forget();
    return stop();
  };
}

/** Runs `body` while it is recorded, through every `await` in it, and gives what was recorded to `read`. */
export function recorded<R>(
  who: string,
  options: ProfileOptions,
  body: () => unknown,
  read: (from: Recorded) => R,
): R | Promise<R> {
  const stop = startProfile(who, options);
  let isPending = false;
  let from: Recorded | undefined;
  try {
    const result = body();
    isPending = isThenable(result);
    if (isPending) return finish(result as PromiseLike<unknown>, stop, read);
  } finally {
    if (!isPending) from = stop();
  }
  return read(from!);
}

async function finish<R>(result: PromiseLike<unknown>, stop: () => Recorded, read: (from: Recorded) => R): Promise<R> {
  let from: Recorded | undefined;
  try {
    await result;
  } finally {
    from = stop();
  }
  return read(from);
}

/**
 * Records the operators of LibTorch that run while `body` does, on this thread and on the engine's threads for it, with the
 * ranges of `recordFunction`. Gives the result when `body` returns, or a promise of it where `body` waits; what else this thread
 * does meanwhile is recorded too. A GPU's own times are not recorded: an operator on it takes here as long as it takes to queue
 * it. As `torch.profiler.profile` with the CPU's activities.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an option that there is not, and where a profile runs already in this thread.
 * @example
 * import { nn, randn } from 'aiforge';
 * import { profile } from 'aiforge/profiler';
 * const model = new nn.Linear(64, 8);
 * const result = profile(() => model.forward(randn([32, 64])).sum().backward(), { recordShapes: true });
 * console.log(result.table({ sortBy: 'selfCpuTimeTotal', rowLimit: 10 }));
 */
export function profile(body: () => PromiseLike<unknown>, options?: ProfileOptions): Promise<ProfileResult>;
export function profile(body: () => unknown, options?: ProfileOptions): ProfileResult;
export function profile(body: () => unknown, options: ProfileOptions = {}): ProfileResult | Promise<ProfileResult> {
  profileTakes.check('profile', arguments);
  return recorded('profile', options, body, (from) => new ProfileResult(from));
}
