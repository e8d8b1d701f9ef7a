import { zeros, zerosLike } from '../tensor/generated/functions.js';
import { keep } from '../tensor/memory/scope.js';
import type { Device } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { isCapturable } from './capturable.js';
import type { ParameterState } from './bucket.js';

/** Where a group counts the steps of a parameter. */
export const counterDevice = (group: object, parameter: Tensor): Device =>
  isCapturable(group) ? parameter.device : 'cpu';

/** What most optimizers begin with: no steps, and under each name zeros of the parameter's shape. */
export function countedState(group: object, parameter: Tensor, ...names: string[]): ParameterState {
  const state: ParameterState = { step: zeros([], { dtype: 'float32', device: counterDevice(group, parameter) }) };
  for (const name of names) state[name] = keep(zerosLike(parameter));
  return state;
}
