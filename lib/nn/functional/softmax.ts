import { emptyLike, zerosLike } from '../../tensor/generated/functions.js';
import type { DType } from '../../tensor/dtype.js';
import type { Tensor } from '../../tensor/tensor.js';
import * as operators from '../operators.js';
import { warnOnce } from '../../warnOnce.js';
import { named, type Rest } from './arguments.js';
import { aten } from '../../tensor/calls/aten.js';
import { checkInput } from '../checks.js';
import { invalid } from '../../tensor/composites/named.js';
import { show } from '../../show.js';

export interface SoftmaxOptions {
  /** Default, as in Python: 0 for 0, 1 and 3 dimensions, else 1. */
  dim?: number | null;
  /** The dtype to compute in. Default: the input's. */
  dtype?: DType | null;
}

type Apply = (input: Tensor, dim: number, dtype: DType | null) => Tensor;

function normalized(name: string, apply: Apply) {
  return (input: Tensor, ...rest: Rest<SoftmaxOptions, ['dim', 'dtype']>): Tensor => {
    checkInput(name, input);
    const { dim, dtype } = named<SoftmaxOptions>(name, rest, { dim: null, dtype: null });
    return apply(input, dim ?? ([0, 1, 3].includes(input.dim()) ? 0 : 1), dtype);
  };
}

/**
 * Exponentials along `dim`, as shares of their sum; see `torch.nn.functional.softmax`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.softmax(tensor([0, 0], { dtype: 'float32' }), -1); // tensor([0.5000, 0.5000])
 */
export const softmax = normalized('softmax', operators.softmax);

/**
 * The softmax of `-input`; see `torch.nn.functional.softmin`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.softmin(tensor([0, 1], { dtype: 'float32' }), 0); // tensor([0.7311, 0.2689])
 */
export const softmin = normalized('softmin', (input, dim, dtype) => operators.softmax(input.neg(), dim, dtype));

/**
 * The logarithm of the softmax; see `torch.nn.functional.log_softmax`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.logSoftmax(tensor([0, 0], { dtype: 'float32' }), 0); // tensor([-0.6931, -0.6931])
 */
export const logSoftmax = normalized('logSoftmax', operators.logSoftmax);

export interface GumbelSoftmaxOptions {
  /** The temperature. Default: 1. */
  tau?: number;
  /** Whether the samples are one-hot, with the gradient of the soft ones. Default: false. */
  hard?: boolean;
  /** Deprecated in PyTorch, without effect. Default: 1e-10. */
  eps?: number;
  /** The dimension of the logits. Default: -1. */
  dim?: number;
}

const maxDim = aten<[values: Tensor, indices: Tensor]>('max.dim');

/**
 * Samples of the Gumbel-Softmax distribution of the logits along `dim`; see `torch.nn.functional.gumbel_softmax`.
 *
 * @example
 * import { nn, zeros } from 'aiforge';
 * nn.functional.gumbelSoftmax(zeros([2, 5]), { hard: true }).sum().item(); // 2
 */
export function gumbelSoftmax(
  logits: Tensor,
  ...rest: Rest<GumbelSoftmaxOptions, ['tau', 'hard', 'eps', 'dim']>
): Tensor {
  const defaults = { tau: 1, hard: false, eps: 1e-10, dim: -1 };
  const { tau, hard, eps, dim } = named<GumbelSoftmaxOptions>('gumbelSoftmax', rest, defaults);
  if (typeof eps !== 'number') throw invalid('gumbelSoftmax', `eps must be a number, got ${show(eps)}`);
  if (eps !== 1e-10) warnOnce('gumbelSoftmax: eps is deprecated and has no effect.');
  const gumbels = emptyLike(logits, { memoryFormat: 'contiguous_format' }).exponential_().log().neg();
  const soft = operators.softmax(logits.add(gumbels).div(tau), dim, null);
  if (!hard) return soft;
  const index = maxDim(soft, dim, true)[1];
  const oneHot = zerosLike(logits, { memoryFormat: 'contiguous_format' }).scatter_(dim, index, 1);
  return oneHot.sub(soft.detach()).add(soft);
}
