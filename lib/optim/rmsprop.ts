import { boolean, number, type Kinds } from '../kinds.js';
import type { Handles } from '../native.js';
import { handleOf, type Tensor } from '../tensor/tensor.js';
import type { Bucket, ParameterState } from './bucket.js';
import { countedState } from './countedState.js';
import { checkCapturable } from './capturable.js';
import * as ops from './operators.js';
import { Optimizer, type ParameterGroup, type ParameterGroupOptions, type Parameters } from './optimizer.js';
import {
  checkNotNegative,
  refuseRecordedLists,
  usesLists,
  withDefaults,
  capturableOptions,
  commonOptions,
  type CapturableOptions,
  type CommonOptions,
} from './options.js';
import { valueOf, withoutDimensions, type Scalar } from './scalars.js';
import { scalarKind, takesParameters, type OptimizerSignature } from './optimizerSignature.js';

export interface RMSpropOptions extends CommonOptions, CapturableOptions {
  /** The learning rate. Default: 0.01. */
  lr: Scalar;
  /** How slowly the average of squares changes. Default: 0.99. */
  alpha: number;
  /** Added to the denominator. Default: 1e-8. */
  eps: number;
  /** How much of the parameter is added to its gradient. Default: 0. */
  weightDecay: number;
  /** How much of the last step goes into the next. Default: 0. */
  momentum: number;
  /** Divides by an estimate of the gradient's variance, not of its square. Default: false. */
  centered: boolean;
}

const rmspropOptions: Kinds<RMSpropOptions> = {
  lr: scalarKind,
  alpha: number,
  eps: number,
  weightDecay: number,
  momentum: number,
  centered: boolean,
  ...commonOptions,
  ...capturableOptions,
};

const defaults: RMSpropOptions = {
  lr: 1e-2,
  momentum: 0,
  alpha: 0.99,
  eps: 1e-8,
  centered: false,
  weightDecay: 0,
  capturable: false,
  foreach: null,
  maximize: false,
  differentiable: false,
};

const takes = takesParameters(rmspropOptions);

/**
 * Steps by the gradient over the root of an average of its squares:
 *
 *     g = gradient + weightDecay * p
 *     v = alpha * v + (1 - alpha) * g²
 *     a = alpha * a + (1 - alpha) * g, and V = v - a², where centered; else V = v
 *     b = momentum * b + g / (sqrt(V) + eps)
 *     p = p - lr * b
 *
 * As `torch.optim.RMSprop`, bit by bit. After lecture 6 of "Neural Networks for Machine Learning" (Hinton, 2012); centered
 * after "Generating Sequences With Recurrent Neural Networks" (Graves, 2013).
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * new optim.RMSprop(new nn.Linear(3, 1).parameters(), { centered: true, momentum: 0.9 });
 */
export class RMSprop extends Optimizer<RMSpropOptions> {
  constructor(
    params: Parameters | Iterable<ParameterGroupOptions<RMSpropOptions>>,
    options: Partial<RMSpropOptions> = {},
  ) {
    takes.own.check(new.target.name, arguments);
    super(params, withDefaults(defaults, options));
  }

  protected override signatures(): OptimizerSignature {
    return takes;
  }

  protected override checkOptions({ lr, alpha, eps, momentum, weightDecay }: RMSpropOptions): void {
    checkNotNegative('lr', lr);
    checkNotNegative('eps', eps);
    checkNotNegative('momentum', momentum);
    checkNotNegative('weightDecay', weightDecay);
    checkNotNegative('alpha', alpha);
  }

  protected override initialState(group: ParameterGroup<RMSpropOptions>, parameter: Tensor): ParameterState {
    const others = [...(group.momentum > 0 ? ['momentum_buffer'] : []), ...(group.centered ? ['grad_avg'] : [])];
    return countedState(group, parameter, 'square_avg', ...others);
  }

  protected override update(group: ParameterGroup<RMSpropOptions>, bucket: Bucket): void {
    checkCapturable(group, bucket);
    refuseRecordedLists(group);
    const { alpha, eps, weightDecay, momentum, centered, maximize, differentiable, capturable } = group;
    const isOnLists = usesLists(group, bucket);
    bucket.addStep();
    const { params, gradients } = bucket.prepare(maximize, weightDecay, isOnLists);
    const squares = bucket.realState('square_avg');
    bucket.scale_(squares, alpha, isOnLists);
    ops.addcmul_(squares, gradients, gradients, 1 - alpha);
    const roots = centered ? centeredRoots(squares, gradients, bucket.realState('grad_avg'), alpha) : ops.sqrt(squares);
    const denominators = ops.plusScalar(roots, eps, differentiable);
    // On lists PyTorch does not read a tensor's number where it is to be captured.
    const lr = capturable && isOnLists ? withoutDimensions(group.lr) : valueOf(group.lr);
    if (momentum > 0) {
      const buffers = bucket.realState('momentum_buffer');
      bucket.scale_(buffers, momentum, isOnLists);
      ops.addcdiv_(buffers, gradients, denominators, 1);
      descend(params, buffers, lr);
    } else {
      descendByQuotient(params, gradients, denominators, lr);
    }
  }
}

function descend(params: Handles, steps: Handles, lr: Scalar): void {
  if (typeof lr === 'number') ops.addList_(params, steps, -lr);
  else ops.addList_(params, ops.multiplyTensor(steps, handleOf(lr.neg())), 1);
}

function descendByQuotient(params: Handles, gradients: Handles, denominators: Handles, lr: Scalar): void {
  if (typeof lr === 'number') {
    ops.addcdiv_(params, gradients, denominators, -lr);
    return;
  }
  ops.divideTensor_(denominators, handleOf(lr.neg()));
  ops.addcdiv_(params, gradients, denominators, 1);
}

function centeredRoots(squares: Handles, gradients: Handles, averages: Handles, alpha: number): Handles {
  ops.lerp_(averages, gradients, 1 - alpha);
  const variances = ops.addcmul(squares, averages, averages, -1);
  ops.sqrt_(variances);
  return variances;
}
