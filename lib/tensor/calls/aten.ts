import { bind, type AtenOperator } from './operators.js';
import type { Tensor } from '../tensor.js';

/**
 * An operator as the library itself calls it, whose result is a tensor unless `R` says otherwise. It is looked up when it is
 * first called, so that a LibTorch that lacks it can be imported, and refused where its schema is not the one written for.
 */
export function aten<R = Tensor>(name: string): (...args: unknown[]) => R {
  let operator: AtenOperator | undefined;
  return (...args) => (operator ??= bind(name, false))(...args) as R;
}
