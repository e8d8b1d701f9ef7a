import { boolean, number, orNull, tuple, type Kinds } from '../kinds.js';
import { native } from '../native.js';
import { zeros, zerosLike } from '../tensor/generated/functions.js';
import { keep } from '../tensor/memory/scope.js';
import { Tensor } from '../tensor/tensor.js';
import { likeTensor, stepOneByOne, stepOnLists } from './adamOnTensors.js';
import { scalingHandles, type AmpScaling } from './ampScaling.js';
import type { Bucket, ParameterState } from './bucket.js';
import { checkCapturable } from './capturable.js';
import { counterDevice } from './countedState.js';
import { rateForFused } from './fusedRate.js';
import * as ops from './operators.js';
import { Optimizer, type ParameterGroup, type ParameterGroupOptions, type Parameters } from './optimizer.js';
import {
  checkAdamOptions,
  checkFused,
  checkListScalars,
  refuseRecordedLists,
  reject,
  usesLists,
  withDefaults,
  capturableOptions,
  commonOptions,
  type CapturableOptions,
  type CommonOptions,
} from './options.js';
import { minus, over, power, times, valueOf, withoutDimensions, type Scalar } from './scalars.js';
import type { OptimizerStateDict } from './stateDict.js';
import { scalarKind, takesParameters, type OptimizerSignature } from './optimizerSignature.js';

export interface AdamOptions extends CommonOptions, CapturableOptions {
  /** The learning rate. Default: 0.001. */
  lr: Scalar;
  /** How slowly the averages of gradients and of their squares change. Default: [0.9, 0.999]. */
  betas: readonly [Scalar, Scalar];
  /** Added to the denominator. Default: 1e-8. */
  eps: number;
  /** How much of the parameter is added to its gradient. Default: 0; for AdamW 0.01. */
  weightDecay: number;
  /** Divides by the greatest average of squares so far. Default: false. */
  amsgrad: boolean;
  /** One operator for the whole step: faster, and rounded differently. Default: null, which is false. */
  fused: boolean | null;
  /** Decays the weights themselves, as AdamW does, and not through the gradients. Default: false. */
  decoupledWeightDecay: boolean;
}

const adamOptions: Kinds<AdamOptions> = {
  lr: scalarKind,
  betas: tuple(scalarKind, scalarKind),
  eps: number,
  weightDecay: number,
  amsgrad: boolean,
  ...commonOptions,
  ...capturableOptions,
  fused: orNull(boolean),
  decoupledWeightDecay: boolean,
};

const fusedAdam = native.registerOperators(['_fused_adam_', '_fused_adam_.tensor_lr']);
const fusedAdamW = native.registerOperators(['_fused_adamw_', '_fused_adamw_.tensor_lr']);
const none = new Float64Array(0);

const defaults: AdamOptions = {
  lr: 1e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  amsgrad: false,
  maximize: false,
  foreach: null,
  capturable: false,
  differentiable: false,
  fused: null,
  decoupledWeightDecay: false,
};

const takes = takesParameters(adamOptions);

/**
 * Adam, steps by averages of the gradient and of its square:
 *
 *     g = gradient + weightDecay * p
 *     m = beta1 * m + (1 - beta1) * g
 *     v = beta2 * v + (1 - beta2) * g²
 *     p = p - lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
 *
 * As `torch.optim.Adam`, bit by bit. After "Adam: A Method for Stochastic Optimization" (Kingma, Ba, 2014); amsgrad after
 * "On the Convergence of Adam and Beyond" (Reddi et al., 2018).
 *
 * @example
 * import { nn, optim, randn } from 'aiforge';
 * const model = new nn.Linear(3, 1);
 * const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
 * optimizer.zeroGrad();
 * model.forward(randn([8, 3])).square().mean().backward();
 * optimizer.step();
 */
export class Adam extends Optimizer<AdamOptions> {
  /** @internal What a GradScaler gives to the fused step that it calls. */
  ampScaling: AmpScaling | null = null;
  protected override readonly floats = ['betas'];
  protected override readonly sparseAdvice: string = ', take SparseAdam';

  constructor(params: Parameters | Iterable<ParameterGroupOptions<AdamOptions>>, options: Partial<AdamOptions> = {}) {
    takes.own.check(new.target.name, arguments);
    const all = withDefaults(defaults, options);
    super(params, { ...all, betas: Object.freeze(all.betas.map(scalarOf)) as unknown as AdamOptions['betas'] });
  }

  protected override signatures(): OptimizerSignature {
    return takes;
  }

  protected override checkOptions(options: AdamOptions): void {
    const { lr, betas, foreach, capturable, fused, differentiable } = options;
    checkAdamOptions(options);
    if (Tensor.isTensor(betas[0]) !== Tensor.isTensor(betas[1])) reject('betas: give two numbers or two Tensors.');
    if (!capturable) checkListScalars({ lr, 'betas[0]': betas[0] }, foreach);
    checkFused(foreach, fused, differentiable);
  }

  protected override initialState(group: ParameterGroup<AdamOptions>, parameter: Tensor): ParameterState {
    const { amsgrad, fused } = group;
    const device = fused === true ? parameter.device : counterDevice(group, parameter);
    return {
      step: zeros([], { dtype: 'float32', device }),
      exp_avg: keep(zerosLike(parameter)),
      exp_avg_sq: keep(zerosLike(parameter)),
      ...(amsgrad ? { max_exp_avg_sq: keep(zerosLike(parameter)) } : {}),
    };
  }

  protected override update(group: ParameterGroup<AdamOptions>, bucket: Bucket): void {
    if (group.fused === true) this.#updateFused(group, bucket);
    else this.#updateLists(group, bucket);
  }

  #updateFused(group: ParameterGroup<AdamOptions>, bucket: Bucket): void {
    const { lr, betas, eps, weightDecay, amsgrad, maximize } = group;
    const [gradScale, foundInf] = scalingHandles(this.ampScaling, bucket.parameters[0]!);
    const [variant, rate] = rateForFused(lr, bucket);
    bucket.addStep();
    ops.run(
      (group.decoupledWeightDecay ? fusedAdamW : fusedAdam) + variant,
      bucket.handles,
      bucket.gradients,
      bucket.state('exp_avg'),
      bucket.state('exp_avg_sq'),
      amsgrad ? bucket.state('max_exp_avg_sq') : none,
      bucket.state('step'),
      rate,
      valueOf(betas[0]),
      valueOf(betas[1]),
      weightDecay,
      eps,
      amsgrad,
      maximize,
      gradScale,
      foundInf,
    );
    if (foundInf !== null) bucket.takeStepBack(foundInf);
  }

  #updateLists(group: ParameterGroup<AdamOptions>, bucket: Bucket): void {
    checkCapturable(group, bucket);
    refuseRecordedLists(group);
    const isOnLists = takesLists(group, bucket);
    if (group.differentiable || (group.capturable && !isOnLists)) stepOneByOne(group, bucket);
    else if (group.capturable) stepOnLists(group, bucket);
    else this.#updateByNumbers(group, bucket, isOnLists);
  }

  #updateByNumbers(group: ParameterGroup<AdamOptions>, bucket: Bucket, isOnLists: boolean): void {
    const { betas, eps, weightDecay, amsgrad, maximize, decoupledWeightDecay } = group;
    const [lr, beta1, beta2] = [withoutDimensions(group.lr), withoutDimensions(betas[0]), withoutDimensions(betas[1])];
    const step = bucket.countStep();
    if (decoupledWeightDecay && weightDecay !== 0) {
      bucket.scale_(bucket.handles, minus(1, times(lr, weightDecay)), isOnLists);
    }
    const decay = decoupledWeightDecay ? 0 : weightDecay;
    const { params, gradients } = bucket.prepare(maximize, decay, isOnLists);
    const averages = bucket.realState('exp_avg');
    let squares = bucket.realState('exp_avg_sq');
    ops.lerp_(averages, gradients, valueOf(minus(1, likeTensor(beta1, bucket.realTensor('exp_avg', 0)))));
    bucket.scale_(squares, beta2, isOnLists);
    ops.addcmul_(squares, gradients, gradients, valueOf(minus(1, beta2)));

    const stepSize = over(lr, minus(1, power(beta1, step)));
    const correction2 = minus(1, power(beta2, step));
    if (amsgrad) {
      const greatest = bucket.realState('max_exp_avg_sq');
      ops.maximum_(greatest, squares);
      squares = greatest;
    }
    const denominators = ops.sqrt(squares);
    const root2 = valueOf(power(correction2, 0.5));
    if (isOnLists) ops.divideOnLists_(denominators, root2);
    else ops.divide_(denominators, root2);
    ops.addScalar_(denominators, eps);
    ops.addcdiv_(params, averages, denominators, -valueOf(stepSize));
  }
}

// As PyTorch keeps a tensor of one element, whatever its shape.
const scalarOf = (beta: Scalar): Scalar => (typeof beta === 'number' || beta.ndim === 0 ? beta : keep(beta.squeeze()));

// As PyTorch: on lists unasked only where the rate is no tensor that would have to be read.
function takesLists(group: AdamOptions, bucket: Bucket): boolean {
  const { lr, betas, foreach, capturable } = group;
  if (!usesLists(group, bucket)) return false;
  if (capturable) return true;
  if (foreach === null && Tensor.isTensor(lr)) return false;
  checkListScalars({ lr, 'betas[0]': betas[0] }, true);
  return true;
}

// Its weight decay is always decoupled.
const { decoupledWeightDecay: _, ...adamWOptions } = adamOptions;
const adamWTakes = takesParameters<Omit<AdamOptions, 'decoupledWeightDecay'>>(adamWOptions);

/**
 * Adam with weight decay apart from the gradients, 0.01 unless given: `p = p - lr * weightDecay * p`, then Adam's step.
 *
 * As `torch.optim.AdamW`, bit by bit. After "Decoupled Weight Decay Regularization" (Loshchilov, Hutter, 2017).
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * new optim.AdamW(new nn.Linear(3, 1).parameters(), { lr: 1e-4, fused: true });
 */
export class AdamW extends Adam {
  constructor(
    params: Parameters | Iterable<ParameterGroupOptions<AdamOptions>>,
    options: Partial<Omit<AdamOptions, 'decoupledWeightDecay'>> = {},
  ) {
    adamWTakes.own.check(new.target.name, arguments);
    super(params, { ...options, weightDecay: options.weightDecay ?? 1e-2, decoupledWeightDecay: true });
  }

  override loadStateDict(stateDict: OptimizerStateDict): void {
    super.loadStateDict(stateDict);
    for (const group of this.paramGroups) group.decoupledWeightDecay = true;
  }
}
