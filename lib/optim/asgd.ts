import { number, type Kinds } from '../kinds.js';
import type { Handles } from '../native.js';
import { full, ones, onesLike, zeros, zerosLike } from '../tensor/generated/functions.js';
import { keep } from '../tensor/memory/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Bucket, ParameterState } from './bucket.js';
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
import { multiplyBy_, over, plus, power, times, valueOf, withoutDimensions, type Scalar } from './scalars.js';
import { scalarKind, takesParameters, type OptimizerSignature } from './optimizerSignature.js';

export interface ASGDOptions extends CommonOptions, CapturableOptions {
  /** The learning rate. Default: 0.01. */
  lr: Scalar;
  /** How much the parameters decay. Default: 1e-4. */
  lambd: number;
  /** How fast the learning rate falls. Default: 0.75. */
  alpha: number;
  /** The step at which averaging begins. Default: 1e6. */
  t0: number;
  /** How much of the parameter is added to its gradient. Default: 0. */
  weightDecay: number;
}

const asgdOptions: Kinds<ASGDOptions> = {
  lr: scalarKind,
  lambd: number,
  alpha: number,
  t0: number,
  weightDecay: number,
  ...commonOptions,
  ...capturableOptions,
};

const defaults: ASGDOptions = {
  lr: 1e-2,
  lambd: 1e-4,
  alpha: 0.75,
  t0: 1e6,
  weightDecay: 0,
  foreach: null,
  maximize: false,
  differentiable: false,
  capturable: false,
};

const takes = takesParameters(asgdOptions);

/**
 * Stochastic gradient descent that also keeps the average of the parameters, in the state as `ax`:
 *
 *     g = gradient + weightDecay * p
 *     p = (1 - lambd * eta) * p - eta * g
 *     ax = ax + mu * (p - ax)
 *     eta = lr / (1 + lambd * lr * t)^alpha, mu = 1 / max(1, t - t0)
 *
 * As `torch.optim.ASGD`, bit by bit. After "Acceleration of Stochastic Approximation by Averaging" (Polyak, Juditsky, 1992).
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * new optim.ASGD(new nn.Linear(3, 1).parameters(), { t0: 100 });
 */
export class ASGD extends Optimizer<ASGDOptions> {
  protected override readonly floats = ['t0'];
  protected override readonly counters = ['step', 'eta', 'mu'];

  constructor(params: Parameters | Iterable<ParameterGroupOptions<ASGDOptions>>, options: Partial<ASGDOptions> = {}) {
    takes.own.check(new.target.name, arguments);
    super(params, withDefaults(defaults, options));
  }

  protected override signatures(): OptimizerSignature {
    return takes;
  }

  protected override checkOptions({ lr, weightDecay }: ASGDOptions): void {
    checkNotNegative('lr', lr);
    checkNotNegative('weightDecay', weightDecay);
  }

  protected override initialState({ lr }: ParameterGroup<ASGDOptions>, parameter: Tensor): ParameterState {
    const { device } = parameter;
    return {
      step: zeros([], { dtype: 'float32', device }),
      eta: full([], valueOf(lr), { dtype: 'float32', device }),
      mu: ones([], { dtype: 'float32', device }),
      ax: keep(zerosLike(parameter)),
    };
  }

  protected override update(group: ParameterGroup<ASGDOptions>, bucket: Bucket): void {
    checkCapturable(group, bucket);
    refuseRecordedLists(group);
    const { t0, weightDecay, maximize } = group;
    const isOnLists = usesLists(group, bucket);
    bucket.addStep();
    const { params, gradients } = bucket.prepare(maximize, weightDecay, true);
    if (isOnLists) stepOnLists(group, bucket, params, gradients);
    else if (group.capturable) stepOnTensors(group, bucket, params, gradients);
    else stepOneByOne(group, bucket, params, gradients);
    if (group.capturable) {
      if (isOnLists) adaptOnLists(group, bucket);
      else adaptOneByOne(group, bucket);
      return;
    }
    const step = bucket.value('step');
    bucket.column('eta').fill_(rateAt(group, isOnLists ? bucket.tensor('step', 0) : step));
    bucket.column('mu').fill_(Math.fround(1 / Math.max(1, step - t0)));
  }
}

function stepOneByOne({ lambd }: ASGDOptions, bucket: Bucket, params: Handles, gradients: Handles): void {
  const [averages, eta, mu] = [bucket.realState('ax'), bucket.value('eta'), bucket.value('mu')];
  bucket.scale_(params, 1 - lambd * eta, false);
  ops.addList_(params, gradients, -eta);
  if (mu === 1) {
    ops.copy_(averages, params);
    return;
  }
  const differences = ops.subtractList(params, averages, 1);
  bucket.scale_(differences, mu, false);
  ops.addList_(averages, differences, 1);
}

function stepOnLists({ lambd }: ASGDOptions, bucket: Bucket, params: Handles, gradients: Handles): void {
  const averages = bucket.realState('ax');
  ops.addcmul_(params, ops.addList(gradients, params, lambd), bucket.state('eta'), -1);
  ops.addcmul_(averages, ops.subtractList(params, averages, 1), bucket.state('mu'), 1);
}

// For graphs: one by one like PyTorch, whose decay differs from that on lists.
function stepOnTensors({ lambd }: ASGDOptions, bucket: Bucket, params: Handles, gradients: Handles): void {
  const etas = bucket.state('eta');
  const shares = ops.multiply(etas, lambd);
  ops.negate_(shares);
  ops.addScalar_(shares, 1);
  ops.multiplyList_(params, shares);
  ops.addcmul_(params, gradients, etas, -1);
  const averages = bucket.realState('ax');
  const differences = ops.subtractList(params, averages, 1);
  ops.multiplyList_(differences, bucket.state('mu'));
  ops.addList_(averages, differences, 1);
}

// The rates of the next step, unread.
function adaptOneByOne({ lambd, alpha, t0, ...group }: ASGDOptions, bucket: Bucket): void {
  const lr = withoutDimensions(group.lr);
  bucket.parameters.forEach((_, i) => {
    const step = bucket.tensor('step', i);
    const growth = power(plus(1, times(times(lambd, lr), step)), alpha);
    bucket.tensor('eta', i).copy_(over(lr, growth) as Tensor);
    const averaged = step.sub(t0);
    bucket.tensor('mu', i).copy_(over(1, averaged.maximum(onesLike(step))) as Tensor);
  });
}

function adaptOnLists({ lambd, alpha, t0, ...group }: ASGDOptions, bucket: Bucket): void {
  const lr = withoutDimensions(group.lr);
  const steps = bucket.state('step');
  const mus = ops.subtractScalar(steps, t0);
  ops.atLeast_(mus, 1);
  ops.reciprocal_(mus);
  ops.copy_(bucket.state('mu'), mus);
  const etas = ops.multiply(steps, lambd);
  multiplyBy_(etas, lr);
  ops.addScalar_(etas, 1);
  ops.power_(etas, alpha);
  ops.reciprocal_(etas);
  multiplyBy_(etas, lr);
  ops.copy_(bucket.state('eta'), etas);
}

// On lists PyTorch leaves the step a tensor, and rounds as it does.
function rateAt(group: ASGDOptions, step: Scalar): number {
  const lr = withoutDimensions(group.lr);
  const rate = over(lr, power(plus(1, times(times(group.lambd, lr), step)), group.alpha));
  // A number becomes a tensor of the default dtype first.
  return typeof rate === 'number' ? Math.fround(rate) : valueOf(rate.detach());
}
