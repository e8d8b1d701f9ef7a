import { isPromise } from '../../realms.js';
import type { Tensor } from '../../tensor/tensor.js';

/** A forward pass that begins. */
export interface Step {
  isRecorded: boolean;
  /** Whether its gradients will be averaged. */
  averages: boolean;
  /** To be overwritten by another rank's. */
  buffers: Tensor[];
  /** Whether there is anything to do before it. */
  waits: boolean;
}

/** What `then` makes of a result, or a promise of what it makes of what a promised one resolves to. */
export function after<T>(result: T, then: (value: unknown) => unknown): T {
  return (isPromise(result) ? result.then(then) : then(result)) as T;
}
