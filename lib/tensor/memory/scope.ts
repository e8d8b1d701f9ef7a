import { AiforgeError } from '../../errors.js';
import { func, optional, orNull, string } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { isMap, isPlainObject, isSet } from '../../realms.js';
import { enterScope, leaveScope, runInContext, runInScope, type Entered } from '../context/context.js';
import { handleOf, Tensor } from '../tensor.js';

/** An object that holds tensors says which by this method, so that it can leave a scope whole. */
export const tensorsOf: unique symbol = Symbol.for('aiforge.tensorsOf') as never;

/** @internal Every tensor in a result: in arrays, maps, sets, plain objects and whatever has `tensorsOf`. */
export function tensorsIn(result: unknown): Tensor[] {
  const found: Tensor[] = [];
  const seen = new Set<unknown>();
  // No recursion: a long linked list may be deeper than the call stack.
  const left: unknown[] = [result];
  const look = (value: unknown) => {
    if (typeof value === 'object' && value !== null) left.push(value);
  };
  while (left.length > 0) {
    const value = left.pop();
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    if (Tensor.isTensor(value)) found.push(value);
    else visitItems(value, look);
  }
  return found;
}

function visitItems(value: object, look: (item: unknown) => void): void {
  if (tensorsOf in value) {
    for (const item of (value as { [tensorsOf](): Iterable<unknown> })[tensorsOf]()) look(item);
  } else if (Array.isArray(value) || isSet(value)) {
    for (const item of value as Iterable<unknown>) look(item);
  } else if (isMap(value)) {
    for (const [key, item] of value) {
      look(key);
      look(item);
    }
  } else if (isPlainObject(value)) {
    for (const key of Reflect.ownKeys(value)) {
      if (Object.prototype.propertyIsEnumerable.call(value, key)) look(Reflect.get(value, key));
    }
  }
}

/** Moves the tensors of a result that `scope` keeps into the current one. */
function release(result: unknown, scope: number): void {
  for (const tensor of tensorsIn(result)) if (Tensor.isIn(tensor, scope)) Tensor.rehome(tensor);
}

export interface ScopeOptions {
  /** What `memory.stats()` calls the scope. Default: it has no name. */
  name?: string;
}

const scopeTakes = signature<ScopeOptions>({ body: func() }, { name: string });
const scopeClassTakes = signature({ name: optional(orNull(string)) });

/**
 * Runs `body` and then releases every tensor made in it, at once, but those that it returns (in arrays, objects, maps,
 * sets or modules; an instance of a class says by `tensorsOf` what it holds). Follows `await`: scopes of interleaved
 * asynchronous tasks do not touch each other's tensors.
 *
 * @example
 * import { scope, randn } from 'aiforge';
 * const x = randn([2, 2]);
 * const y = scope(() => x.mul(2).add(1)); // x.mul(2) is released, y is kept
 * const z = scope('double', () => x.mul(2)); // memory.stats() shows the name
 */
export function scope<T>(body: () => T, options?: ScopeOptions): T;
export function scope<T>(name: string, body: () => T): T;
export function scope<T>(first: string | (() => T), second?: (() => T) | ScopeOptions): T {
  if (arguments.length > 2) scopeTakes.check('scope', arguments);
  if (typeof first === 'string') {
    if (typeof second === 'function') return runInScope(first, second as () => T, release);
  } else if (typeof first === 'function' && typeof second !== 'function') {
    if (second !== undefined) scopeTakes.check('scope', [first, second]);
    return runInScope(second?.name ?? null, first, release);
  }
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `scope: expected a function, or a name and a function, got ${show([first, second])}.`,
  );
}

/**
 * A scope for the rest of a block, opened by `using`: what is made until the block's end is released there. It holds for
 * synchronous code only; around an `await` use `scope(async () => …)`.
 *
 * @throws AiforgeError SCOPE_MISUSED at its end, when the synchronous code that opened it ended before.
 * @example
 * import { ones, Scope } from 'aiforge';
 * function total() {
 *   using step = new Scope('step');
 *   return step.keep(ones([3]).mul(2).sum()); // ones([3]) and its double are released
 * }
 * total().item(); // 6
 */
export class Scope implements Disposable {
  readonly name: string | null;
  readonly #entered: Entered;

  constructor(name: string | null = null) {
    scopeClassTakes.check(new.target.name, arguments);
    this.name = name;
    this.#entered = enterScope(name);
  }

  get isOpen(): boolean {
    return this.#entered.context.open;
  }

  /** Gives the tensors in a value to the scope around, as if a function returned them; the value itself. */
  keep<T>(value: T): T {
    const { context } = this.#entered;
    if (context.open && context.outer !== null) {
      const { holder } = context.outer;
      runInContext({ holder }, () => release(value, context.scope));
    }
    return value;
  }

  /** Releases what was made in it; closing twice does nothing. */
  close(): void {
    if (!this.isOpen) return;
    leaveScope(this.#entered);
    if (!this.#entered.strayed) return;
    throw new AiforgeError(
      'SCOPE_MISUSED',
      `${this.name === null ? 'A Scope' : `Scope '${this.name}'`} was still open when the synchronous code that opened ` +
        'it had ended, at an `await` or without close(): it held for that code only. Use scope(async () => …) there.',
    );
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Takes a tensor out of the scope that made it: it lives until it is disposed or collected. Returns the tensor.
 *
 * @example
 * import { keep, scope, zeros } from 'aiforge';
 * const state: { sum?: ReturnType<typeof zeros> } = {};
 * scope(() => { state.sum = keep(zeros([3])); });
 */
export function keep<T extends Tensor>(tensor: T): T {
  handleOf(tensor);
  runInContext({ holder: null }, () => Tensor.rehome(tensor));
  return tensor;
}
