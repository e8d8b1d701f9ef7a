import { div } from '../../tensor/generated/functions.js';
import { AiforgeError } from '../../errors.js';
import { count } from '../../kinds.js';
import { show } from '../../show.js';
import { invalid } from '../../tensor/composites/named.js';
import { avgPool2d, avgPool3d, pad } from '../../tensor/generated/nn.js';
import type { Tensor } from '../../tensor/tensor.js';
import * as operators from '../operators.js';
import { named, type Rest } from './arguments.js';
import { aten } from '../../tensor/calls/aten.js';
import { checkBatch, checkBatchEps, checkGroups, checkInstances } from './normChecks.js';
import { checkInput } from '../checks.js';

export interface NormalizeOptions {
  /** The norm. Default: 2. */
  p?: number;
  /** Default: 1. */
  dim?: number | readonly number[];
  /** The least norm to divide by. Default: 1e-12. */
  eps?: number;
  /** Where the result is written. Default: a new tensor. */
  out?: Tensor | null;
}

const norm = aten('norm.ScalarOpt_dim');

/**
 * Vectors along `dim` divided by their norm; see `torch.nn.functional.normalize`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.normalize(tensor([[3, 4]]).to('float32')); // tensor([[0.6000, 0.8000]])
 */
export function normalize(input: Tensor, ...rest: Rest<NormalizeOptions, ['p', 'dim', 'eps', 'out']>): Tensor {
  const defaults = { p: 2, dim: 1, eps: 1e-12, out: null };
  const { p, dim, eps, out } = named<NormalizeOptions>('normalize', rest, defaults);
  const dims = typeof dim === 'number' ? [dim] : dim;
  const norms = norm(input, p, dims, true).clampMin(eps).expandAs(input);
  return out === null ? input.div(norms) : div(input, norms, { out });
}

export interface AffineOptions {
  weight?: Tensor | null;
  bias?: Tensor | null;
}

export interface BatchNormOptions extends AffineOptions {
  runningMean: Tensor | null;
  runningVar: Tensor | null;
  /** Whether the batch's own statistics count, and update the running ones. Default: false. */
  training?: boolean;
  /** Default: 0.1. */
  momentum?: number;
  /** Default: 1e-5. */
  eps?: number;
}

type BatchNormOrder = ['runningMean', 'runningVar', 'weight', 'bias', 'training', 'momentum', 'eps'];

/**
 * Normalises each channel of [N, C, *] over the batch and the positions; in training the running statistics, where they are
 * given, are brought up to date. See `torch.nn.functional.batch_norm`.
 *
 * @example
 * import { nn, ones, tensor, zeros } from 'aiforge';
 * const x = tensor([[0, 1], [2, 1]], { dtype: 'float32' });
 * nn.functional.batchNorm(x, zeros([2]), ones([2]), { eps: 0 }).tolist(); // [[0, 1], [2, 1]]
 */
export function batchNorm(input: Tensor, ...rest: Rest<BatchNormOptions, BatchNormOrder>): Tensor {
  const { runningMean, runningVar, weight, bias, training, momentum, eps } = named<BatchNormOptions>(
    'batchNorm',
    rest,
    {
      runningMean: undefined,
      runningVar: undefined,
      weight: null,
      bias: null,
      training: false,
      momentum: 0.1,
      eps: 1e-5,
    },
  );
  if (training) checkBatch(input.shape);
  checkBatchEps(eps, training);
  return operators.batchNorm(input, weight, bias, runningMean, runningVar, training, momentum, eps);
}

export interface InstanceNormOptions extends AffineOptions {
  runningMean?: Tensor | null;
  runningVar?: Tensor | null;
  /** Whether the instance's own statistics count rather than the running ones. Default: true. */
  useInputStats?: boolean;
  /** Default: 0.1. */
  momentum?: number;
  /** Default: 1e-5. */
  eps?: number;
}

type InstanceNormOrder = ['runningMean', 'runningVar', 'weight', 'bias', 'useInputStats', 'momentum', 'eps'];

/**
 * Normalises each channel of each sample of [N, C, *] over its positions; see `torch.nn.functional.instance_norm`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.instanceNorm(tensor([[[0, 2.5]]]), { eps: 0 }).tolist(); // [[[-1, 1]]]
 */
export function instanceNorm(input: Tensor, ...rest: Rest<InstanceNormOptions, InstanceNormOrder>): Tensor {
  checkInput('instanceNorm', input);
  const { runningMean, runningVar, weight, bias, useInputStats, momentum, eps } = named<InstanceNormOptions>(
    'instanceNorm',
    rest,
    { runningMean: null, runningVar: null, weight: null, bias: null, useInputStats: true, momentum: 0.1, eps: 1e-5 },
  );
  if (useInputStats) checkInstances(input.shape);
  return operators.instanceNorm(input, weight, bias, runningMean, runningVar, useInputStats, momentum, eps);
}

export interface GroupNormOptions extends AffineOptions {
  numGroups: number;
  /** Default: 1e-5. */
  eps?: number;
}

/**
 * Normalises `numGroups` groups of the channels of each sample of [N, C, *]; see `torch.nn.functional.group_norm`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * nn.functional.groupNorm(randn([2, 6, 4]), 3).shape; // [2, 6, 4]
 */
export function groupNorm(
  input: Tensor,
  ...rest: Rest<GroupNormOptions, ['numGroups', 'weight', 'bias', 'eps']>
): Tensor {
  checkInput('groupNorm', input);
  const defaults = { numGroups: undefined, weight: null, bias: null, eps: 1e-5 };
  const { numGroups, weight, bias, eps } = named<GroupNormOptions>('groupNorm', rest, defaults);
  checkGroups(input.shape, numGroups);
  return operators.groupNorm(input, numGroups, weight, bias, eps);
}

export interface RmsNormOptions {
  normalizedShape: readonly number[];
  weight?: Tensor | null;
  /** Default: the smallest step of the dtype. */
  eps?: number | null;
}

/**
 * Divides by the root of the mean square over the last dimensions, whose sizes are `normalizedShape`; see
 * `torch.nn.functional.rms_norm`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.rmsNorm(tensor([2.5, 2.5]), [2], null, 0).tolist(); // [1, 1]
 */
export function rmsNorm(input: Tensor, ...rest: Rest<RmsNormOptions, ['normalizedShape', 'weight', 'eps']>): Tensor {
  const defaults = { normalizedShape: undefined, weight: null, eps: null };
  const { normalizedShape, weight, eps } = named<RmsNormOptions>('rmsNorm', rest, defaults);
  return operators.rmsNorm(input, normalizedShape, weight, eps);
}

export interface LocalResponseNormOptions {
  /** How many neighbouring channels count. */
  size: number;
  /** Default: 1e-4. */
  alpha?: number;
  /** Default: 0.75. */
  beta?: number;
  /** Default: 1. */
  k?: number;
}

/**
 * Divides by the strength of the `size` neighbouring channels of [N, C, *]; see `torch.nn.functional.local_response_norm`.
 *
 * @example
 * import { nn, randn } from 'aiforge';
 * nn.functional.localResponseNorm(randn([2, 5, 4]), 3).shape; // [2, 5, 4]
 */
export function localResponseNorm(
  input: Tensor,
  ...rest: Rest<LocalResponseNormOptions, ['size', 'alpha', 'beta', 'k']>
): Tensor {
  checkInput('localResponseNorm', input);
  const defaults = { size: undefined, alpha: 1e-4, beta: 0.75, k: 1 };
  const { size, alpha, beta, k } = named<LocalResponseNormOptions>('localResponseNorm', rest, defaults);
  if (!count.accepts(size)) throw invalid('localResponseNorm', `size must be ${count.expected}, got ${show(size)}`);
  const shape = input.shape;
  if (shape.length < 3) {
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `localResponseNorm: the input needs at least 3 dimensions, got [${shape.join(', ')}].`,
    );
  }
  if (input.numel() === 0) return input;
  const squares = input.mul(input);
  const around = [Math.trunc(size / 2), Math.trunc((size - 1) / 2)];
  const means =
    shape.length === 3
      ? avgPool2d(pad(squares.unsqueeze(1), [0, 0, ...around]), [size, 1], [1]).squeeze(1)
      : avgPool3d(
          pad(squares.view([shape[0]!, 1, shape[1]!, shape[2]!, -1]), [0, 0, 0, 0, ...around]),
          [size, 1, 1],
          [1],
        )
          .squeeze(1)
          .view(shape);
  return input.div(means.mul(alpha).add(k).pow(beta));
}
