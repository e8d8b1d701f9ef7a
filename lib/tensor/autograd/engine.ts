import { AiforgeError } from '../../errors.js';
import { show } from '../../show.js';
import { mirror, native, type EngineCallback, type Handle } from '../../native.js';
import { isPromise } from '../../realms.js';
import { currentContext, enterContext, interpose, type Context } from '../context/context.js';

// The contexts of the passes through the engine that this copy began and that have not ended, by their numbers.
const contexts = new Map<number, Context>();

const engine = mirror('engine', () => ({ lastPass: 0, graphTask: -1 }));

/** Runs a pass through the engine, which calls hooks and Functions in the context of this call. */
export function inPass<T>(run: (pass: number) => T): T {
  const pass = openPass();
  try {
    return run(pass);
  } finally {
    contexts.delete(pass);
  }
}

/** The same for a pass that runs off the event loop. */
export async function inAsyncPass(run: (pass: number) => Promise<void>): Promise<void> {
  const pass = openPass();
  try {
    await run(pass);
  } finally {
    contexts.delete(pass);
  }
}

function openPass(): number {
  enterContext();
  engine.lastPass = (engine.lastPass + 1) % 2 ** 32 || 1; // 0 is no pass
  contexts.set(engine.lastPass, currentContext());
  return engine.lastPass;
}

/** The number of the engine's pass that calls the running code; -1 outside of every pass. */
export function currentGraphTask(): number {
  return engine.graphTask;
}

/** What the addon is given for JavaScript that the engine calls: it runs in its pass's context, and gets handles made for it. */
export function onEngineCall(callback: (handles: (Handle | null)[]) => unknown): EngineCallback {
  return (pass, gradEnabled, task) => {
    const outer = engine.graphTask;
    engine.graphTask = task;
    try {
      return interpose(contexts.get(pass) ?? currentContext(), gradEnabled, () => {
        enterContext();
        return callback(native.engineArguments());
      });
    } finally {
      engine.graphTask = outer;
    }
  };
}

// A hook may be another copy's of the library: it brings along who knows its contexts.
native.setEngineCaller((callback, ...call) => callback(...call));

/** Refuses what a function gave back that the engine called: `what` says which function. */
export function refuseResult(what: string, result: unknown, expected = 'a Tensor or nothing'): never {
  const got = show(result);
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    isPromise(result)
      ? `${what} returned a Promise: its result is needed at once and cannot be awaited; make it synchronous.`
      : `${what}: expected ${expected}, got ${got}.`,
  );
}
