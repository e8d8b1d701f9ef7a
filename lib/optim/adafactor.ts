import { isCurrentStreamCapturing } from '../cuda/graph.js';
import { boolean, number, orNull, tuple, type Kinds } from '../kinds.js';
import { show } from '../show.js';
import { finfo } from '../tensor/composites/index.js';
import { linalg } from '../tensor/index.js';
import { zeros, zerosLike } from '../tensor/generated/functions.js';
import { keep } from '../tensor/memory/scope.js';
import { handlesOf, type Tensor } from '../tensor/tensor.js';
import type { Bucket, ParameterState } from './bucket.js';
import * as ops from './operators.js';
import { Optimizer, type ParameterGroup, type ParameterGroupOptions, type Parameters } from './optimizer.js';
import { checkNotNegative, reject, withDefaults } from './options.js';
import { least, minus, over, times, valueOf, withoutDimensions, type Scalar } from './scalars.js';
import { scalarKind, takesParameters, type OptimizerSignature } from './optimizerSignature.js';

export interface AdafactorOptions {
  /** The greatest learning rate, relative to the size of the parameters. Default: 0.01. */
  lr: Scalar;
  /** How the share of a new square falls with the steps, 0 or less. Default: -0.8. */
  beta2Decay: number;
  /** The least estimate of a square, null for the dtype's precision, and the least size of a parameter. Default: [null, 0.001]. */
  eps: readonly [number | null, number];
  /** The greatest root mean square of a step, 1 or more. Default: 1. */
  d: number;
  /** How much of the weights decays at each step, times the learning rate. Default: 0. */
  weightDecay: number;
  /** The arithmetic of PyTorch's implementation on lists, which rounds otherwise. Default: null, which is false. */
  foreach: boolean | null;
  /** Ascends instead of descends. Default: false. */
  maximize: boolean;
}

const adafactorOptions: Kinds<AdafactorOptions> = {
  lr: scalarKind,
  beta2Decay: number,
  eps: tuple(orNull(number), number),
  d: number,
  weightDecay: number,
  foreach: orNull(boolean),
  maximize: boolean,
};

const defaults: AdafactorOptions = {
  lr: 1e-2,
  beta2Decay: -0.8,
  eps: [null, 1e-3],
  d: 1,
  weightDecay: 0,
  foreach: null,
  maximize: false,
};

const takes = takesParameters(adafactorOptions);

/**
 * Adam without averages of gradients, whose squares are kept for rows and columns only. A parameter at a time:
 *
 *     s = t^beta2Decay
 *     R = (1 - s) * R + s * mean of g² over columns, C likewise over rows, V = R C / mean(R) for matrices
 *     V = (1 - s) * V + s * g² for vectors
 *     u = g / sqrt(V), u = u / max(1, rms(u) / d)
 *     p = (1 - lr * weightDecay) * p - max(eps[1], rms(p)) * min(lr, 1 / sqrt(t)) * u
 *
 * As `torch.optim.Adafactor`, bit by bit. After "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost" (Shazeer,
 * Stern, 2018).
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * new optim.Adafactor(new nn.Linear(3, 1).parameters(), { weightDecay: 0.01 });
 */
export class Adafactor extends Optimizer<AdafactorOptions> {
  protected override readonly floats = ['d', 'weightDecay'];
  protected override readonly hasStateLikeParameters = false;

  constructor(
    params: Parameters | Iterable<ParameterGroupOptions<AdafactorOptions>>,
    options: Partial<AdafactorOptions> = {},
  ) {
    takes.own.check(new.target.name, arguments);
    super(params, withDefaults(defaults, options));
  }

  protected override signatures(): OptimizerSignature {
    return takes;
  }

  protected override checkOptions({ lr, beta2Decay, eps, d, weightDecay }: AdafactorOptions): void {
    checkNotNegative('lr', lr);
    if (!(beta2Decay <= 0)) reject(`beta2Decay: expected a number, 0 or less, got ${show(beta2Decay)}.`);
    if (eps[0] !== null) checkNotNegative('eps[0]', eps[0]);
    checkNotNegative('eps[1]', eps[1]);
    if (!(d >= 1)) reject(`d: expected a number, 1 or more, got ${show(d)}.`);
    checkNotNegative('weightDecay', weightDecay);
  }

  protected override initialState(_: ParameterGroup<AdafactorOptions>, parameter: Tensor): ParameterState {
    if (parameter.dtype.startsWith('complex')) reject('Adafactor does not support complex parameters.');
    const step = zeros([], { dtype: 'float32' });
    const { shape, dtype, device } = parameter;
    if (shape.length < 2) return { step, variance: keep(zerosLike(parameter)) };
    const without = (dim: number): Tensor => keep(zeros(shape.with(dim, 1), { dtype, device }));
    return { step, row_var: without(-1), col_var: without(-2) };
  }

  protected override runStep<T>(closure: (() => T) | undefined): T | undefined {
    if (isCurrentStreamCapturing()) {
      reject('Adafactor: a CUDA graph captures this step, which counts on the CPU: step outside the graph.');
    }
    return super.runStep(closure);
  }

  protected override update(group: ParameterGroup<AdafactorOptions>, bucket: Bucket): void {
    const step = bucket.countStep();
    const lr = withoutDimensions(group.lr);
    const first = group.params.find((parameter) => this.state.has(parameter))!;
    const rates: Rates = {
      // Of the group's first parameter for all of them, as in Python.
      eps: group.eps[0] ?? finfo(first.dtype).eps,
      share: ops.pow(step, group.beta2Decay),
      lr,
      relative: least(lr, 1 / ops.pow(step, 0.5)),
    };
    bucket.parameters.forEach((parameter, i) => {
      updateOne(group, rates, parameter, (name) => bucket.tensor(name, i));
    });
  }
}

interface Rates {
  eps: number;
  share: number;
  lr: Scalar;
  relative: Scalar;
}

function updateOne(
  group: AdafactorOptions,
  { eps, share, lr, relative }: Rates,
  parameter: Tensor,
  state: (name: string) => Tensor,
): void {
  const gradient = group.maximize ? parameter.grad!.neg() : parameter.grad!;
  const root = ops.pow(parameter.numel(), 0.5);
  const rate = times(Math.max(group.eps[1], linalg.vectorNorm(parameter).item() / root), relative);
  if (group.weightDecay !== 0)
    decay(parameter, valueOf(minus(1, times(lr, group.weightDecay))), group.foreach === true);
  const estimate = gradient.ndim > 1 ? factored(gradient, share, eps, state) : whole(gradient, share, state);
  const update = estimate
    .clamp_({ min: eps * eps })
    .rsqrt_()
    .mul_(gradient);
  const clipping = Math.max(1, linalg.vectorNorm(update).item() / (root * group.d));
  const alpha = over(times(rate, -1), clipping);
  if (group.foreach !== true) parameter.add_(update, { alpha: valueOf(alpha) });
  else {
    if (typeof alpha === 'number') ops.multiply_(handlesOf([update]), alpha);
    else update.mul_(alpha);
    parameter.add_(update);
  }
}

function decay(parameter: Tensor, factor: number, isOnLists: boolean): void {
  const multiply = isOnLists ? ops.multiply_ : ops.scale_;
  multiply(handlesOf([parameter]), factor);
}

function factored(gradient: Tensor, share: number, eps: number, state: (name: string) => Tensor): Tensor {
  const [rows, columns] = [state('row_var'), state('col_var')];
  const meanSquare = (dim: number): Tensor =>
    linalg.vectorNorm(gradient, 2, dim, true).square_().div_(gradient.size(dim));
  rows.lerp_(meanSquare(-1), share);
  columns.lerp_(meanSquare(-2), share);
  return rows.matmul(columns).div_(rows.mean(-2, true).clamp_({ min: eps }));
}

function whole(gradient: Tensor, share: number, state: (name: string) => Tensor): Tensor {
  const variance = state('variance');
  variance.lerp_(gradient.mul(gradient), share);
  return variance.clone();
}
