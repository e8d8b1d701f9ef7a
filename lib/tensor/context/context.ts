import { AsyncLocalStorage } from 'node:async_hooks';

import { AiforgeError } from '../../errors.js';
import { show } from '../../show.js';
import { mirror, native, takeErrors } from '../../native.js';
import { isPromise } from '../../realms.js';
import { appliedAutocast, applyAutocast, noAutocast, type AutocastState } from './autocastState.js';
import { applyPlace, firstPlace, foundAt, foundPlace, type DevicePlace } from './devicePlace.js';

/**
 * What operators run under: the scope that keeps new tensors, the autograd modes, autocast, and where CUDA's work goes. It
 * follows asynchronous code.
 */
export interface Context {
  /** The scope that keeps new tensors; null is none: the garbage collector does. It may end before this context. */
  readonly holder: Context | null;
  /** The addon's number of the scope that this context opened, and its name; 0 where it opened none. */
  readonly scope: number;
  readonly name: string | null;
  readonly gradEnabled: boolean;
  readonly inference: boolean;
  /** The addon's number of the hooks of saved tensors; 0 is none. */
  readonly savedTensorsHooks: number;
  readonly autocast: AutocastState;
  readonly place: DevicePlace;
  /** Who records the tensors that are made here: the leak detector. */
  readonly recorder: object | null;
  /** What code falls back to that still runs, such as a timer's callback, when this context has ended. */
  readonly outer: Context | null;
  open: boolean;
  /** The next of the scopes that have ended and are to be closed. */
  nextEnded: Context | null;
}

type Changes = Partial<
  Pick<Context, 'holder' | 'gradEnabled' | 'inference' | 'savedTensorsHooks' | 'autocast' | 'place' | 'recorder'>
>;

const root: Context = {
  holder: null,
  scope: 0,
  name: null,
  gradEnabled: true,
  inference: false,
  savedTensorsHooks: 0,
  autocast: noAutocast,
  place: firstPlace,
  recorder: null,
  outer: null,
  open: true,
  nextEnded: null,
};

const storage = new AsyncLocalStorage<Context>();

// Synchronous frames set `top` and restore it, so no `await` can come between. Only code that runs
// outside every such frame has to ask the asynchronous storage, and only while it holds something.
let top: Context = root;
let frames = 0;
let asyncContexts = 0;

/** What the addon was last told, by whichever copy of the library. */
interface Applied {
  /** Null at first and after a scope closed. */
  context: Context | null;
  /** The scope that the addon puts new tensors into. */
  scope: number;
}

const applied = mirror<Applied>('context', () => ({ context: null, scope: 0 }));

/** The context of the code that runs now. */
export function currentContext(): Context {
  return stillOpen(frames > 0 || asyncContexts === 0 ? top : (storage.getStore() ?? root));
}

function stillOpen(context: Context): Context {
  while (!context.open && context.outer !== null) context = context.outer;
  return context;
}

/** Makes the addon's context that of the running code; every call into it that makes tensors comes after this. */
export function enterContext(): void {
  const context = currentContext();
  if (context === applied.context) return;
  takeErrors();
  const scope = scopeOf(context);
  native.enter(scope, context.gradEnabled, context.inference, context.savedTensorsHooks);
  applyAutocast(context.autocast);
  applyPlace(context.place);
  applied.context = context;
  applied.scope = scope;
}

/** The addon's number of the scope that keeps what a context makes: the innermost that is still open. */
function scopeOf(context: Context): number {
  let { holder } = context;
  while (holder !== null && !holder.open) holder = holder.outer === null ? null : holder.outer.holder;
  return holder === null ? 0 : holder.scope;
}

/** The scope that the addon puts new tensors into; 0 when they are left to the garbage collector. */
export function appliedScope(): number {
  return applied.scope;
}

// The contexts of the open scopes, by the addon's numbers.
const openScopes = mirror('scopes', () => new Map<number, Context>());

/** The contexts of all scopes that are open, the oldest first. */
export function scopeContexts(): ReadonlyMap<number, Context> {
  return openScopes;
}

// Scopes that have ended and are to be closed. Putting one here neither calls nor allocates anything, so it cannot fail
// when the call stack is full; if closing fails then, the scopes are closed with the next one.
let ended: Context | null = null;

function closeEnded(): void {
  applied.context = null;
  applied.scope = 0;
  while (ended !== null) {
    native.closeScope(ended.scope);
    openScopes.delete(ended.scope);
    ended = ended.nextEnded;
  }
}

/** Whether a body's result is awaited, as a promise or a look-alike. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

// The fields are spelt out, here and below: a scope costs less than half of what spreading the outer context takes.
function derive(changes: Changes): Context {
  const outer = currentContext();
  return {
    holder: changes.holder === undefined ? outer.holder : changes.holder,
    scope: 0,
    name: null,
    gradEnabled: changes.gradEnabled ?? outer.gradEnabled,
    inference: changes.inference ?? outer.inference,
    savedTensorsHooks: changes.savedTensorsHooks ?? outer.savedTensorsHooks,
    autocast: changes.autocast ?? outer.autocast,
    place: changes.place ?? outer.place,
    recorder: changes.recorder ?? outer.recorder,
    outer,
    open: true,
    nextEnded: null,
  };
}

function deriveScope(name: string | null): Context {
  const outer = currentContext();
  const context: Context & { holder: Context | null } = {
    holder: null,
    scope: native.openScope(),
    name,
    gradEnabled: outer.gradEnabled,
    inference: outer.inference,
    savedTensorsHooks: outer.savedTensorsHooks,
    autocast: outer.autocast,
    place: outer.place,
    recorder: outer.recorder,
    outer,
    open: true,
    nextEnded: null,
  };
  context.holder = context;
  openScopes.set(context.scope, context);
  return context;
}

/** Runs `body` in the current context with some changes, through every `await` in it. */
export function runInContext<T>(changes: Changes, body: () => T): T {
  return runIn(derive, changes, body, null);
}

/**
 * Runs `body` in a new scope, through every `await` in it, and closes the scope in any case. Before that, `leave` gets
 * the result, in the context outside.
 */
export function runInScope<T>(name: string | null, body: () => T, leave: (result: unknown, scope: number) => void): T {
  return runIn(deriveScope, name, body, leave);
}

/** Functions have no tag but asynchronous ones and those of generators. */
function isGenerator(body: object): boolean {
  const tag = (body as { [Symbol.toStringTag]?: string })[Symbol.toStringTag];
  return tag === 'GeneratorFunction' || tag === 'AsyncGeneratorFunction';
}

type Leave = (result: unknown, scope: number) => void;

function runIn<A, T>(open: (argument: A) => Context, argument: A, body: () => T, leave: Leave | null): T {
  if (typeof body !== 'function' || isGenerator(body)) {
    const problem =
      typeof body === 'function' ? 'a generator function, whose body would run later and outside' : show(body);
    throw new AiforgeError('INVALID_ARGUMENT', `expected a function to run, got ${problem}.`);
  }
  let context: Context | null = null;
  let pending = false;
  try {
    context = open(argument);
    const result = runFrame(context, body);
    pending = isThenable(result);
    if (pending) return settle(context, result as PromiseLike<unknown>, leave) as T;
    leave?.(result, context.scope);
    return result;
  } finally {
    if (!pending && context !== null) {
      context.open = false;
      if (leave !== null) {
        context.nextEnded = ended;
        ended = context;
        closeEnded();
      }
    }
  }
}

/**
 * Runs `body`, which LibTorch calls in the middle of an operator or of a backward pass, in a context made from `base`, on the
 * device and stream that LibTorch works on. Afterwards the addon has what it had before, and `applied` says so.
 */
export function interpose<T>(base: Context, gradEnabled: boolean, body: () => T): T {
  const before = { ...applied };
  const errorsBefore = takeErrors();
  const autocastBefore = appliedAutocast();
  const outer = stillOpen(base);
  const place = foundPlace();
  const placeBefore = foundAt(place);
  const context: Context = { ...outer, place, scope: 0, name: null, gradEnabled, outer, open: true, nextEnded: null };
  applied.context = null;
  try {
    return runFrame(context, body);
  } finally {
    context.open = false;
    applyAutocast(autocastBefore);
    applyPlace(place);
    foundAt(placeBefore);
    takeErrors(errorsBefore);
    applied.context = before.context;
    // The addon, too, falls back to no scope when the body closed the one that it was in.
    applied.scope = openScopes.has(before.scope) ? before.scope : 0;
  }
}

function runFrame<T>(context: Context, body: () => T): T {
  const below = top;
  const depth = frames;
  top = context;
  frames = depth + 1;
  try {
    return storage.run(context, body);
  } finally {
    frames = depth;
    top = below;
    if (entered.length > 0) unwind();
  }
}

async function settle(context: Context, result: PromiseLike<unknown>, leave: Leave | null): Promise<unknown> {
  ++asyncContexts;
  try {
    // A thenable that is no promise may begin its work only now: in the context that it was made in.
    const value: unknown = await (isPromise(result) ? result : storage.run(context, () => adopt(result)));
    leave?.(value, context.scope);
    return value;
  } finally {
    --asyncContexts;
    context.open = false;
    if (leave !== null) {
      context.nextEnded = ended;
      ended = context;
      closeEnded();
    }
  }
}

async function adopt(thenable: PromiseLike<unknown>): Promise<unknown> {
  const value = await thenable;
  return value;
}

/** A scope that is entered by a statement instead of a function: it holds for the synchronous code up to its end. */
export interface Entered {
  readonly context: Context;
  readonly below: Context;
  readonly depth: number;
  /** Whether the synchronous code that entered it ended before it did. */
  strayed: boolean;
}

// Innermost last. Whoever enters a scope and then awaits would catch the tensors of unrelated code: a microtask, which
// runs before any `await` goes on, leaves the scopes that were forgotten.
let entered: Entered[] = [];
let watching = false;

function leaveStrayed(): void {
  watching = false;
  if (entered.length === 0) return;
  for (const one of entered) one.strayed = true;
  entered = [];
  frames = 0;
  top = root;
}

/** Enters a new scope until `leaveScope`. */
export function enterScope(name: string | null): Entered {
  const one = { context: deriveScope(name), below: top, depth: frames, strayed: false };
  entered.push(one);
  top = one.context;
  ++frames;
  if (!watching) queueMicrotask(leaveStrayed);
  watching = true;
  return one;
}

/** Leaves a scope that was entered and closes it; those entered inside it hold on until they are left themselves. */
export function leaveScope({ context }: Entered): void {
  context.open = false;
  unwind();
  context.nextEnded = ended;
  ended = context;
  closeEnded();
}

function unwind(): void {
  for (let last = entered.at(-1); last !== undefined && !last.context.open; last = entered.at(-1)) {
    if (top !== last.context) return;
    top = last.below;
    frames = last.depth;
    entered.pop();
  }
}
