import { boolean, number, tuple, type Kinds } from '../kinds.js';
import type { Handles } from '../native.js';
import { ones, zeros, zerosLike } from '../tensor/generated/functions.js';
import { keep } from '../tensor/memory/scope.js';
import { wrapHandle, type Tensor } from '../tensor/tensor.js';
import type { Bucket, ParameterState } from './bucket.js';
import { checkCapturable } from './capturable.js';
import { counterDevice } from './countedState.js';
import * as ops from './operators.js';
import { Optimizer, type ParameterGroup, type ParameterGroupOptions, type Parameters } from './optimizer.js';
import {
  checkAdamOptions,
  checkNotNegative,
  refuseRecordedLists,
  usesLists,
  withDefaults,
  capturableOptions,
  commonOptions,
  type CapturableOptions,
  type CommonOptions,
} from './options.js';
import { minus, multiplyBy_, over, plus, power, times, valueOf, withoutDimensions, type Scalar } from './scalars.js';
import { scalarKind, takesParameters, type OptimizerSignature } from './optimizerSignature.js';

export interface NAdamOptions extends CommonOptions, CapturableOptions {
  /** The learning rate. Default: 0.002. */
  lr: Scalar;
  /** How slowly the averages of gradients and of their squares change. Default: [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Added to the denominator. Default: 1e-8. */
  eps: number;
  /** How much of the parameter is added to its gradient. Default: 0. */
  weightDecay: number;
  /** How fast the momentum grows to beta1. Default: 0.004. */
  momentumDecay: number;
  /** Decays the weights themselves and not through the gradients. Default: false. */
  decoupledWeightDecay: boolean;
}

const nadamOptions: Kinds<NAdamOptions> = {
  lr: scalarKind,
  betas: tuple(number, number),
  eps: number,
  weightDecay: number,
  momentumDecay: number,
  decoupledWeightDecay: boolean,
  ...commonOptions,
  ...capturableOptions,
};

const defaults: NAdamOptions = {
  lr: 2e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  momentumDecay: 4e-3,
  decoupledWeightDecay: false,
  maximize: false,
  foreach: null,
  capturable: false,
  differentiable: false,
};

const takes = takesParameters(nadamOptions);

/**
 * Adam with Nesterov's momentum, which looks a step ahead:
 *
 *     g = gradient + weightDecay * p
 *     mu(t) = beta1 * (1 - 0.96^(t * momentumDecay) / 2)
 *     m = beta1 * m + (1 - beta1) * g
 *     v = beta2 * v + (1 - beta2) * g²
 *     M = mu(t+1) * m / (1 - mu(1) … mu(t+1)) + (1 - mu(t)) * g / (1 - mu(1) … mu(t))
 *     p = p - lr * M / (sqrt(v / (1 - beta2^t)) + eps)
 *
 * As `torch.optim.NAdam`, bit by bit. After "Incorporating Nesterov Momentum into Adam" (Dozat, 2016).
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * new optim.NAdam(new nn.Linear(3, 1).parameters(), { weightDecay: 0.01, decoupledWeightDecay: true });
 */
export class NAdam extends Optimizer<NAdamOptions> {
  protected override readonly floats = ['betas'];
  protected override readonly counters = ['step', 'mu_product'];

  constructor(params: Parameters | Iterable<ParameterGroupOptions<NAdamOptions>>, options: Partial<NAdamOptions> = {}) {
    takes.own.check(new.target.name, arguments);
    super(params, withDefaults(defaults, options));
  }

  protected override signatures(): OptimizerSignature {
    return takes;
  }

  protected override checkOptions(options: NAdamOptions): void {
    checkAdamOptions(options);
    checkNotNegative('momentumDecay', options.momentumDecay);
  }

  protected override initialState(group: ParameterGroup<NAdamOptions>, parameter: Tensor): ParameterState {
    const device = counterDevice(group, parameter);
    return {
      step: zeros([], { dtype: 'float32', device }),
      mu_product: ones([], { dtype: 'float32', device }),
      exp_avg: keep(zerosLike(parameter)),
      exp_avg_sq: keep(zerosLike(parameter)),
    };
  }

  protected override update(group: ParameterGroup<NAdamOptions>, bucket: Bucket): void {
    checkCapturable(group, bucket);
    refuseRecordedLists(group);
    const { betas, weightDecay, decoupledWeightDecay, maximize, capturable, differentiable } = group;
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
    if (!capturable && !differentiable) stepByNumbers(group, bucket, params, gradients, isOnLists);
    else if (isOnLists) stepOnLists(group, bucket, params, gradients);
    else stepOneByOne(group, bucket, gradients);
  }
}

/** How much of the average the step `t` takes. */
const momentumAt = ({ betas, momentumDecay }: NAdamOptions, t: Scalar): Scalar =>
  times(betas[0], minus(1, times(0.5, power(0.96, times(t, momentumDecay)))));

function stepByNumbers(
  group: NAdamOptions,
  bucket: Bucket,
  params: Handles,
  gradients: Handles,
  isOnLists: boolean,
): void {
  const step = bucket.value('step');
  const [mu, muNext] = [momentumAt(group, step) as number, momentumAt(group, step + 1) as number];
  bucket.scaleColumn('mu_product', mu, isOnLists);
  const [averages, squares] = [bucket.realState('exp_avg'), bucket.realState('exp_avg_sq')];
  const denominators = denominatorsOf(squares, 1 - ops.pow(group.betas[1], step), isOnLists);
  ops.addScalar_(denominators, group.eps);
  const product = bucket.value('mu_product');
  const descent = times(isOnLists ? valueOf(group.lr) : withoutDimensions(group.lr), -1);
  ops.addcdiv_(params, gradients, denominators, valueOf(over(times(descent, 1 - mu), 1 - product)));
  ops.addcdiv_(params, averages, denominators, valueOf(over(times(descent, muNext), 1 - product * muNext)));
}

// The square root and the division in the order of PyTorch's two implementations.
function denominatorsOf(squares: Handles, correction: number, isOnLists: boolean): Handles {
  if (!isOnLists) return ops.sqrt(ops.divide(squares, correction));
  const roots = ops.sqrt(squares);
  ops.divideOnLists_(roots, ops.pow(correction, 0.5));
  return roots;
}

// For graphs or recorded: the factors are tensors, and round as tensors do. Only a graph needs the step itself unread.
function stepOneByOne(group: NAdamOptions, bucket: Bucket, gradients: Handles): void {
  const { betas, eps, capturable } = group;
  const descent = times(withoutDimensions(group.lr), -1);
  bucket.parameters.forEach((_, i) => {
    const step = capturable ? bucket.tensor('step', i) : bucket.value('step');
    const [mu, muNext] = [momentumAt(group, step), momentumAt(group, plus(step, 1))];
    const product = bucket.tensor('mu_product', i).mul_(mu as number);
    const correction = minus(1, power(betas[1], step));
    const denominator = bucket
      .realTensor('exp_avg_sq', i)
      .div(correction as number)
      .sqrt()
      .add(eps);
    const gradientShare = over(times(descent, minus(1, mu)), minus(1, product)) as Tensor;
    const averageShare = over(times(descent, muNext), minus(1, times(product, muNext))) as Tensor;
    const average = bucket.realTensor('exp_avg', i).mul(averageShare);
    const parameter = bucket.realParameter(i);
    parameter.addcdiv_(wrapHandle(gradients[i]!).mul(gradientShare), denominator);
    parameter.addcdiv_(average, denominator);
  });
}

function stepOnLists(group: NAdamOptions, bucket: Bucket, params: Handles, gradients: Handles): void {
  const lr = withoutDimensions(group.lr);
  const [steps, products] = [bucket.state('step'), bucket.state('mu_product')];
  const exponents = ops.multiply(steps, group.momentumDecay);
  const mus = momentaAt(group, exponents);
  ops.addScalar_(exponents, group.momentumDecay);
  const nextMus = momentaAt(group, exponents);
  const roots2 = ops.powers(group.betas[1], steps);
  ops.subtractScalar_(roots2, 1);
  ops.negate_(roots2);
  ops.sqrt_(roots2);
  ops.multiplyList_(products, mus);
  const denominators = ops.sqrt(bucket.realState('exp_avg_sq'));
  ops.divideList_(denominators, roots2);
  ops.addScalar_(denominators, group.eps);

  ops.subtractScalar_(mus, 1);
  multiplyBy_(mus, lr);
  const rests = ops.subtractScalar(products, 1);
  ops.negate_(rests);
  ops.divideList_(mus, rests);
  const nextRests = ops.multiplyList(products, nextMus);
  multiplyBy_(nextMus, lr);
  ops.subtractScalar_(nextRests, 1);
  ops.divideList_(nextMus, nextRests);
  const numerators = ops.multiplyList(mus, gradients);
  ops.addcmul_(numerators, nextMus, bucket.realState('exp_avg'), 1);
  ops.addcdiv_(params, numerators, denominators, 1);
}

function momentaAt({ betas }: NAdamOptions, exponents: Handles): Handles {
  const momenta = ops.powers(0.96, exponents);
  ops.multiply_(momenta, -0.5);
  ops.addScalar_(momenta, 1);
  ops.multiply_(momenta, betas[0]);
  return momenta;
}
