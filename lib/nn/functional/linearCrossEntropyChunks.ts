import { AiforgeError } from '../../errors.js';
import { AutogradFunction, type FunctionContext } from '../../autograd/function.js';
import { isGradEnabled } from '../../autograd/modes.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Reduction } from '../operators.js';
import { accumulate, sampleLosses, type ChunkedLoss, type Gradients } from './linearCrossEntropyLoop.js';
import type { LinearCrossEntropyOptions } from './linearCrossEntropyOptions.js';

interface Computed extends FunctionContext {
  keepGradients: boolean;
  spent: boolean;
}

/** `'mean'` and `'sum'`: forward computes the gradients too, and backward only scales them. */
class ChunkedScalarLoss extends AutogradFunction {
  static forward(
    ctx: Computed,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | null,
    call: ChunkedLoss,
    wanted: readonly boolean[],
  ): Tensor {
    const {
      loss,
      input: ofInput,
      weight: ofWeight,
      bias: ofBias,
    } = accumulate({ ...call, input, weight, bias }, wanted);
    ctx.saveForBackward(ofInput, ofWeight, ofBias);
    ctx.keepGradients = call.plan.allowRetainGraph;
    ctx.spent = false;
    return loss;
  }

  static backward(ctx: Computed, upstream: Tensor): (Tensor | null)[] {
    if (ctx.spent) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        'linearCrossEntropy: backward ran already and used up the gradients; for more, set allowRetainGraph in its options.',
      );
    }
    ctx.spent = !ctx.keepGradients;
    const gradients: readonly (Tensor | null)[] = ctx.savedTensors;
    const scaled = gradients.map(
      (gradient) => (ctx.spent ? gradient?.mul_(upstream) : gradient?.mul(upstream)) ?? null,
    );
    return [...scaled, null, null];
  }
}

interface Recomputed extends FunctionContext {
  call: Omit<ChunkedLoss, keyof Gradients>;
}

/** `'none'`: the gradients depend on each row's upstream gradient, so backward computes the logits again. */
class ChunkedSampleLosses extends AutogradFunction {
  static forward(ctx: Recomputed, input: Tensor, weight: Tensor, bias: Tensor | null, call: ChunkedLoss): Tensor {
    ctx.saveForBackward(input.detach(), weight.detach(), bias?.detach() ?? null);
    ctx.call = call;
    return sampleLosses({ ...call, input, weight, bias });
  }

  static backward(ctx: Recomputed, upstream: Tensor): (Tensor | null)[] {
    const [input, weight, bias = null] = ctx.savedTensors as [Tensor, Tensor, Tensor | null];
    const call = { ...ctx.call, input, weight, bias, upstream };
    const { input: ofInput, weight: ofWeight, bias: ofBias } = accumulate(call, ctx.needsInputGrad);
    return [ofInput, ofWeight, ofBias, null];
  }
}

export interface ChunkedOptions {
  readonly weight: Tensor | null;
  readonly reduction: Reduction;
  readonly ignoreIndex: number;
}

/** The cross entropy of `linear(input, weight, bias)` with a chunk of the batch at a time; an int64 target of classes. */
export function chunkedLinearCrossEntropy(
  input: Tensor,
  weight: Tensor,
  target: Tensor,
  bias: Tensor | null,
  { weight: classWeight, reduction, ignoreIndex }: ChunkedOptions,
  options: LinearCrossEntropyOptions,
): Tensor {
  const batched = input.dim() === 2;
  const [rows, targets] = batched ? [input, target] : [input.unsqueeze(0), target.unsqueeze(0)];
  const plan = options.planFor({
    batch: rows.size(0),
    features: rows.size(1),
    classes: weight.size(0),
    dtype: input.dtype,
    onCpu: String(input.device) === 'cpu',
  });
  const call = {
    input: rows,
    weight,
    bias,
    target: targets,
    classWeight,
    reduction,
    ignoreIndex,
    plan,
    upstream: null,
  };
  if (reduction === 'none') {
    const losses = ChunkedSampleLosses.apply(rows, weight, bias, call);
    return batched ? losses : losses.squeeze(0);
  }
  const wanted = [rows, weight, bias].map((tensor) => tensor !== null && tensor.requiresGrad && isGradEnabled());
  return ChunkedScalarLoss.apply(rows, weight, bias, call, wanted);
}
