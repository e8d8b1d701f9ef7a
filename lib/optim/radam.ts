import { boolean, number, tuple, type Kinds } from '../kinds.js';
import type { Handles } from '../native.js';
import { pow, rsub, where } from '../tensor/generated/functions.js';
import { handleOf, handlesOf, wrapHandle, type Tensor } from '../tensor/tensor.js';
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
import { minus, multiplyBy_, over, times, valueOf, withoutDimensions, type Scalar } from './scalars.js';
import { scalarKind, takesParameters, type OptimizerSignature } from './optimizerSignature.js';

export interface RAdamOptions extends CommonOptions, CapturableOptions {
  /** The learning rate. Default: 0.001. */
  lr: Scalar;
  /** How slowly the averages of gradients and of their squares change. Default: [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Added to the denominator. Default: 1e-8. */
  eps: number;
  /** How much of the parameter is added to its gradient. Default: 0. */
  weightDecay: number;
  /** Decays the weights themselves and not through the gradients. Default: false. */
  decoupledWeightDecay: boolean;
}

const radamOptions: Kinds<RAdamOptions> = {
  lr: scalarKind,
  betas: tuple(number, number),
  eps: number,
  weightDecay: number,
  decoupledWeightDecay: boolean,
  ...commonOptions,
  ...capturableOptions,
};

const defaults: RAdamOptions = {
  lr: 1e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  maximize: false,
  foreach: null,
  capturable: false,
  decoupledWeightDecay: false,
  differentiable: false,
};

const takes = takesParameters(radamOptions);

/**
 * Adam that waits until enough gradients were seen to trust the average of their squares:
 *
 *     g = gradient + weightDecay * p
 *     m = beta1 * m + (1 - beta1) * g
 *     v = beta2 * v + (1 - beta2) * g²
 *     rho = 2 / (1 - beta2) - 1, rho(t) = rho - 2 t beta2^t / (1 - beta2^t)
 *     r = sqrt((rho(t) - 4) (rho(t) - 2) rho / ((rho - 4) (rho - 2) rho(t)))
 *     p = p - lr * m / (1 - beta1^t) * r * sqrt(1 - beta2^t) / (sqrt(v) + eps) where rho(t) > 5,
 *     p = p - lr * m / (1 - beta1^t) before
 *
 * As `torch.optim.RAdam`, bit by bit. After "On the Variance of the Adaptive Learning Rate and Beyond" (Liu et al., 2019).
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * new optim.RAdam(new nn.Linear(3, 1).parameters(), { lr: 0.01 });
 */
export class RAdam extends Optimizer<RAdamOptions> {
  protected override readonly floats = ['betas'];

  constructor(params: Parameters | Iterable<ParameterGroupOptions<RAdamOptions>>, options: Partial<RAdamOptions> = {}) {
    takes.own.check(new.target.name, arguments);
    super(params, withDefaults(defaults, options));
  }

  protected override signatures(): OptimizerSignature {
    return takes;
  }

  protected override checkOptions(options: RAdamOptions): void {
    checkAdamOptions(options);
  }

  protected override initialState(group: ParameterGroup<RAdamOptions>, parameter: Tensor): ParameterState {
    return countedState(group, parameter, 'exp_avg', 'exp_avg_sq');
  }

  protected override update(group: ParameterGroup<RAdamOptions>, bucket: Bucket): void {
    checkCapturable(group, bucket);
    refuseRecordedLists(group);
    const { betas, weightDecay, decoupledWeightDecay, maximize, capturable } = group;
    const [beta1, beta2] = betas;
    const isOnLists = usesLists(group, bucket);
    bucket.addStep();
    if (decoupledWeightDecay && weightDecay !== 0) {
      const share = minus(1, times(withoutDimensions(group.lr), weightDecay));
      bucket.scale_(bucket.real(bucket.handles), share, isOnLists);
    }
    const { params, gradients } = bucket.prepare(maximize, decoupledWeightDecay ? 0 : weightDecay, true);
    const [averages, squares] = [bucket.realState('exp_avg'), bucket.realState('exp_avg_sq')];
    ops.lerp_(averages, gradients, 1 - beta1);
    bucket.scale_(squares, beta2, isOnLists);
    ops.addcmul_(squares, gradients, gradients, 1 - beta2);

    if (capturable) {
      if (isOnLists) stepOnTensorLists(group, bucket, params);
      else stepOnTensors(group, bucket);
      return;
    }
    const step = bucket.value('step');
    const power2 = ops.pow(beta2, step);
    const rates: Rates = {
      correction1: 1 - ops.pow(beta1, step),
      root2: ops.pow(1 - power2, 0.5),
      rectification: rectificationOf(beta2, step, power2),
    };
    if (isOnLists) stepOnLists(group, params, averages, squares, rates);
    else stepOneByOne(group, params, averages, squares, rates);
  }
}

interface Rates {
  correction1: number;
  root2: number;
  /** Null while the squares are too few to trust. */
  rectification: number | null;
}

function rectificationOf(beta2: number, step: number, power2: number): number | null {
  const most = greatestLength(beta2);
  const length = most - (2 * step * power2) / (1 - power2);
  if (!(length > 5)) return null;
  return ops.pow(((length - 4) * (length - 2) * most) / ((most - 4) * (most - 2) * length), 0.5);
}

function stepOneByOne(
  { lr, eps, differentiable }: RAdamOptions,
  params: Handles,
  averages: Handles,
  squares: Handles,
  { correction1, root2, rectification }: Rates,
): void {
  const corrected = ops.divide(averages, correction1);
  let updates =
    typeof lr === 'number'
      ? ops.multiply(corrected, lr)
      : ops.multiplyTensor(corrected, handleOf(lr.ndim === 0 ? lr : lr.squeeze()));
  if (rectification !== null) {
    const factors = ops.plusScalar(ops.sqrt(squares), eps, differentiable);
    ops.reciprocal_(factors);
    ops.multiplyList_(updates, ops.multiply(factors, root2));
    updates = ops.multiply(updates, rectification);
  }
  ops.addList_(params, updates, -1);
}

function stepOnLists(
  group: RAdamOptions,
  params: Handles,
  averages: Handles,
  squares: Handles,
  { correction1, root2, rectification }: Rates,
): void {
  const lr = withoutDimensions(group.lr);
  const [rectified, plain] = rectification === null ? [0, 1] : [rectification, 0];
  const factors = ops.sqrt(squares);
  ops.addScalar_(factors, group.eps);
  ops.divideOnLists_(factors, valueOf(times(times(over(times(lr, rectified), correction1), root2), -1)));
  ops.reciprocal_(factors);
  ops.addScalar_(factors, valueOf(times(over(times(lr, plain), correction1), -1)));
  ops.addcmul_(params, averages, factors, 1);
}

/** The greatest length of the average of squares. */
const greatestLength = (beta2: number): number => 2 / (1 - beta2) - 1;

// One by one for graphs: whether the squares are enough is chosen by a tensor, and both ways are computed.
function stepOnTensors({ betas, eps, differentiable, ...group }: RAdamOptions, bucket: Bucket): void {
  const [beta1, beta2] = betas;
  const lr = withoutDimensions(group.lr);
  const most = greatestLength(beta2);
  bucket.parameters.forEach((_, i) => {
    const step = bucket.tensor('step', i);
    const [power2, corrected] = [pow(beta2, step), rsub(pow(beta2, step), 1)];
    const average = bucket.realTensor('exp_avg', i).div(rsub(pow(beta1, step), 1));
    const length = rsub(step.mul(2).mul(power2).div(corrected), most);
    const rectification = length
      .sub(4)
      .mul(length.sub(2))
      .mul(most)
      .div(length.mul((most - 4) * (most - 2)))
      .pow(0.5);
    const root = bucket.realTensor('exp_avg_sq', i).sqrt();
    const rate = corrected.pow(0.5).div(differentiable ? root.add(eps) : root.add_(eps));
    const update = where(length.gt(5), rectification.mul(rate), 1);
    bucket.realParameter(i).add_(average.mul(lr as number).mul(update), { alpha: -1 });
  });
}

function stepOnTensorLists({ betas, eps, ...group }: RAdamOptions, bucket: Bucket, params: Handles): void {
  const [beta1, beta2] = betas;
  const lr = withoutDimensions(group.lr);
  const steps = bucket.state('step');
  const rectifications = rectificationsOf(beta2, steps);
  const plain = handlesOf(rectifications.map((rectification) => rectification.gt(0).logicalNot().to('float32')));
  const corrections1 = rests(beta1, steps);
  multiplyBy_(plain, lr);
  ops.divideList_(plain, corrections1);
  ops.negate_(plain);
  const rectified = rests(beta2, steps);
  ops.sqrt_(rectified);
  multiplyBy_(rectified, lr);
  ops.multiplyList_(rectified, handlesOf(rectifications));
  ops.negate_(rectified);
  ops.divideList_(rectified, corrections1);

  const factors = ops.sqrt(bucket.realState('exp_avg_sq'));
  ops.addScalar_(factors, eps);
  ops.divideList_(factors, rectified);
  ops.reciprocal_(factors);
  ops.addList_(factors, plain, 1);
  ops.addcmul_(params, bucket.realState('exp_avg'), factors, 1);
}

/** 1 - beta^t of each step. */
function rests(beta: number, steps: Handles): Handles {
  const powers = ops.powers(beta, steps);
  ops.negate_(powers);
  ops.addScalar_(powers, 1);
  return powers;
}

// Zeros while the squares are too few to trust.
function rectificationsOf(beta2: number, steps: Handles): Tensor[] {
  const most = greatestLength(beta2);
  const lengths = ops.powers(beta2, steps);
  ops.multiplyList_(lengths, steps);
  ops.multiply_(lengths, 2);
  ops.divideList_(lengths, rests(beta2, steps));
  ops.negate_(lengths);
  ops.addScalar_(lengths, most);
  const numerators = ops.subtractScalar(lengths, 4);
  ops.multiplyList_(numerators, ops.subtractScalar(lengths, 2));
  ops.multiply_(numerators, most);
  ops.divideList_(numerators, ops.multiply(lengths, (most - 4) * (most - 2)));
  ops.sqrt_(numerators);
  // There is no operator on lists that chooses.
  return Array.from(numerators, (root, i) => where(wrapHandle(lengths[i]!).gt(5), wrapHandle(root), 0));
}
