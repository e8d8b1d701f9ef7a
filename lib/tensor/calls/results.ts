import { ownArray, type Handle } from '../../native.js';
import { Kind, type Return, type Schema } from './schema.js';
import { wrapHandle, type Tensor } from '../tensor.js';

function liftTensor(handle: Handle | null): Tensor | null {
  return handle === null ? null : wrapHandle(handle);
}

function lift(result: Return, value: unknown, bound: unknown[]): unknown {
  if (result.alias >= 0) return bound[result.alias];
  if (value === null) return value;
  if (result.kind !== Kind.Tensor) return result.isList ? ownArray(value as unknown[]) : value;
  return result.isList ? ownArray(value as Handle[]).map(liftTensor) : wrapHandle(value as Handle);
}

/** @internal What the items of an operator's tuple are called, as `[name, index]`. */
export const itemNames = Symbol('itemNames');

const tuples = new WeakMap<Return[], new (length: number) => unknown[]>();

/** The class of an operator's tuples: an array that has its items under their names as well. */
function tupleOf({ name, returns }: Schema): new (length: number) => unknown[] {
  const known = tuples.get(returns);
  if (known !== undefined) return known;
  const made = class extends Array<unknown> {
    // What `map` and the like make of a tuple is an ordinary array.
    static override get [Symbol.species]() {
      return Array;
    }
  };
  Object.defineProperty(made, 'name', { value: name.replace(/^.*::|\..*$/g, '') });
  const names = returns.map((result, i): [string, number] => [result.name, i]).filter(([own]) => own !== '');
  for (const [own, i] of names) Object.defineProperty(made.prototype, own, { get: nth(i) });
  Object.defineProperty(made.prototype, itemNames, { value: names });
  tuples.set(returns, made);
  return made;
}

function nth(i: number) {
  return function (this: unknown[]): unknown {
    return this[i];
  };
}

/** What an operator gives its caller. */
export function liftResults(schema: Schema, value: unknown, bound: unknown[]): unknown {
  const { returns, outs } = schema;
  if (returns.length === 1) return lift(returns[0]!, value, bound);
  // An operator that only fills lists of tensors returns nothing; its caller gets the list, as from any other.
  if (returns.length === 0) return outs.length === 1 ? bound[outs[0]!] : undefined;
  const tuple = new (tupleOf(schema))(returns.length);
  for (let i = 0; i < returns.length; ++i) tuple[i] = lift(returns[i]!, (value as unknown[])[i], bound);
  return tuple;
}
