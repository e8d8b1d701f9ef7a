import { AiforgeError } from '../errors.js';
import { native } from '../native.js';
import { ones, zeros, zerosLike } from '../tensor/generated/functions.js';
import { keep } from '../tensor/scope.js';
import { handleOf, type Tensor } from '../tensor/tensor.js';
import type { Bucket, ParameterState } from './bucket.js';
import * as ops from './operators.js';
import { Optimizer, type ParameterGroup, type ParameterGroupOptions, type Parameters } from './optimizer.js';
import { checkImplementation, checkNotNegative, withDefaults } from './options.js';
import type { OptimizerStateDict } from './stateDict.js';

export interface AdamOptions {
  /** The learning rate. Default: 0.001. */
  lr: number;
  /** How slowly the averages of gradients and of their squares change. Default: [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Added to the denominator. Default: 1e-8. */
  eps: number;
  /** Default: 0; for AdamW 0.01. */
  weightDecay: number;
  /** Divides by the greatest average of squares so far. Default: false. */
  amsgrad: boolean;
  /** Ascends instead of descends. Default: false. */
  maximize: boolean;
  /** Kept for state dicts: the operators on lists are always used where `fused` is not. Default: null. */
  foreach: boolean | null;
  /** One operator for the whole step: faster, and rounded differently. Default: null, which is false. */
  fused: boolean | null;
  /** Decays the weights themselves, as AdamW does, and not through the gradients. Default: false. */
  decoupledWeightDecay: boolean;
}

const fusedAdam = native.registerOperators(['_fused_adam_', '_fused_adamw_']);
const fusedAdamW = fusedAdam + 1;
const none = new Float64Array(0);

const defaults: AdamOptions = {
  lr: 1e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  amsgrad: false,
  maximize: false,
  foreach: null,
  fused: null,
  decoupledWeightDecay: false,
};

/**
 * Adam, bit by bit as `torch.optim.Adam`.
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
  // Added to the counts of steps: a number would become a new tensor for each of them.
  readonly #one: Tensor = keep(ones([]));

  constructor(params: Parameters | Iterable<ParameterGroupOptions<AdamOptions>>, options: Partial<AdamOptions> = {}) {
    super(params, withDefaults(defaults, options));
  }

  protected override checkOptions({ lr, betas, eps, weightDecay, foreach, fused }: AdamOptions): void {
    checkNotNegative('lr', lr);
    checkNotNegative('eps', eps);
    checkNotNegative('weightDecay', weightDecay);
    betas.forEach((beta, i) => {
      if (beta >= 0 && beta < 1) return;
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `betas[${i}]: expected a number from 0 to below 1, got ${String(beta)}.`,
      );
    });
    checkImplementation(foreach, fused);
  }

  protected override initialState({ amsgrad, fused }: ParameterGroup<AdamOptions>, parameter: Tensor): ParameterState {
    if (parameter.dtype.startsWith('complex')) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `${this.constructor.name}: complex parameters (${parameter.dtype}) are not supported; give viewAsReal(parameter).`,
      );
    }
    const device = fused === true ? parameter.device : 'cpu';
    return {
      step: keep(zeros([], { dtype: 'float32', device })),
      exp_avg: keep(zerosLike(parameter)),
      exp_avg_sq: keep(zerosLike(parameter)),
      ...(amsgrad ? { max_exp_avg_sq: keep(zerosLike(parameter)) } : {}),
    };
  }

  protected override historyOf({ step }: ParameterState): number {
    return step?.item<number>() ?? 0;
  }

  protected override update(group: ParameterGroup<AdamOptions>, bucket: Bucket): void {
    if (group.fused === true) this.#updateFused(group, bucket);
    else this.#updateLists(group, bucket);
  }

  #updateFused(group: ParameterGroup<AdamOptions>, bucket: Bucket): void {
    const { lr, betas, eps, weightDecay, amsgrad, maximize } = group;
    const steps = bucket.state('step');
    if (native.device(steps[0]!) === 'cpu') ops.addTensor_(steps, handleOf(this.#one));
    else ops.addScalar_(steps, 1);
    ops.run(
      group.decoupledWeightDecay ? fusedAdamW : fusedAdam,
      bucket.handles,
      bucket.gradients,
      bucket.state('exp_avg'),
      bucket.state('exp_avg_sq'),
      amsgrad ? bucket.state('max_exp_avg_sq') : none,
      steps,
      lr,
      betas[0],
      betas[1],
      weightDecay,
      eps,
      amsgrad,
      maximize,
    );
  }

  #updateLists(group: ParameterGroup<AdamOptions>, bucket: Bucket): void {
    const { lr, betas, eps, weightDecay, amsgrad } = group;
    const [beta1, beta2] = betas;
    const averages = bucket.state('exp_avg');
    let squares = bucket.state('exp_avg_sq');
    ops.addTensor_(bucket.state('step'), handleOf(this.#one));
    bucket.steps = Math.fround(bucket.steps + 1);

    let gradients = group.maximize ? ops.negate(bucket.gradients) : bucket.gradients;
    if (weightDecay !== 0) {
      if (group.decoupledWeightDecay) ops.multiply_(bucket.handles, 1 - lr * weightDecay);
      else gradients = ops.addList(gradients, bucket.handles, weightDecay);
    }
    ops.lerp_(averages, gradients, 1 - beta1);
    ops.multiply_(squares, beta2);
    ops.addcmul_(squares, gradients, gradients, 1 - beta2);

    const correction1 = 1 - ops.pow(beta1, bucket.steps);
    const correction2 = 1 - ops.pow(beta2, bucket.steps);
    if (amsgrad) {
      const greatest = bucket.state('max_exp_avg_sq');
      ops.maximum_(greatest, squares);
      squares = greatest;
    }
    const denominators = ops.sqrt(squares);
    ops.divide_(denominators, ops.pow(correction2, 0.5));
    ops.addScalar_(denominators, eps);
    ops.addcdiv_(bucket.handles, averages, denominators, -(lr / correction1));
  }
}

/** Adam with weight decay apart from the gradients, 0.01 unless given: as `torch.optim.AdamW`. */
export class AdamW extends Adam {
  constructor(
    params: Parameters | Iterable<ParameterGroupOptions<AdamOptions>>,
    options: Partial<Omit<AdamOptions, 'decoupledWeightDecay'>> = {},
  ) {
    super(params, { ...options, weightDecay: options.weightDecay ?? 1e-2, decoupledWeightDecay: true });
  }

  override loadStateDict(stateDict: OptimizerStateDict): void {
    super.loadStateDict(stateDict);
    for (const group of this.paramGroups) group.decoupledWeightDecay = true;
  }
}
