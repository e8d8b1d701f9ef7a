import { boolean, number, tuple, type Kinds } from '../kinds.js';
import { show } from '../show.js';
import { sparseCooTensor, zerosLike } from '../tensor/generated/functions.js';
import { aten } from '../tensor/calls/aten.js';
import { keep } from '../tensor/memory/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Bucket, ParameterState } from './bucket.js';
import * as ops from './operators.js';
import { Optimizer, type ParameterGroup, type ParameterGroupOptions, type Parameters } from './optimizer.js';
import { checkBetas, reject, withDefaults } from './options.js';
import { checkScalar, over, times, valueOf, withoutDimensions, type Scalar } from './scalars.js';
import { scalarKind, takesParameters, type OptimizerSignature } from './optimizerSignature.js';

export interface SparseAdamOptions {
  /** The learning rate. Default: 0.001. */
  lr: Scalar;
  /** How slowly the averages of gradients and of their squares change. Default: [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Added to the denominator. Default: 1e-8. */
  eps: number;
  /** Ascends instead of descends. Default: false. */
  maximize: boolean;
}

const sparseAdamOptions: Kinds<SparseAdamOptions> = {
  lr: scalarKind,
  betas: tuple(number, number),
  eps: number,
  maximize: boolean,
};

const defaults: SparseAdamOptions = { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, maximize: false };

const indicesOf = aten('_indices');
const valuesOf = aten('_values');

const takes = takesParameters(sparseAdamOptions);

/**
 * Adam for sparse gradients, such as those of `nn.Embedding` with `sparse`: only what a gradient has is changed, and its
 * averages with it. A parameter at a time, since there are no operators on lists for them:
 *
 *     m = m + (1 - beta1) * (g - m), v = v + (1 - beta2) * (g² - v)
 *     p = p - lr * sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + eps)
 *
 * As `torch.optim.SparseAdam`, bit by bit. After "Adam: A Method for Stochastic Optimization" (Kingma, Ba, 2014).
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * new optim.SparseAdam(new nn.Embedding(10, 3, { sparse: true }).parameters(), { lr: 0.01 });
 */
export class SparseAdam extends Optimizer<SparseAdamOptions> {
  protected override readonly floats = ['betas'];
  // The steps are plain numbers in the state, as in Python.
  protected override readonly counters = [];
  protected override readonly sparseAdvice = null;

  constructor(
    params: Parameters | Iterable<ParameterGroupOptions<SparseAdamOptions>>,
    options: Partial<SparseAdamOptions> = {},
  ) {
    takes.own.check(new.target.name, arguments);
    super(params, withDefaults(defaults, options));
  }

  protected override signatures(): OptimizerSignature {
    return takes;
  }

  protected override checkOptions({ lr, betas, eps }: SparseAdamOptions): void {
    for (const [name, value] of Object.entries({ lr: checkScalar('lr', lr), eps })) {
      if (!(value > 0)) reject(`${name}: expected a number above 0, got ${show(value)}.`);
    }
    checkBetas(betas);
  }

  protected override checkParameter(parameter: Tensor): void {
    if (parameter.layout !== 'strided') reject('SparseAdam takes dense parameters, whose gradients are sparse.');
    if (parameter.dtype.startsWith('complex')) reject('SparseAdam does not support complex parameters.');
  }

  protected override initialState(_: ParameterGroup<SparseAdamOptions>, parameter: Tensor): ParameterState {
    return { step: 0, exp_avg: keep(zerosLike(parameter)), exp_avg_sq: keep(zerosLike(parameter)) };
  }

  protected override update(group: ParameterGroup<SparseAdamOptions>, bucket: Bucket): void {
    if (!bucket.isSparse) reject('SparseAdam does not support dense gradients, take Adam.');
    for (const parameter of bucket.parameters) this.#updateOne(group, parameter, this.state.get(parameter)!);
  }

  #updateOne(group: ParameterGroup<SparseAdamOptions>, parameter: Tensor, state: ParameterState): void {
    const { betas, eps, maximize } = group;
    const [beta1, beta2] = betas;
    const step = (state.step as number) + 1;
    state.step = step;
    const given = parameter.grad!;
    const gradient = (maximize ? given.neg() : given).coalesce();
    const [indices, values] = [indicesOf(gradient), valuesOf(gradient)];
    if (values.numel() === 0) return;
    const sparse = (items: Tensor): Tensor => sparseCooTensor(indices, items, gradient.shape);
    const move = (average: Tensor, target: Tensor, beta: number): Tensor => {
      const before = valuesOf(average.sparseMask(gradient));
      const change = target.sub(before).mul(1 - beta);
      average.add_(sparse(change));
      return change.add(before);
    };
    const average = move(state.exp_avg as Tensor, values, beta1);
    const square = move(state.exp_avg_sq as Tensor, values.pow(2), beta2);
    const root2 = Math.sqrt(1 - ops.pow(beta2, step));
    const stepSize = over(times(withoutDimensions(group.lr), root2), 1 - ops.pow(beta1, step));
    const change = average.div_(square.sqrt_().add_(eps)).mul(-valueOf(stepSize));
    parameter.add_(sparse(change));
  }
}
