import { AutogradFunction, type FunctionContext } from '../../autograd/function.js';
import {
  batchNormElemt,
  batchNormGatherStatsWithCounts,
  batchNormStats,
  cat,
  emptyLike,
  full,
  stack,
  zeros,
} from '../../tensor/generated/functions.js';
import { aten } from '../../tensor/calls/aten.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { SyncGroup } from '../syncGroup.js';

const batchNormBackwardElemt = aten('batch_norm_backward_elemt');
const batchNormBackwardReduce = aten<[Tensor, Tensor, Tensor, Tensor]>('batch_norm_backward_reduce');

type Context = FunctionContext<{ group: SyncGroup }>;

/** A tensor in one of the orders in memory that the operators know: that of its dimensions, or with the channels last. */
function ordered(tensor: Tensor): Tensor {
  const dims = tensor.dim();
  const hasChannelsLast = (dims === 4 || dims === 5) && tensor.movedim(1, -1).isContiguous();
  return hasChannelsLast ? tensor : tensor.contiguous();
}

/** The mean, the inverse of the deviation and the number of values of this rank's batch: [2 * channels + 1]. */
function ownStatistics(input: Tensor, channels: number, eps: number): Tensor {
  // A rank without values takes part all the same, since the others wait for it.
  if (input.numel() === 0) return zeros([2 * channels + 1], { dtype: input.dtype, device: input.device });
  const [mean, invstd] = batchNormStats(input, eps);
  const count = full([1], input.numel() / channels, { dtype: mean.dtype, device: mean.device });
  return cat([mean, invstd, count], 0);
}

/** Batch normalization with the statistics of all ranks; their gradients travel in `backward`. */
export class BatchNormOverRanks extends AutogradFunction {
  static forward(
    context: Context,
    given: Tensor,
    weight: Tensor | null,
    bias: Tensor | null,
    runningMean: Tensor | null,
    runningVar: Tensor | null,
    eps: number,
    momentum: number,
    group: SyncGroup,
  ): Tensor {
    const input = ordered(given);
    const scale = weight?.contiguous() ?? null;
    const channels = input.size(1);
    const statistics = stack(group.allGatherSync(ownStatistics(input, channels, eps)), 0);
    const [means, invstds, counts] = statistics.split(channels, 1) as [Tensor, Tensor, Tensor];
    const hasValues = counts.squeeze(-1).ge(1);
    const [meansOf, invstdsOf, countsOf] = [means, invstds, counts].map((each) => each.at(hasValues)) as Triple;
    const [mean, invstd] = batchNormGatherStatsWithCounts(
      input,
      meansOf,
      invstdsOf,
      runningMean,
      runningVar,
      momentum,
      eps,
      countsOf.view([-1]).to(runningMean?.dtype ?? countsOf.dtype),
    );
    context.group = group;
    context.saveForBackward(input, scale, mean, invstd, countsOf.to('int32'));
    return input.numel() === 0 ? emptyLike(input) : batchNormElemt(input, scale, bias, mean, invstd, eps);
  }

  static backward(context: Context, given: Tensor): (Tensor | null)[] {
    const [input, weight, mean, invstd, counts] = context.savedTensors as Saved;
    const [needsInput, needsWeight, needsBias] = context.needsInputGrad as [boolean, boolean, boolean];
    const rest = [null, null, null, null, null];
    if (input.numel() === 0) {
      const nothing = zeros([2 * input.size(1)], { dtype: input.dtype, device: input.device });
      if (needsInput) context.group.allReduceSync(nothing);
      return [null, null, null, ...rest];
    }
    const gradient = ordered(given);
    const wanted = [needsInput, needsWeight, needsBias] as const;
    const sums = batchNormBackwardReduce(gradient, input, mean, invstd, weight, ...wanted);
    const [sumDy, sumDyXmu, forWeight, forBias] = sums;
    let forInput: Tensor | null = null;
    if (needsInput) {
      const combined = cat([sumDy, sumDyXmu], 0);
      context.group.allReduceSync(combined);
      const [dy, dyXmu] = combined.split(sumDy.size(0)) as [Tensor, Tensor];
      const scale = weight?.to(mean.dtype) ?? null;
      forInput = batchNormBackwardElemt(gradient, input, mean, invstd, scale, dy, dyXmu, counts);
    }
    // The gradients of weight and bias stay those of this rank: distributed training adds them up itself.
    const learns = weight !== null;
    return [forInput, learns && needsWeight ? forWeight : null, learns && needsBias ? forBias : null, ...rest];
  }
}

type Triple = [Tensor, Tensor, Tensor];
type Saved = [input: Tensor, weight: Tensor | null, mean: Tensor, invstd: Tensor, counts: Tensor];
