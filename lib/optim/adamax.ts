import { number, tuple, type Kinds } from '../kinds.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Bucket, ParameterState } from './bucket.js';
import { countedState } from './countedState.js';
import { checkCapturable } from './capturable.js';
import * as ops from './operators.js';
import { Optimizer, type ParameterGroup, type ParameterGroupOptions, type Parameters } from './optimizer.js';
import {
  checkAdamOptions,
  refuseRecordedLists,
  usesLists,
  withDefaults,
  capturableOptions,
  commonOptions,
  type CapturableOptions,
  type CommonOptions,
} from './options.js';
import { divideBy_, minus, over, power, valueOf, withoutDimensions, type Scalar } from './scalars.js';
import { scalarKind, takesParameters, type OptimizerSignature } from './optimizerSignature.js';

export interface AdamaxOptions extends CommonOptions, CapturableOptions {
  /** The learning rate. Default: 0.002. */
  lr: Scalar;
  /** How slowly the average of gradients and their greatest size change. Default: [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Added to the gradient's size. Default: 1e-8. */
  eps: number;
  /** How much of the parameter is added to its gradient. Default: 0. */
  weightDecay: number;
}

const adamaxOptions: Kinds<AdamaxOptions> = {
  lr: scalarKind,
  betas: tuple(number, number),
  eps: number,
  weightDecay: number,
  ...commonOptions,
  ...capturableOptions,
};

const defaults: AdamaxOptions = {
  lr: 2e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  foreach: null,
  maximize: false,
  differentiable: false,
  capturable: false,
};

const takes = takesParameters(adamaxOptions);

/**
 * Adam with the greatest size of the gradients in the place of the average of their squares:
 *
 *     g = gradient + weightDecay * p
 *     m = beta1 * m + (1 - beta1) * g
 *     u = max(beta2 * u, |g| + eps)
 *     p = p - lr / (1 - beta1^t) * m / u
 *
 * As `torch.optim.Adamax`, bit by bit. After "Adam: A Method for Stochastic Optimization" (Kingma, Ba, 2014).
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * new optim.Adamax(new nn.Linear(3, 1).parameters(), { lr: 0.01 });
 */
export class Adamax extends Optimizer<AdamaxOptions> {
  protected override readonly floats = ['betas'];

  constructor(
    params: Parameters | Iterable<ParameterGroupOptions<AdamaxOptions>>,
    options: Partial<AdamaxOptions> = {},
  ) {
    takes.own.check(new.target.name, arguments);
    super(params, withDefaults(defaults, options));
  }

  protected override signatures(): OptimizerSignature {
    return takes;
  }

  protected override checkOptions(options: AdamaxOptions): void {
    checkAdamOptions(options);
  }

  protected override initialState(group: ParameterGroup<AdamaxOptions>, parameter: Tensor): ParameterState {
    return countedState(group, parameter, 'exp_avg', 'exp_inf');
  }

  protected override update(group: ParameterGroup<AdamaxOptions>, bucket: Bucket): void {
    checkCapturable(group, bucket);
    refuseRecordedLists(group);
    const { betas, eps, weightDecay, maximize } = group;
    const [beta1, beta2] = betas;
    const isOnLists = usesLists(group, bucket);
    bucket.addStep();
    const { params, gradients } = bucket.prepare(maximize, weightDecay, isOnLists);
    const [averages, greatest] = [bucket.realState('exp_avg'), bucket.realState('exp_inf')];
    ops.lerp_(averages, gradients, 1 - beta1);
    bucket.scale_(greatest, beta2, isOnLists);
    const sizes = ops.absolute(gradients);
    ops.addScalar_(sizes, eps);
    ops.maximum_(greatest, sizes);
    if (group.capturable) {
      if (isOnLists) stepOnLists(group, bucket);
      else stepOneByOne(group, bucket);
      return;
    }
    const step = bucket.value('step');
    // On lists PyTorch takes a tensor's number first.
    const lr = isOnLists ? valueOf(group.lr) : withoutDimensions(group.lr);
    ops.addcdiv_(params, averages, greatest, -valueOf(over(lr, 1 - ops.pow(beta1, step))));
  }
}

// The correction as a tensor and in the denominator, for graphs.
function stepOneByOne({ betas, lr }: AdamaxOptions, bucket: Bucket): void {
  bucket.parameters.forEach((_, i) => {
    const correction = minus(power(betas[0], bucket.tensor('step', i)), 1) as Tensor;
    correction.div_(withoutDimensions(lr) as number);
    const denominator = bucket.realTensor('exp_inf', i).mul(correction);
    bucket.realParameter(i).addcdiv_(bucket.realTensor('exp_avg', i), denominator);
  });
}

function stepOnLists({ betas, lr }: AdamaxOptions, bucket: Bucket): void {
  const corrections = ops.powers(betas[0], bucket.state('step'));
  ops.subtractScalar_(corrections, 1);
  divideBy_(corrections, withoutDimensions(lr));
  const denominators = ops.multiplyList(bucket.realState('exp_inf'), corrections);
  ops.addcdiv_(bucket.real(bucket.handles), bucket.realState('exp_avg'), denominators, 1);
}
