import { AsyncLocalStorage } from 'node:async_hooks';

import { AiforgeError } from '../errors.js';
import { native } from '../native.js';

/** What operators run under: the scope that keeps new tensors and the autograd modes. It follows asynchronous code. */
export interface Context {
  /** The addon's number of the scope; 0 is none: the garbage collector keeps the tensors. */
  readonly scope: number;
  readonly gradEnabled: boolean;
  readonly inference: boolean;
  /** What code falls back to that still runs, such as a timer's callback, when this context has ended. */
  readonly outer: Context | null;
  open: boolean;
}

const root: Context = { scope: 0, gradEnabled: true, inference: false, outer: null, open: true };

const storage = new AsyncLocalStorage<Context>();

// Synchronous frames set `top` and restore it, so no `await` can come between. Only code that runs
// outside every such frame has to ask the asynchronous storage, and only while it holds something.
let top: Context = root;
let frames = 0;
let asyncContexts = 0;

// What the addon was last told; null after a scope closed.
let applied: Context | null = root;
let scopeOfNew = 0;

/** The context of the code that runs now. */
export function currentContext(): Context {
  let context = frames > 0 || asyncContexts === 0 ? top : (storage.getStore() ?? root);
  while (!context.open && context.outer !== null) context = context.outer;
  return context;
}

/** Makes the addon's context that of the running code; every call into it that makes tensors comes after this. */
export function enterContext(): void {
  const context = currentContext();
  if (context === applied) return;
  native.enter(context.scope, context.gradEnabled, context.inference);
  applied = context;
  scopeOfNew = context.scope;
}

/** The scope that the addon puts new tensors into; 0 when they are left to the garbage collector. */
export function appliedScope(): number {
  return scopeOfNew;
}

/** Closes a scope: all its tensors are released. */
export function closeScope(scope: number): void {
  native.closeScope(scope);
  applied = null;
  scopeOfNew = 0;
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

/**
 * Runs `body` in the current context with some changes, through every `await` in it; then `finish`, in the context
 * outside, with its result, and in any case `cleanUp`.
 */
export function runInContext<T>(
  changes: Partial<Pick<Context, 'scope' | 'gradEnabled' | 'inference'>>,
  body: () => T,
  finish?: (result: Awaited<T>) => void,
  cleanUp?: () => void,
): T {
  if (typeof body !== 'function') {
    throw new AiforgeError('INVALID_ARGUMENT', `expected a function to run, got ${typeof body}.`);
  }
  const outer = currentContext();
  const context: Context = { ...outer, ...changes, outer, open: true };
  const end = () => {
    context.open = false;
    cleanUp?.();
  };
  let result: T;
  let pending = false;
  try {
    result = runFrame(context, body);
    pending = isPromise(result);
    if (!pending) finish?.(result as Awaited<T>);
  } finally {
    if (!pending) end();
  }
  return pending ? (settle(result as Promise<Awaited<T>>, finish, end) as T) : result;
}

function runFrame<T>(context: Context, body: () => T): T {
  const below = top;
  top = context;
  ++frames;
  try {
    return storage.run(context, body);
  } finally {
    --frames;
    top = below;
  }
}

async function settle<T>(result: Promise<T>, finish: ((result: T) => void) | undefined, end: () => void): Promise<T> {
  ++asyncContexts;
  try {
    const value = await result;
    finish?.(value);
    return value;
  } finally {
    end();
    --asyncContexts;
  }
}
