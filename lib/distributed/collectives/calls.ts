import path from 'node:path';
import { AiforgeError, errorOfCall } from '../../errors.js';
import { kind } from '../../kinds.js';
import { divideFrames, takeStack } from '../../stack.js';
import { nativeDistributed } from '../native.js';
import { timeoutKind, wholeMs } from '../timeouts.js';

/** What every call that waits for other ranks takes. */
export interface CallOptions {
  /** How long to wait for the other ranks, in ms; then the call rejects and its group is at an end. Default: as the group. */
  timeoutMs?: number;
  /** Ends the call when it is aborted: the promise rejects with the signal's reason, and the group is aborted. Default: none. */
  signal?: AbortSignal;
}

const signalKind = kind<AbortSignal>('an AbortSignal', (value) => {
  const { aborted, addEventListener } = (value ?? {}) as Partial<AbortSignal>;
  return typeof aborted === 'boolean' && typeof addEventListener === 'function';
});

export const callOptions = { timeoutMs: timeoutKind, signal: signalKind };

// The stacks of calls, which are put into words only when an error or another rank asks.
const stacks = new Map<number, { stack?: unknown }>();
// Ranks also tell what they did last.
const ended: number[] = [];
const mostEnded = 16;
let lastCall = 0;

/** The user's line of a stack, such as `train.mjs:10:7`, from the working folder on where it lies there. */
export function lineOf(stack: unknown): string | undefined {
  const [frame] = divideFrames(String(stack)).user;
  const place = frame?.trim().replace(/^at (?:.*\()?(?:file:\/\/)?(.*?)\)?$/, '$1');
  if (place === undefined || !path.isAbsolute(place)) return place;
  const within = path.relative(process.cwd(), place);
  return within.startsWith('..') ? place : within;
}

nativeDistributed.setLineSource((call) => {
  const taken = stacks.get(call);
  return taken && lineOf(taken.stack);
});

function open(stack: { stack?: unknown }): number {
  lastCall = (lastCall % 0xffff_ffff) + 1;
  stacks.set(lastCall, stack);
  return lastCall;
}

function close(call: number): void {
  if (ended.push(call) > mostEnded) stacks.delete(ended.shift()!);
}

/** The promise, or a rejection as soon as the signal is aborted. */
async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal, abort: () => Promise<void>): Promise<T> {
  let stop!: () => void;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      reject(signal.reason as Error);
      // What fails now has failed for this reason.
      abort().catch(() => undefined);
    };
  });
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** An error as that of a call; one of another class says what it is by its class. */
function toldOf(error: unknown, name: string, stack: { stack?: unknown }): unknown {
  return error instanceof AiforgeError && error.name === 'AiforgeError' ? errorOfCall(error, name, stack) : error;
}

/**
 * Waits for what `begin` begins, under a number by which its line is known. `abort` ends the group for a signal. Errors have the
 * call's stack and name.
 */
export async function waitForRanks<T>(
  name: string,
  { timeoutMs, signal }: CallOptions,
  abort: () => Promise<void>,
  begin: (call: number, timeoutMs: number | null) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const stack = takeStack(waitForRanks);
  const call = open(stack);
  try {
    const begun = begin(call, wholeMs(timeoutMs));
    return await (signal === undefined ? begun : untilAborted(begun, signal, abort));
  } catch (error) {
    throw toldOf(error, name, stack);
  } finally {
    close(call);
  }
}

/** As `waitForRanks`, for what waits on this thread. */
export function waitHere(name: string, begin: (call: number) => void): void {
  const stack = takeStack(waitHere);
  const call = open(stack);
  try {
    begin(call);
  } catch (error) {
    throw toldOf(error, name, stack);
  } finally {
    close(call);
  }
}
