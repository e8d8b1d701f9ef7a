import type { Tensor } from '../../tensor/tensor.js';
import { named, type Rest } from './arguments.js';
import { avgPool1d, avgPool2d, avgPool3d, maxPool1d, maxPool2d, maxPool3d } from './pooling.js';
import { perDimension, type Sizes } from './sizes.js';
import { checkInput } from '../checks.js';

export interface LpPoolOptions {
  normType: number;
  kernelSize: Sizes;
  /** Default: the kernel's size. */
  stride?: Sizes | null;
  /** Default: false. */
  ceilMode?: boolean;
}

type LpPoolOrder = ['normType', 'kernelSize', 'stride', 'ceilMode'];

function lpPool(name: string, dims: 1 | 2 | 3) {
  const average = { 1: avgPool1d, 2: avgPool2d, 3: avgPool3d }[dims];
  const greatest = { 1: maxPool1d, 2: maxPool2d, 3: maxPool3d }[dims];
  return (input: Tensor, ...rest: Rest<LpPoolOptions, LpPoolOrder>): Tensor => {
    checkInput(name, input);
    const defaults = { normType: undefined, kernelSize: undefined, stride: null, ceilMode: false };
    const { normType, kernelSize, stride, ceilMode } = named<LpPoolOptions>(name, rest, defaults);
    if (normType === Infinity) return greatest(input.abs(), kernelSize, { stride, ceilMode });
    if (normType === -Infinity) return greatest(input.abs().neg(), kernelSize, { stride, ceilMode }).neg();
    const strides = stride ?? [];
    const mean = average(input.pow(normType), kernelSize, { stride: strides, ceilMode });
    const count = perDimension(kernelSize, dims).reduce((product, size) => product * size, 1);
    return mean
      .sign()
      .mul(mean.abs().relu())
      .mul(count)
      .pow(1 / normType);
  };
}

/**
 * The `normType`-norm of each window of `[N, C, L]`. As `torch.nn.functional.lp_pool1d`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.lpPool1d(tensor([[3, 4]]).to('float32'), 2, 2).tolist(); // [[5]]
 */
export const lpPool1d = lpPool('lpPool1d', 1);

/**
 * The `normType`-norm of each window of `[N, C, H, W]`. As `torch.nn.functional.lp_pool2d`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.lpPool2d(tensor([[[3, 4], [0, 0]]]).to('float32'), 2, 2).tolist(); // [[[5]]]
 */
export const lpPool2d = lpPool('lpPool2d', 2);

/**
 * The `normType`-norm of each window of `[N, C, D, H, W]`. As `torch.nn.functional.lp_pool3d`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.lpPool3d(tensor([[[[3, 4], [0, 0]], [[0, 0], [0, 0]]]]).to('float32'), 2, 2).tolist(); // [[[[5]]]]
 */
export const lpPool3d = lpPool('lpPool3d', 3);
