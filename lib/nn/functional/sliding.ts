import type { Tensor } from '../../tensor/tensor.js';
import { named, type Rest } from './arguments.js';
import { aten } from './aten.js';
import { perDimension, type Sizes } from './sizes.js';

export interface UnfoldOptions {
  kernelSize: Sizes;
  /** Default: 1. */
  dilation?: Sizes;
  /** Default: 0. */
  padding?: Sizes;
  /** Default: 1. */
  stride?: Sizes;
}

type UnfoldOrder = ['kernelSize', 'dilation', 'padding', 'stride'];

const imageToColumns = aten('im2col');
const columnsToImage = aten('col2im');
const pair = (sizes: Sizes): readonly number[] => perDimension(sizes, 2);

/** The windows of [batch, channels, height, width] as columns; see `torch.nn.functional.unfold`. */
export function unfold(input: Tensor, ...rest: Rest<UnfoldOptions, UnfoldOrder>): Tensor {
  const defaults = { kernelSize: undefined, dilation: 1, padding: 0, stride: 1 };
  const { kernelSize, dilation, padding, stride } = named<UnfoldOptions>('unfold', rest, defaults);
  return imageToColumns(input, pair(kernelSize), pair(dilation), pair(padding), pair(stride));
}

export interface FoldOptions extends UnfoldOptions {
  outputSize: Sizes;
}

/** The sum of columns put back as windows; see `torch.nn.functional.fold`. */
export function fold(input: Tensor, ...rest: Rest<FoldOptions, ['outputSize', ...UnfoldOrder]>): Tensor {
  const defaults = { outputSize: undefined, kernelSize: undefined, dilation: 1, padding: 0, stride: 1 };
  const { outputSize, kernelSize, dilation, padding, stride } = named<FoldOptions>('fold', rest, defaults);
  return columnsToImage(input, pair(outputSize), pair(kernelSize), pair(dilation), pair(padding), pair(stride));
}
