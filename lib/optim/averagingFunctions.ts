import { noGrad } from '../autograd/modes.js';
import { scope } from '../tensor/memory/scope.js';
import { handlesOf, type Tensor } from '../tensor/tensor.js';
import * as ops from './operators.js';
import { fraction, optional } from '../kinds.js';
import { nothing, signature } from '../signature.js';

/** The new average of one tensor: from the present average, the model's value and the number of models averaged so far. */
export type AverageFunction = (averaged: Tensor, current: Tensor, numAveraged: Tensor | number) => Tensor;

/** Changes averages of one device and dtype in place: the averages, the model's values, the number of models so far. */
export type MultiAverageFunction = (
  averaged: readonly Tensor[],
  current: readonly Tensor[],
  numAveraged: Tensor | number,
) => void;

const decayTakes = signature({ decay: optional(fraction) });

const within = (body: () => void): void => scope(() => noGrad(body));

// `lerp` of lists has no kernel for whole numbers.
const canLerp = ([first]: readonly Tensor[]): boolean => /^(float|bfloat|complex)/.test(first?.dtype ?? 'float32');

/**
 * The exponential moving average of one tensor: `decay · average + (1 − decay) · value`, for `avgFn` of `AveragedModel`.
 * As `torch.optim.swa_utils.get_ema_avg_fn`.
 *
 * @param decay How much of the average stays, from 0 to 1. Default: 0.999.
 * @throws AiforgeError INVALID_ARGUMENT for another decay.
 * @example
 * import { optim, tensor } from 'aiforge';
 * const average = optim.swaUtils.getEmaAvgFn(0.75);
 * average(tensor([4]), tensor([8]), 1).tolist(); // [5]
 */
export function getEmaAvgFn(decay = 0.999): AverageFunction {
  decayTakes.check('getEmaAvgFn', arguments);
  return (averaged, current) => noGrad(() => averaged.mul(decay).add(current.mul(1 - decay)));
}

/**
 * The equal average of one tensor: `average + (value − average) / (n + 1)`, for `avgFn` of `AveragedModel`.
 * As `torch.optim.swa_utils.get_swa_avg_fn`.
 *
 * @example
 * import { optim, tensor } from 'aiforge';
 * const average = optim.swaUtils.getSwaAvgFn();
 * average(tensor([4]), tensor([8]), 3).tolist(); // [5]
 */
export function getSwaAvgFn(): AverageFunction {
  nothing.check('getSwaAvgFn', arguments);
  return (averaged, current, numAveraged) => noGrad(() => averaged.add(current.sub(averaged).div(next(numAveraged))));
}

const next = (count: Tensor | number): Tensor | number => (typeof count === 'number' ? count + 1 : count.add(1));

/**
 * The exponential moving average of lists of tensors, in place: `average ← average + (1 − decay) · (value − average)`, for
 * `multiAvgFn` of `AveragedModel`. As `torch.optim.swa_utils.get_ema_multi_avg_fn`.
 *
 * @param decay How much of the average stays, from 0 to 1. Default: 0.999.
 * @throws AiforgeError INVALID_ARGUMENT for another decay.
 * @example
 * import { nn, optim, randn } from 'aiforge';
 * const model = new nn.Linear(3, 1);
 * const averaged = new optim.swaUtils.AveragedModel(model, { multiAvgFn: optim.swaUtils.getEmaMultiAvgFn(0.99) });
 * averaged.updateParameters(model);
 * averaged.forward(randn([2, 3])).shape; // [2, 1]
 */
export function getEmaMultiAvgFn(decay = 0.999): MultiAverageFunction {
  decayTakes.check('getEmaMultiAvgFn', arguments);
  return (averaged, current) =>
    within(() => {
      if (canLerp(averaged)) ops.lerp_(handlesOf(averaged), handlesOf(current), 1 - decay);
      else averaged.forEach((tensor, i) => tensor.copy_(tensor.mul(decay).add(current[i]!.mul(1 - decay))));
    });
}

/**
 * The equal average of lists of tensors, in place: `average ← average + (value − average) / (n + 1)`, for `multiAvgFn` of
 * `AveragedModel`. As `torch.optim.swa_utils.get_swa_multi_avg_fn`; as there, whole numbers cannot be averaged so.
 *
 * @example
 * import { ones, optim, zeros } from 'aiforge';
 * const averages = [zeros([2]), zeros([1])];
 * optim.swaUtils.getSwaMultiAvgFn()(averages, [ones([2]), ones([1])], 3);
 * averages[0].tolist(); // [0.25, 0.25]
 */
export function getSwaMultiAvgFn(): MultiAverageFunction {
  nothing.check('getSwaMultiAvgFn', arguments);
  return (averaged, current, numAveraged) =>
    within(() => {
      const averages = handlesOf(averaged);
      const values = handlesOf(current);
      if (canLerp(averaged)) return ops.lerp_(averages, values, share(numAveraged));
      const differences = ops.addList(values, averages, -1);
      if (typeof numAveraged === 'number') return ops.addList_(averages, differences, 1 / (numAveraged + 1));
      const count = numAveraged.add(1);
      ops.addcdiv_(averages, differences, handlesOf(averaged.map(() => count)), 1);
    });
}

// A count that is a tensor gives a share of the default dtype.
const share = (count: Tensor | number): number =>
  typeof count === 'number' ? 1 / (count + 1) : count.add(1).reciprocal().item();
