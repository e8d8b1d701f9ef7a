import { zeros, zerosLike } from '../tensor/generated/functions.js';
import { keep } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { ParameterState } from './bucket.js';

/** What most optimizers begin with: no steps, and under each name zeros of the parameter's shape. */
export function countedState(parameter: Tensor, ...names: string[]): ParameterState {
  const state: ParameterState = { step: zeros([], { dtype: 'float32' }) };
  for (const name of names) state[name] = keep(zerosLike(parameter));
  return state;
}
