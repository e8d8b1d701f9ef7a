import { native, type Handle } from '../../native.js';
import { enterContext } from '../../tensor/context/context.js';
import { handleOf, wrapHandle, type Tensor } from '../../tensor/tensor.js';
import { operator, orNull } from './call.js';

const { call } = native;

/** Zeros on both sides, or `'same'` for an output as long as the input, or `'valid'` for none. */
export type ConvolutionPadding = readonly number[] | 'same' | 'valid';

function convolution(name: string) {
  const byNumber = operator(name);
  const byWord = operator(`${name}.padding`);
  return (
    input: Tensor,
    weight: Tensor,
    bias: Tensor | null,
    stride: readonly number[],
    padding: ConvolutionPadding,
    dilation: readonly number[],
    groups: number,
  ): Tensor => {
    enterContext();
    const id = typeof padding === 'string' ? byWord : byNumber;
    return wrapHandle(
      call(id, handleOf(input), handleOf(weight), orNull(bias), stride, padding, dilation, groups) as Handle,
    );
  };
}

export const conv1d = convolution('conv1d');
export const conv2d = convolution('conv2d');
export const conv3d = convolution('conv3d');

function transposedConvolution(name: string) {
  const id = operator(name);
  return (
    input: Tensor,
    weight: Tensor,
    bias: Tensor | null,
    stride: readonly number[],
    padding: readonly number[],
    outputPadding: readonly number[],
    groups: number,
    dilation: readonly number[],
  ): Tensor => {
    enterContext();
    const tensors = [handleOf(input), handleOf(weight), orNull(bias)];
    return wrapHandle(call(id, ...tensors, stride, padding, outputPadding, groups, dilation) as Handle);
  };
}

export const convTranspose1d = transposedConvolution('conv_transpose1d');
export const convTranspose2d = transposedConvolution('conv_transpose2d.input');
export const convTranspose3d = transposedConvolution('conv_transpose3d.input');

/** What lies beyond the edges of an input. */
export type PaddingMode = 'constant' | 'reflect' | 'replicate' | 'circular';

const padId = operator('pad');
/** Widens the last dimensions by `padding`: before and after for the last one, then for the one before it. */
export function pad(input: Tensor, padding: readonly number[], mode: PaddingMode, value: number | null): Tensor {
  enterContext();
  return wrapHandle(call(padId, handleOf(input), padding, mode, value) as Handle);
}
