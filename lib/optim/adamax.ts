import { number, tuple, type Kinds } from '../kinds.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Bucket, ParameterState } from './bucket.js';
import { countedState } from './countedState.js';
import * as ops from './operators.js';
import { Optimizer, type ParameterGroup, type ParameterGroupOptions, type Parameters } from './optimizer.js';
import {
  checkAdamOptions,
  refuseCapturable,
  refuseRecordedLists,
  usesLists,
  withDefaults,
  capturableOptions,
  commonOptions,
  type CapturableOptions,
  type CommonOptions,
} from './options.js';
import { over, valueOf, withoutDimensions, type Scalar } from './scalars.js';
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

  protected override initialState(_: ParameterGroup<AdamaxOptions>, parameter: Tensor): ParameterState {
    return countedState(parameter, 'exp_avg', 'exp_inf');
  }

  protected override update(group: ParameterGroup<AdamaxOptions>, bucket: Bucket): void {
    refuseCapturable(group);
    refuseRecordedLists(group);
    const { betas, eps, weightDecay, maximize } = group;
    const [beta1, beta2] = betas;
    const isOnLists = usesLists(group, bucket);
    const step = bucket.countStep();
    const { params, gradients } = bucket.prepare(maximize, weightDecay, isOnLists);
    const [averages, greatest] = [bucket.realState('exp_avg'), bucket.realState('exp_inf')];
    ops.lerp_(averages, gradients, 1 - beta1);
    bucket.scale_(greatest, beta2, isOnLists);
    const sizes = ops.absolute(gradients);
    ops.addScalar_(sizes, eps);
    ops.maximum_(greatest, sizes);
    // On lists PyTorch takes a tensor's number first.
    const lr = isOnLists ? valueOf(group.lr) : withoutDimensions(group.lr);
    ops.addcdiv_(params, averages, greatest, -valueOf(over(lr, 1 - ops.pow(beta1, step))));
  }
}
