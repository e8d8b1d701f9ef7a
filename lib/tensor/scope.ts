import { native } from '../native.js';
import { closeScope, runInContext } from './context.js';
import { Tensor } from './tensor.js';

/** An object that holds tensors says which by this method, so that it can leave a scope whole. */
export const tensorsOf: unique symbol = Symbol.for('aiforge.tensorsOf') as never;

/** @internal Every tensor in a result: in arrays, maps, sets, plain objects and whatever has `tensorsOf`. */
export function* tensorsIn(value: unknown, seen = new Set<object>()): Generator<Tensor> {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  if (Tensor.isTensor(value)) {
    yield value;
  } else if (tensorsOf in value) {
    yield* (value as { [tensorsOf](): Iterable<Tensor> })[tensorsOf]();
  } else if (Array.isArray(value) || value instanceof Set) {
    for (const item of value) yield* tensorsIn(item, seen);
  } else if (value instanceof Map) {
    for (const [key, item] of value) {
      yield* tensorsIn(key, seen);
      yield* tensorsIn(item, seen);
    }
  } else if ([Object.prototype, null].includes(Object.getPrototypeOf(value) as null)) {
    for (const item of Object.values(value)) yield* tensorsIn(item, seen);
  }
}

/**
 * Runs `body` and then releases every tensor made in it, at once, but those that it returns (in arrays, objects, maps,
 * sets or modules). Follows `await`: scopes of interleaved asynchronous tasks do not touch each other's tensors.
 *
 * @example
 * import { scope, randn } from 'aiforge';
 * const x = randn([2, 2]);
 * const y = scope(() => x.mul(2).add(1)); // x.mul(2) is released, y is kept
 */
export function scope<T>(body: () => T): T {
  const inner = native.openScope();
  return runInContext(
    { scope: inner },
    body,
    (result) => {
      for (const tensor of tensorsIn(result)) if (Tensor.isIn(tensor, inner)) Tensor.rehome(tensor);
    },
    () => closeScope(inner),
  );
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
  runInContext({ scope: 0 }, () => Tensor.rehome(tensor));
  return tensor;
}

/** What the addon holds for this thread: live tensors and their bytes (views count their own elements). */
export function memoryStats(): { tensors: number; bytes: number } {
  return native.memory();
}
