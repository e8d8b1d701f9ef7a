import { boolean, number, orNull, type Kinds } from '../kinds.js';
import { native } from '../native.js';
import { fullLike, sparseCooTensor, zeros } from '../tensor/generated/functions.js';
import { aten } from '../tensor/calls/aten.js';
import { keep, scope } from '../tensor/memory/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { scalingHandles, type AmpScaling } from './ampScaling.js';
import type { Bucket, ParameterState } from './bucket.js';
import { rateForFused } from './fusedRate.js';
import * as ops from './operators.js';
import { Optimizer, type ParameterGroup, type ParameterGroupOptions, type Parameters } from './optimizer.js';
import {
  checkFused,
  checkNotNegative,
  refuseRecordedLists,
  reject,
  usesLists,
  withDefaults,
  commonOptions,
  type CommonOptions,
} from './options.js';
import { over, valueOf, withoutDimensions, type Scalar } from './scalars.js';
import { scalarKind, takesParameters, type OptimizerSignature } from './optimizerSignature.js';

export interface AdagradOptions extends CommonOptions {
  /** The learning rate. Default: 0.01. */
  lr: Scalar;
  /** How fast the learning rate falls. Default: 0. */
  lrDecay: number;
  /** How much of the parameter is added to its gradient. Default: 0. */
  weightDecay: number;
  /** What the sums of squares begin with. Default: 0. */
  initialAccumulatorValue: number;
  /** Added to the denominator. Default: 1e-10. */
  eps: number;
  /** One operator for the whole step: faster, and rounded differently. Default: null, which is false. */
  fused: boolean | null;
}

const adagradOptions: Kinds<AdagradOptions> = {
  lr: scalarKind,
  lrDecay: number,
  weightDecay: number,
  initialAccumulatorValue: number,
  eps: number,
  ...commonOptions,
  fused: orNull(boolean),
};

const fusedId = native.registerOperators(['_fused_adagrad_', '_fused_adagrad_.tensor_lr']);
const indicesOf = aten('_indices');
const valuesOf = aten('_values');

const defaults: AdagradOptions = {
  lr: 1e-2,
  lrDecay: 0,
  eps: 1e-10,
  weightDecay: 0,
  initialAccumulatorValue: 0,
  foreach: null,
  maximize: false,
  differentiable: false,
  fused: null,
};

const takes = takesParameters(adagradOptions);

/**
 * Steps that shrink with all squares of gradients so far:
 *
 *     g = gradient + weightDecay * p
 *     s = s + g²
 *     p = p - lr / (1 + (t - 1) * lrDecay) * g / (sqrt(s) + eps)
 *
 * Takes sparse gradients, and then changes only what they have. As `torch.optim.Adagrad`, bit by bit. After "Adaptive
 * Subgradient Methods for Online Learning and Stochastic Optimization" (Duchi et al., 2011).
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * new optim.Adagrad(new nn.Linear(3, 1).parameters(), { lr: 0.1, lrDecay: 0.01 });
 */
export class Adagrad extends Optimizer<AdagradOptions> {
  /** @internal What a GradScaler gives to the fused step that it calls. */
  ampScaling: AmpScaling | null = null;
  protected override readonly sparseAdvice = null;

  constructor(
    params: Parameters | Iterable<ParameterGroupOptions<AdagradOptions>>,
    options: Partial<AdagradOptions> = {},
  ) {
    takes.own.check(new.target.name, arguments);
    super(params, withDefaults(defaults, options));
    // As in Python the sums are there before the first step.
    for (const group of this.paramGroups) {
      for (const parameter of group.params) {
        const state = scope(() => this.initialState(group, parameter));
        keep(state.step as Tensor);
        this.state.set(parameter, state);
      }
    }
  }

  protected override signatures(): OptimizerSignature {
    return takes;
  }

  protected override checkOptions(options: AdagradOptions): void {
    const { lr, lrDecay, weightDecay, initialAccumulatorValue, eps, foreach, fused, differentiable } = options;
    checkNotNegative('lr', lr);
    checkNotNegative('lrDecay', lrDecay);
    checkNotNegative('weightDecay', weightDecay);
    checkNotNegative('initialAccumulatorValue', initialAccumulatorValue);
    checkNotNegative('eps', eps);
    checkFused(foreach, fused, differentiable);
  }

  protected override initialState({ fused }: ParameterGroup<AdagradOptions>, parameter: Tensor): ParameterState {
    const start = this.defaults.initialAccumulatorValue;
    const isComplex = parameter.dtype.startsWith('complex');
    return {
      step: zeros([], { dtype: 'float32', device: fused === true ? parameter.device : 'cpu' }),
      sum: keep(fullLike(parameter.detach(), isComplex ? { re: start, im: start } : start)),
    };
  }

  protected override update(group: ParameterGroup<AdagradOptions>, bucket: Bucket): void {
    refuseRecordedLists(group);
    if (group.fused === true) this.#updateFused(group, bucket);
    else if (bucket.isSparse) this.#updateSparse(group, bucket);
    else this.#updateLists(group, bucket);
  }

  #updateFused(group: ParameterGroup<AdagradOptions>, bucket: Bucket): void {
    const { lr, lrDecay, weightDecay, eps, maximize } = group;
    if (bucket.isSparse) reject('Adagrad: fused does not support sparse gradients.');
    const [gradScale, foundInf] = scalingHandles(this.ampScaling, bucket.parameters[0]!);
    bucket.addStep();
    const [variant, rate] = rateForFused(lr, bucket);
    ops.run(
      fusedId + variant,
      bucket.handles,
      bucket.gradients,
      bucket.state('sum'),
      bucket.state('step'),
      rate,
      lrDecay,
      weightDecay,
      eps,
      maximize,
      gradScale,
      foundInf,
    );
    if (foundInf !== null) bucket.takeStepBack(foundInf);
  }

  #updateLists(group: ParameterGroup<AdagradOptions>, bucket: Bucket): void {
    const { eps, weightDecay, maximize, differentiable } = group;
    const isOnLists = usesLists(group, bucket);
    const rate = rateAt(group, bucket.countStep());
    const { params, gradients } = bucket.prepare(maximize, weightDecay, isOnLists);
    const sums = bucket.realState('sum');
    ops.addcmul_(sums, gradients, gradients, 1);
    const roots = ops.plusScalar(ops.sqrt(sums), eps, differentiable);
    if (isOnLists) ops.addcdiv_(params, ops.multiply(gradients, -rate), roots, 1);
    else ops.addcdiv_(params, gradients, roots, -rate);
  }

  #updateSparse(group: ParameterGroup<AdagradOptions>, bucket: Bucket): void {
    if (group.weightDecay !== 0) reject('Adagrad: weightDecay does not go with sparse gradients.');
    const rate = rateAt(group, bucket.countStep());
    bucket.parameters.forEach((parameter, i) => {
      const given = parameter.grad!;
      const gradient = (group.maximize ? given.neg() : given).coalesce();
      const [indices, values] = [indicesOf(gradient), valuesOf(gradient)];
      const sparse = (items: Tensor): Tensor => sparseCooTensor(indices, items, gradient.shape);
      const sum = bucket.tensor('sum', i);
      sum.add_(sparse(values.pow(2)));
      const roots = valuesOf(sum.sparseMask(gradient)).sqrt_().add_(group.eps);
      parameter.add_(sparse(values.div(roots)), { alpha: -rate });
    });
  }
}

function rateAt({ lr, lrDecay }: AdagradOptions, step: number): number {
  return valueOf(over(withoutDimensions(lr), 1 + (step - 1) * lrDecay));
}
