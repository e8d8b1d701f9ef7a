import { native, type Handle } from '../../native.js';
import { enterContext } from '../../tensor/context/context.js';
import { handleOf, wrapHandle, type Tensor } from '../../tensor/tensor.js';
import { operator, orNull } from './call.js';

const { call } = native;

const addId = operator('add_.Scalar');
/** Adds one in place. */
export function increment_(counter: Tensor): void {
  enterContext();
  call(addId, handleOf(counter), 1, 1);
}

const batchNormId = operator('batch_norm');
export function batchNorm(
  input: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  runningMean: Tensor | null,
  runningVar: Tensor | null,
  training: boolean,
  momentum: number,
  eps: number,
): Tensor {
  const [w, b, mean, variance] = [orNull(weight), orNull(bias), orNull(runningMean), orNull(runningVar)];
  enterContext();
  return wrapHandle(call(batchNormId, handleOf(input), w, b, mean, variance, training, momentum, eps, true) as Handle);
}

const instanceNormId = operator('instance_norm');
export function instanceNorm(
  input: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  runningMean: Tensor | null,
  runningVar: Tensor | null,
  useInputStats: boolean,
  momentum: number,
  eps: number,
): Tensor {
  const [w, b, mean, variance] = [orNull(weight), orNull(bias), orNull(runningMean), orNull(runningVar)];
  const x = handleOf(input);
  enterContext();
  return wrapHandle(call(instanceNormId, x, w, b, mean, variance, useInputStats, momentum, eps, true) as Handle);
}

const groupNormId = operator('group_norm');
export function groupNorm(
  input: Tensor,
  numGroups: number,
  weight: Tensor | null,
  bias: Tensor | null,
  eps: number,
): Tensor {
  enterContext();
  return wrapHandle(call(groupNormId, handleOf(input), numGroups, orNull(weight), orNull(bias), eps, true) as Handle);
}

const rmsNormId = operator('rms_norm');
export function rmsNorm(input: Tensor, shape: readonly number[], weight: Tensor | null, eps: number | null): Tensor {
  enterContext();
  return wrapHandle(call(rmsNormId, handleOf(input), shape, orNull(weight), eps) as Handle);
}
