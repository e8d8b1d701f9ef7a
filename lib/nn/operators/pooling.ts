import { native, type Handle } from '../../native.js';
import { enterContext } from '../../tensor/context/context.js';
import { handleOf, wrapHandle, type Tensor } from '../../tensor/tensor.js';
import { operator } from './call.js';

const { call } = native;

type Sizes = number | readonly number[];

/** The maxima, or with `withIndices` them and their places. */
export type MaxPoolOperator = (
  input: Tensor,
  kernelSize: Sizes,
  stride: Sizes,
  padding: Sizes,
  dilation: Sizes,
  ceilMode: boolean,
  withIndices: boolean,
) => Tensor | [output: Tensor, indices: Tensor];

function maxPool(name: string): MaxPoolOperator {
  const plain = operator(name);
  const indexed = operator(`${name}_with_indices`);
  return (input, kernelSize, stride, padding, dilation, ceilMode, withIndices) => {
    enterContext();
    const id = withIndices ? indexed : plain;
    const result = call(id, handleOf(input), kernelSize, stride, padding, dilation, ceilMode);
    if (!withIndices) return wrapHandle(result as Handle);
    const [output, indices] = result as [Handle, Handle];
    return [wrapHandle(output), wrapHandle(indices)];
  };
}

export const maxPool1d = maxPool('max_pool1d');
export const maxPool2d = maxPool('max_pool2d');
export const maxPool3d = maxPool('max_pool3d');

function averagePool(name: string) {
  const id = operator(name);
  // `divisor` is what to divide by in place of the number of elements; one dimension has no such parameter.
  return (
    input: Tensor,
    kernelSize: Sizes,
    stride: Sizes,
    padding: Sizes,
    ceilMode: boolean,
    countIncludePad: boolean,
    ...divisor: readonly (number | null)[]
  ): Tensor => {
    enterContext();
    return wrapHandle(
      call(id, handleOf(input), kernelSize, stride, padding, ceilMode, countIncludePad, ...divisor) as Handle,
    );
  };
}

export const avgPool1d = averagePool('avg_pool1d');
export const avgPool2d = averagePool('avg_pool2d');
export const avgPool3d = averagePool('avg_pool3d');

function adaptiveAveragePool(name: string) {
  const id = operator(name);
  return (input: Tensor, outputSize: Sizes): Tensor => {
    enterContext();
    return wrapHandle(call(id, handleOf(input), outputSize) as Handle);
  };
}

export const adaptiveAvgPool1d = adaptiveAveragePool('adaptive_avg_pool1d');
export const adaptiveAvgPool2d = adaptiveAveragePool('adaptive_avg_pool2d');
export const adaptiveAvgPool3d = adaptiveAveragePool('adaptive_avg_pool3d');

export type AdaptiveMaxPoolOperator = (input: Tensor, outputSize: Sizes) => [output: Tensor, indices: Tensor];

function adaptiveMaxPool(name: string): AdaptiveMaxPoolOperator {
  const id = operator(name);
  return (input, outputSize) => {
    enterContext();
    const [output, indices] = call(id, handleOf(input), outputSize) as [Handle, Handle];
    return [wrapHandle(output), wrapHandle(indices)];
  };
}

export const adaptiveMaxPool1d = adaptiveMaxPool('adaptive_max_pool1d');
export const adaptiveMaxPool2d = adaptiveMaxPool('adaptive_max_pool2d');
export const adaptiveMaxPool3d = adaptiveMaxPool('adaptive_max_pool3d');
