import type { Tensor } from '../../tensor/tensor.js';
import { checkProbability } from '../checks.js';
import * as operators from '../operators.js';
import { named, type Rest } from './arguments.js';

export interface DropoutFunctionOptions {
  /** The probability to be dropped. Default: 0.5. */
  p?: number;
  /** Whether anything is dropped. Default: true; for `alphaDropout` and `featureAlphaDropout` false. */
  training?: boolean;
  /** Whether the input itself is changed. Default: false. */
  inplace?: boolean;
}

type Order = ['p', 'training', 'inplace'];
type Dropout = (input: Tensor, ...rest: Rest<DropoutFunctionOptions, Order>) => Tensor;
type Operator = (input: Tensor, p: number, training: boolean, inplace: boolean) => Tensor;

function dropouts(name: string, operator: Operator, isTraining: boolean): Dropout {
  return (input, ...rest) => {
    const defaults = { p: 0.5, training: isTraining, inplace: false };
    const { p, training, inplace } = named<DropoutFunctionOptions>(name, rest, defaults);
    return operator(input, checkProbability(p), training, inplace);
  };
}

/**
 * Zeroes elements with probability `p`, and scales the others by `1 / (1 - p)`; see `torch.nn.functional.dropout`.
 *
 * @example
 * import { nn, ones } from 'aiforge';
 * nn.functional.dropout(ones([3]), 0.5, false); // tensor([1., 1., 1.])
 */
export const dropout = dropouts('dropout', operators.dropout, true);

/**
 * Dropout that keeps the mean and variance of self-normalising networks (`selu`); see `torch.nn.functional.alpha_dropout`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * nn.functional.alphaDropout(randn([2, 3]), 0.2, true).shape; // [2, 3]
 */
export const alphaDropout = dropouts('alphaDropout', operators.alphaDropout, false);

/**
 * `alphaDropout` of whole channels; see `torch.nn.functional.feature_alpha_dropout`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * nn.functional.featureAlphaDropout(randn([2, 3, 4]), { p: 0.2, training: true }).shape; // [2, 3, 4]
 */
export const featureAlphaDropout = dropouts('featureAlphaDropout', operators.featureAlphaDropout, false);

/**
 * Zeroes whole channels of [N, C, L] or [C, L]; see `torch.nn.functional.dropout1d`.
 *
 * @example
 * import { nn, ones } from 'aiforge';
 * nn.functional.dropout1d(ones([2, 3, 4]), 1).sum().item(); // 0
 */
export const dropout1d = dropouts('dropout1d', operators.dropout1d, true);

/**
 * Zeroes whole channels of [N, C, H, W]. As in Python three dimensions are [N, C, L], with a warning in the log. See
 * `torch.nn.functional.dropout2d`.
 *
 * @example
 * import { nn, ones } from 'aiforge';
 * nn.functional.dropout2d(ones([2, 3, 4, 4]), 0).sum().item(); // 96
 */
export const dropout2d = dropouts('dropout2d', operators.dropout2d, true);

/**
 * Zeroes whole channels of [N, C, D, H, W] or [C, D, H, W]; see `torch.nn.functional.dropout3d`.
 *
 * @example
 * import { nn, ones } from 'aiforge';
 * nn.functional.dropout3d(ones([2, 3, 2, 2, 2]), 1).sum().item(); // 0
 */
export const dropout3d = dropouts('dropout3d', operators.dropout3d, true);
