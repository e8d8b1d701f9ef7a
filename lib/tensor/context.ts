import { AsyncLocalStorage } from 'node:async_hooks';

import { native } from '../native.js';

/** Where new tensors are kept until its end; `id` 0 is no scope: the garbage collector keeps them. */
export interface Scope {
  readonly id: number;
  readonly parent: Scope | null;
  open: boolean;
}

/** What an operator runs under: a scope and the autograd modes. It follows asynchronous code. */
export interface Context {
  readonly scope: Scope;
  readonly gradEnabled: boolean;
  readonly inference: boolean;
}

const root: Context = {
  scope: { id: 0, parent: null, open: true },
  gradEnabled: true,
  inference: false,
};

const storage = new AsyncLocalStorage<Context>();

// Synchronous frames set `top` and restore it, so no `await` can come between. Only code that runs
// outside every such frame has to ask the asynchronous storage, and only while it holds something.
let top: Context = root;
let frames = 0;
let asyncContexts = 0;

// What the addon was last told.
let applied: Context | null = root;
let collected = true;

/** The context of the code that runs now. */
export function currentContext(): Context {
  return frames > 0 || asyncContexts === 0 ? top : (storage.getStore() ?? root);
}

function apply(context: Context): void {
  let scope = context.scope;
  while (!scope.open && scope.parent !== null) scope = scope.parent;
  native.enter(scope.id, context.gradEnabled, context.inference);
  collected = scope.id === 0;
  applied = context;
}

/** Makes the addon's context that of the running code; every call into it that makes tensors comes after this. */
export function enterContext(): void {
  const context = frames > 0 || asyncContexts === 0 ? top : (storage.getStore() ?? root);
  if (context !== applied) apply(context);
}

/** Whether new tensors are left to the garbage collector, since no scope is open. */
export function isCollected(): boolean {
  return collected;
}

/** Closes a scope: all its tensors are released. */
export function closeScope(scope: Scope): void {
  scope.open = false;
  native.closeScope(scope.id);
  applied = null;
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

/**
 * Runs `body` in a context, through every `await` in it; then `finish`, in the context outside, with its result,
 * and in any case `cleanUp`.
 */
export function runInContext<T>(
  context: Context,
  body: () => T,
  finish?: (result: Awaited<T>) => void,
  cleanUp?: () => void,
): T {
  const outer = top;
  let result: T;
  let pending = false;
  try {
    top = context;
    ++frames;
    try {
      result = storage.run(context, body);
    } finally {
      --frames;
      top = outer;
    }
    pending = isPromise(result);
    if (!pending) finish?.(result as Awaited<T>);
  } finally {
    if (!pending) cleanUp?.();
  }
  return pending ? (settle(result as Promise<Awaited<T>>, finish, cleanUp) as T) : result;
}

async function settle<T>(result: Promise<T>, finish?: (result: T) => void, cleanUp?: () => void): Promise<T> {
  ++asyncContexts;
  try {
    const value = await result;
    finish?.(value);
    return value;
  } finally {
    cleanUp?.();
    --asyncContexts;
  }
}
