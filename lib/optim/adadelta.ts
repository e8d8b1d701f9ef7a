import { number, type Kinds } from '../kinds.js';
import { show } from '../show.js';
import { handleOf, type Tensor } from '../tensor/tensor.js';
import type { Bucket, ParameterState } from './bucket.js';
import { countedState } from './countedState.js';
import { checkCapturable } from './capturable.js';
import * as ops from './operators.js';
import { Optimizer, type ParameterGroup, type ParameterGroupOptions, type Parameters } from './optimizer.js';
import {
  checkNotNegative,
  refuseRecordedLists,
  reject,
  usesLists,
  withDefaults,
  capturableOptions,
  commonOptions,
  type CapturableOptions,
  type CommonOptions,
} from './options.js';
import { valueOf, withoutDimensions, type Scalar } from './scalars.js';
import { scalarKind, takesParameters, type OptimizerSignature } from './optimizerSignature.js';

export interface AdadeltaOptions extends CommonOptions, CapturableOptions {
  /** Scales the steps. Default: 1. */
  lr: Scalar;
  /** How slowly the averages of squares change, from 0 to 1. Default: 0.9. */
  rho: number;
  /** Added to the averages under the square roots. Default: 1e-6. */
  eps: number;
  /** How much of the parameter is added to its gradient. Default: 0. */
  weightDecay: number;
}

const adadeltaOptions: Kinds<AdadeltaOptions> = {
  lr: scalarKind,
  rho: number,
  eps: number,
  weightDecay: number,
  ...commonOptions,
  ...capturableOptions,
};

const defaults: AdadeltaOptions = {
  lr: 1,
  rho: 0.9,
  eps: 1e-6,
  weightDecay: 0,
  maximize: false,
  capturable: false,
  foreach: null,
  differentiable: false,
};

const takes = takesParameters(adadeltaOptions);

/**
 * Steps in the units of the parameters, by averages of the squares of gradients and of steps:
 *
 *     g = gradient + weightDecay * p
 *     v = rho * v + (1 - rho) * g²
 *     d = sqrt(u + eps) / sqrt(v + eps) * g
 *     u = rho * u + (1 - rho) * d²
 *     p = p - lr * d
 *
 * As `torch.optim.Adadelta`, bit by bit. After "ADADELTA: An Adaptive Learning Rate Method" (Zeiler, 2012).
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * new optim.Adadelta(new nn.Linear(3, 1).parameters(), { rho: 0.95 });
 */
export class Adadelta extends Optimizer<AdadeltaOptions> {
  protected override readonly floats = ['lr'];

  constructor(
    params: Parameters | Iterable<ParameterGroupOptions<AdadeltaOptions>>,
    options: Partial<AdadeltaOptions> = {},
  ) {
    takes.own.check(new.target.name, arguments);
    super(params, withDefaults(defaults, options));
  }

  protected override signatures(): OptimizerSignature {
    return takes;
  }

  protected override checkOptions({ lr, rho, eps, weightDecay }: AdadeltaOptions): void {
    checkNotNegative('lr', lr);
    if (!(rho >= 0 && rho <= 1)) reject(`rho: expected a number from 0 to 1, got ${show(rho)}.`);
    checkNotNegative('eps', eps);
    checkNotNegative('weightDecay', weightDecay);
  }

  protected override initialState(group: ParameterGroup<AdadeltaOptions>, parameter: Tensor): ParameterState {
    return countedState(group, parameter, 'square_avg', 'acc_delta');
  }

  protected override update(group: ParameterGroup<AdadeltaOptions>, bucket: Bucket): void {
    checkCapturable(group, bucket);
    refuseRecordedLists(group);
    const { lr, rho, eps, weightDecay, maximize, differentiable } = group;
    const isOnLists = usesLists(group, bucket);
    bucket.addStep();
    const { params, gradients } = bucket.prepare(maximize, weightDecay, isOnLists);
    const [squares, steps] = [bucket.realState('square_avg'), bucket.realState('acc_delta')];
    bucket.scale_(squares, rho, isOnLists);
    ops.addcmul_(squares, gradients, gradients, 1 - rho);
    const roots = ops.addScalar(squares, eps);
    ops.sqrt_(roots);
    const sizes = ops.addScalar(steps, eps);
    ops.sqrt_(sizes);
    const deltas = ops.divideList(sizes, roots, differentiable);
    ops.multiplyList_(deltas, gradients);
    bucket.scale_(steps, rho, isOnLists);
    ops.addcmul_(steps, deltas, deltas, 1 - rho);
    if (group.capturable && isOnLists && typeof lr !== 'number') {
      ops.multiplyTensor_(deltas, handleOf((withoutDimensions(lr) as Tensor).neg()));
      ops.addList_(params, deltas, 1);
    }
    // One by one PyTorch adds complex numbers, which rounds otherwise.
    else if (bucket.isComplex && !isOnLists) ops.addList_(bucket.handles, ops.viewAsComplex(deltas), -valueOf(lr));
    else ops.addList_(params, deltas, -valueOf(lr));
  }
}
