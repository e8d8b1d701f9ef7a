import * as generated from '../../tensor/generated/functions.js';

// The functions of the tensor layer, with what they are in `nn.functional`.

/**
 * Slides the kernels of `weight`, `[C_out, C_in / groups, K]`, over `[N, C_in, L]`; `padding` may be `'same'` or
 * `'valid'`. As `torch.nn.functional.conv1d`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.conv1d(tensor([[1, 2, 4]]), tensor([[[1, -1]]])).tolist(); // [[-1, -2]]
 */
export const conv1d = generated.conv1d;

/**
 * Slides the kernels of `weight`, `[C_out, C_in / groups, K_h, K_w]`, over `[N, C_in, H, W]`; `padding` may be `'same'` or
 * `'valid'`. As `torch.nn.functional.conv2d`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.conv2d(tensor([[[1, 2], [3, 5]]]), tensor([[[[1, 0], [0, 1]]]])).tolist(); // [[[6]]]
 */
export const conv2d = generated.conv2d;

/**
 * Slides the kernels of `weight`, `[C_out, C_in / groups, K_d, K_h, K_w]`, over `[N, C_in, D, H, W]`; `padding` may be `'same'` or
 * `'valid'`. As `torch.nn.functional.conv3d`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.conv3d(tensor([[[[1, 2]]]]), tensor([[[[[3, 1]]]]])).tolist(); // [[[[5]]]]
 */
export const conv3d = generated.conv3d;

/**
 * Spreads each element of `[N, C_in, L]` over a window by the kernels of `weight`, `[C_in, C_out / groups, K]`. As
 * `torch.nn.functional.conv_transpose1d`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.convTranspose1d(tensor([[1, 2]]), tensor([[[1, 3]]])).tolist(); // [[1, 5, 6]]
 */
export const convTranspose1d = generated.convTranspose1d;

/**
 * Spreads each element of `[N, C_in, H, W]` over a window by the kernels of `weight`, `[C_in, C_out / groups, K_h, K_w]`. As
 * `torch.nn.functional.conv_transpose2d`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.convTranspose2d(tensor([[[1, 2]]]), tensor([[[[1, 3]]]])).tolist(); // [[[1, 5, 6]]]
 */
export const convTranspose2d = generated.convTranspose2d;

/**
 * Spreads each element of `[N, C_in, D, H, W]` over a window by the kernels of `weight`, `[C_in, C_out / groups, K_d, K_h, K_w]`. As
 * `torch.nn.functional.conv_transpose3d`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.convTranspose3d(tensor([[[[1, 2]]]]), tensor([[[[[1, 3]]]]])).tolist(); // [[[[1, 5, 6]]]]
 */
export const convTranspose3d = generated.convTranspose3d;

/**
 * Slides the kernels of `weight`, `[K, C_in, C_out]`, over `[L, N, C_in]`, with `pad` zeros on both sides. As
 * `torch.nn.functional.conv_tbc`.
 *
 * @example
 * import { nn, zeros } from 'aiforge';
 * nn.functional.convTbc(zeros([5, 2, 3]), zeros([3, 3, 4]), zeros([4]), 1).shape; // [5, 2, 4]
 */
export const convTbc = generated.convTbc;
