import { boolean, number, tuple, type Kinds } from '../kinds.js';
import type { Handles } from '../native.js';
import { ones, viewAsReal, zeros, zerosLike } from '../tensor/generated/functions.js';
import { keep } from '../tensor/scope.js';
import { wrapHandle, type Tensor } from '../tensor/tensor.js';
import type { Bucket, ParameterState } from './bucket.js';
import * as ops from './operators.js';
import { Optimizer, type ParameterGroup, type ParameterGroupOptions, type Parameters } from './optimizer.js';
import {
  checkAdamOptions,
  checkNotNegative,
  refuseCapturable,
  refuseRecordedLists,
  usesLists,
  withDefaults,
  capturableOptions,
  commonOptions,
  type CapturableOptions,
  type CommonOptions,
} from './options.js';
import { minus, over, times, valueOf, withoutDimensions, type Scalar } from './scalars.js';
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

  protected override initialState(_: ParameterGroup<NAdamOptions>, parameter: Tensor): ParameterState {
    return {
      step: zeros([], { dtype: 'float32' }),
      mu_product: ones([], { dtype: 'float32' }),
      exp_avg: keep(zerosLike(parameter)),
      exp_avg_sq: keep(zerosLike(parameter)),
    };
  }

  protected override update(group: ParameterGroup<NAdamOptions>, bucket: Bucket): void {
    refuseCapturable(group);
    refuseRecordedLists(group);
    const { betas, eps, weightDecay, momentumDecay, decoupledWeightDecay, maximize } = group;
    const [beta1, beta2] = betas;
    const isOnLists = usesLists(group, bucket);
    const step = bucket.countStep();
    let lr = withoutDimensions(group.lr);
    if (decoupledWeightDecay && weightDecay !== 0) {
      bucket.scale_(bucket.real(bucket.handles), minus(1, times(lr, weightDecay)), isOnLists);
    }
    const { params, gradients } = bucket.prepare(maximize, decoupledWeightDecay ? 0 : weightDecay, true);
    const momentumAt = (t: number): number => beta1 * (1 - 0.5 * ops.pow(0.96, t * momentumDecay));
    const [mu, muNext] = [momentumAt(step), momentumAt(step + 1)];
    bucket.scaleColumn('mu_product', mu, isOnLists);
    const [averages, squares] = [bucket.realState('exp_avg'), bucket.realState('exp_avg_sq')];
    ops.lerp_(averages, gradients, 1 - beta1);
    bucket.scale_(squares, beta2, isOnLists);
    ops.addcmul_(squares, gradients, gradients, 1 - beta2);
    const denominators = denominatorsOf(squares, 1 - ops.pow(beta2, step), isOnLists);
    if (group.differentiable) {
      stepRecorded({ bucket, lr, mu, muNext, gradients, denominators: ops.addScalar(denominators, eps) });
      return;
    }
    ops.addScalar_(denominators, eps);
    if (isOnLists) lr = valueOf(lr);
    const product = bucket.value('mu_product');
    const descent = times(lr, -1);
    ops.addcdiv_(params, gradients, denominators, valueOf(over(times(descent, 1 - mu), 1 - product)));
    ops.addcdiv_(params, averages, denominators, valueOf(over(times(descent, muNext), 1 - product * muNext)));
  }
}

// The square root and the division in the order of PyTorch's two implementations.
function denominatorsOf(squares: Handles, correction: number, isOnLists: boolean): Handles {
  if (!isOnLists) return ops.sqrt(ops.divide(squares, correction));
  const roots = ops.sqrt(squares);
  ops.divideOnLists_(roots, ops.pow(correction, 0.5));
  return roots;
}

interface RecordedStep {
  bucket: Bucket;
  lr: Scalar;
  mu: number;
  muNext: number;
  gradients: Handles;
  denominators: Handles;
}

// As PyTorch where a step is recorded: the factors are tensors, and round as tensors do.
function stepRecorded({ bucket, lr, mu, muNext, gradients, denominators }: RecordedStep): void {
  bucket.parameters.forEach((parameter, i) => {
    const real = (tensor: Tensor): Tensor => (bucket.isComplex ? viewAsReal(tensor) : tensor);
    const [gradient, denominator] = [wrapHandle(gradients[i]!), wrapHandle(denominators[i]!)];
    const product = bucket.tensor('mu_product', i);
    const descent = times(lr, -1);
    const gradientShare = over(times(descent, 1 - mu), minus(1, product)) as Tensor;
    const averageShare = over(times(descent, muNext), minus(1, product.mul(muNext))) as Tensor;
    const average = real(bucket.tensor('exp_avg', i)).mul(averageShare);
    real(parameter).addcdiv_(gradient.mul(gradientShare), denominator);
    real(parameter).addcdiv_(average, denominator);
  });
}
