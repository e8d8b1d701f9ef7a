import { number, tuple, type Kinds } from '../kinds.js';
import { noGrad } from '../autograd/modes.js';
import type { Handles } from '../native.js';
import { fullLike, zeros, zerosLike } from '../tensor/generated/functions.js';
import { keep } from '../tensor/memory/scope.js';
import { handleOf, wrapHandle, type Tensor } from '../tensor/tensor.js';
import type { Bucket, ParameterState } from './bucket.js';
import { checkCapturable } from './capturable.js';
import { counterDevice } from './countedState.js';
import * as ops from './operators.js';
import { Optimizer, type ParameterGroup, type ParameterGroupOptions, type Parameters } from './optimizer.js';
import {
  checkNotNegative,
  refuseRecordedLists,
  reject,
  withDefaults,
  capturableOptions,
  commonOptions,
  type CapturableOptions,
  type CommonOptions,
} from './options.js';
import { valueOf, type Scalar } from './scalars.js';
import { scalarKind, takesParameters, type OptimizerSignature } from './optimizerSignature.js';

export interface RpropOptions extends CommonOptions, CapturableOptions {
  /** The size of the first steps. Default: 0.01. */
  lr: Scalar;
  /** What a step's size is multiplied by when the gradient's sign changes, and when it stays. Default: [0.5, 1.2]. */
  etas: readonly [number, number];
  /** The least and the greatest size of a step. Default: [1e-6, 50]. */
  stepSizes: readonly [number, number];
}

const rpropOptions: Kinds<RpropOptions> = {
  lr: scalarKind,
  etas: tuple(number, number),
  stepSizes: tuple(number, number),
  ...commonOptions,
  ...capturableOptions,
};

const defaults: RpropOptions = {
  lr: 1e-2,
  etas: [0.5, 1.2],
  stepSizes: [1e-6, 50],
  foreach: null,
  maximize: false,
  differentiable: false,
  capturable: false,
};

const takes = takesParameters(rpropOptions);

/**
 * Steps by the gradient's sign, of a size that each element has of its own:
 *
 *     size = size * etas[1] where the gradient has the sign that it had, size * etas[0] where it has the other
 *     size = size, at least stepSizes[0] and at most stepSizes[1]
 *     g = 0 where the sign has changed
 *     p = p - sign(g) * size
 *
 * For whole batches: the gradient's noise would change signs. As `torch.optim.Rprop`, bit by bit. After "A Direct Adaptive
 * Method for Faster Backpropagation Learning: The RPROP Algorithm" (Riedmiller, Braun, 1993).
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * new optim.Rprop(new nn.Linear(3, 1).parameters(), { etas: [0.5, 1.1] });
 */
export class Rprop extends Optimizer<RpropOptions> {
  constructor(params: Parameters | Iterable<ParameterGroupOptions<RpropOptions>>, options: Partial<RpropOptions> = {}) {
    takes.own.check(new.target.name, arguments);
    super(params, withDefaults(defaults, options));
  }

  protected override signatures(): OptimizerSignature {
    return takes;
  }

  protected override checkOptions({ lr, etas }: RpropOptions): void {
    checkNotNegative('lr', lr);
    if (etas[0] > 0 && etas[0] < 1 && etas[1] > 1) return;
    reject(`etas: expected a number between 0 and 1 and one above 1, got ${etas.join(' and ')}.`);
  }

  protected override initialState(group: ParameterGroup<RpropOptions>, parameter: Tensor): ParameterState {
    const lr = valueOf(group.lr);
    const isComplex = parameter.dtype.startsWith('complex');
    return {
      step: zeros([], { dtype: 'float32', device: counterDevice(group, parameter) }),
      prev: keep(zerosLike(parameter)),
      step_size: keep(fullLike(parameter.grad!.detach(), isComplex ? { re: lr, im: lr } : lr)),
    };
  }

  protected override update(group: ParameterGroup<RpropOptions>, bucket: Bucket): void {
    checkCapturable(group, bucket);
    refuseRecordedLists(group);
    const { etas, stepSizes, maximize } = group;
    bucket.addStep();
    const { params, gradients } = bucket.prepare(maximize, 0, true);
    const [previous, sizes] = [bucket.realState('prev'), bucket.realState('step_size')];
    const { factors, kept } = compare(gradients, previous, etas);
    ops.multiplyList_(sizes, factors);
    ops.atLeast_(sizes, stepSizes[0]);
    ops.atMost_(sizes, stepSizes[1]);
    ops.addcmul_(params, ops.sign(kept), sizes, -1);
    ops.copy_(previous, kept);
  }
}

// All elements in one tensor: there is no operator on lists that chooses by element.
function compare(
  gradients: Handles,
  previous: Handles,
  [smaller, greater]: readonly [number, number],
): { factors: Handles; kept: Handles } {
  // The factors are a staircase, of which nothing is recorded.
  const signs = noGrad(() => {
    const products = wrapHandle(ops.flatten(ops.multiplyList(gradients, previous))).sign_();
    products.maskedFill_(products.gt(0), greater);
    products.maskedFill_(products.lt(0), smaller);
    return products.maskedFill_(products.eq(0), 1);
  });
  // Not in place: one gradient alone is flattened without a copy.
  const kept = wrapHandle(ops.flatten(gradients)).maskedFill(signs.eq(smaller), 0);
  return { factors: ops.unflatten(handleOf(signs), gradients), kept: ops.unflatten(handleOf(kept), gradients) };
}
