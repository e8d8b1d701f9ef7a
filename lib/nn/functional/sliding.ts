import type { Tensor } from '../../tensor/tensor.js';
import { named, type Rest } from './arguments.js';
import { aten } from '../../tensor/calls/aten.js';
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

/**
 * The windows of `[N, C, H, W]` as columns, `[N, C * K_h * K_w, windows]`. As `torch.nn.functional.unfold`.
 *
 * @example
 * import { arange, nn } from 'aiforge';
 * nn.functional.unfold(arange(4).view([1, 2, 2]).to('float32'), [1, 2]).tolist(); // [[0, 2], [1, 3]]
 */
export function unfold(input: Tensor, ...rest: Rest<UnfoldOptions, UnfoldOrder>): Tensor {
  const defaults = { kernelSize: undefined, dilation: 1, padding: 0, stride: 1 };
  const { kernelSize, dilation, padding, stride } = named<UnfoldOptions>('unfold', rest, defaults);
  return imageToColumns(input, pair(kernelSize), pair(dilation), pair(padding), pair(stride));
}

export interface FoldOptions extends UnfoldOptions {
  /** Height and width of the image. */
  outputSize: Sizes;
}

/**
 * Puts columns `[N, C * K_h * K_w, windows]` back as windows of `[N, C, H, W]` and adds up where they overlap. As
 * `torch.nn.functional.fold`.
 *
 * @example
 * import { nn, ones } from 'aiforge';
 * nn.functional.fold(ones([2, 2]), [1, 3], [1, 2]).tolist(); // [[[1, 2, 1]]]
 */
export function fold(input: Tensor, ...rest: Rest<FoldOptions, ['outputSize', ...UnfoldOrder]>): Tensor {
  const defaults = { outputSize: undefined, kernelSize: undefined, dilation: 1, padding: 0, stride: 1 };
  const { outputSize, kernelSize, dilation, padding, stride } = named<FoldOptions>('fold', rest, defaults);
  return columnsToImage(input, pair(outputSize), pair(kernelSize), pair(dilation), pair(padding), pair(stride));
}
