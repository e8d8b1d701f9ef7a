import { native, type Handle } from '../../native.js';
import { enterContext } from '../../tensor/context/context.js';
import type { DType } from '../../tensor/dtype.js';
import { handleOf, wrapHandle, type Tensor } from '../../tensor/tensor.js';
import { operator } from './call.js';

const { call } = native;

// An operator and its form in place, for each number of settings: spreading lists of them costs more than the call.

function plain(name: string): (input: Tensor, inplace: boolean) => Tensor {
  const [copying, inPlace] = [operator(name), operator(`${name}_`)];
  return (input, inplace) => {
    enterContext();
    if (!inplace) return wrapHandle(call(copying, handleOf(input)) as Handle);
    call(inPlace, handleOf(input));
    return input;
  };
}

function withOne(name: string): (input: Tensor, setting: number, inplace: boolean) => Tensor {
  const [copying, inPlace] = [operator(name), operator(`${name}_`)];
  return (input, setting, inplace) => {
    enterContext();
    if (!inplace) return wrapHandle(call(copying, handleOf(input), setting) as Handle);
    call(inPlace, handleOf(input), setting);
    return input;
  };
}

function withTwo(name: string): (input: Tensor, first: number, second: number, inplace: boolean) => Tensor {
  const [copying, inPlace] = [operator(name), operator(`${name}_`)];
  return (input, first, second, inplace) => {
    enterContext();
    if (!inplace) return wrapHandle(call(copying, handleOf(input), first, second) as Handle);
    call(inPlace, handleOf(input), first, second);
    return input;
  };
}

export const hardsigmoid = plain('hardsigmoid');
export const hardswish = plain('hardswish');
export const mish = plain('mish');
export const relu6 = plain('relu6');
export const selu = plain('selu');
export const silu = plain('silu');

export const celu = withOne('celu');
export const elu = withOne('elu');
export const leakyRelu = withOne('leaky_relu');

export const hardtanh = withTwo('hardtanh');
export const threshold = withTwo('threshold');

const [rreluId, rreluInPlaceId] = [operator('rrelu'), operator('rrelu_')];
export function rrelu(input: Tensor, lower: number, upper: number, training: boolean, inplace: boolean): Tensor {
  enterContext();
  if (!inplace) return wrapHandle(call(rreluId, handleOf(input), lower, upper, training) as Handle);
  call(rreluInPlaceId, handleOf(input), lower, upper, training);
  return input;
}

const softmaxId = operator('softmax.int');
export function softmax(input: Tensor, dim: number, dtype: DType | null): Tensor {
  enterContext();
  return wrapHandle(call(softmaxId, handleOf(input), dim, dtype) as Handle);
}

const logSoftmaxId = operator('log_softmax.int');
export function logSoftmax(input: Tensor, dim: number, dtype: DType | null): Tensor {
  enterContext();
  return wrapHandle(call(logSoftmaxId, handleOf(input), dim, dtype) as Handle);
}
