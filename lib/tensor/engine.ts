import { AiforgeError } from '../errors.js';
import { show } from '../show.js';
import { native, type EngineCallback } from '../native.js';
import { currentContext, enterContext, interpose, type Context } from './context.js';

// The contexts of the passes through the engine that have begun and not ended, by their numbers.
const contexts = new Map<number, Context>();
let lastPass = 0;

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
  lastPass = (lastPass + 1) % 2 ** 32 || 1; // 0 is no pass
  contexts.set(lastPass, currentContext());
  return lastPass;
}

let graphTask = -1;

/** The number of the engine's pass that calls the running code; -1 outside of every pass. */
export function currentGraphTask(): number {
  return graphTask;
}

native.setEngineCaller((callback: EngineCallback, pass: number, gradEnabled: boolean, task: number) => {
  const outer = graphTask;
  graphTask = task;
  try {
    return interpose(contexts.get(pass) ?? currentContext(), gradEnabled, () => {
      enterContext();
      return callback(native.engineArguments());
    });
  } finally {
    graphTask = outer;
  }
});

/** Refuses what a function gave back that the engine called: `what` says which function. */
export function refuseResult(what: string, result: unknown): never {
  const got = show(result);
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    result instanceof Promise
      ? `${what} returned a Promise: its result is needed at once and cannot be awaited; make it synchronous.`
      : `${what}: expected a Tensor or nothing, got ${got}.`,
  );
}
