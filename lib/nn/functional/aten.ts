import { ops } from '../../tensor/operators.js';
import type { Tensor } from '../../tensor/tensor.js';

/** The operator of a schema's name, whose result is a tensor unless `R` says otherwise. */
export function aten<R = Tensor>(name: string): (...args: unknown[]) => R {
  return ops.aten(name) as (...args: unknown[]) => R;
}
