import type { Handle } from '../native.js';
import { Kind, type Return } from './schema.js';
import { wrapHandle, type Tensor } from './tensor.js';

function liftTensor(handle: Handle | null): Tensor | null {
  return handle === null ? null : wrapHandle(handle);
}

function lift(result: Return, value: unknown, bound: unknown[]): unknown {
  if (result.alias >= 0) return bound[result.alias];
  if (result.kind !== Kind.Tensor || value === null) return value;
  return result.isList ? (value as Handle[]).map(liftTensor) : wrapHandle(value as Handle);
}

/** What an operator gives its caller: a tuple is an array that has its items under their names as well. */
export function liftResults(returns: Return[], value: unknown, bound: unknown[], outs: number[]): unknown {
  if (returns.length === 1) return lift(returns[0]!, value, bound);
  // An operator that only fills lists of tensors returns nothing; its caller gets the list, as from any other.
  if (returns.length === 0) return outs.length === 1 ? bound[outs[0]!] : undefined;
  const tuple = returns.map((result, i) => lift(result, (value as unknown[])[i], bound));
  returns.forEach(({ name }, i) => {
    if (name !== '') Object.defineProperty(tuple, name, { value: tuple[i] });
  });
  return tuple;
}
