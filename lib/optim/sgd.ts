import { boolean, number, orNull, type Kinds } from '../kinds.js';
import { native, type Handle, type Handles } from '../native.js';
import { enterContext } from '../tensor/context/context.js';
import { keep } from '../tensor/memory/scope.js';
import { Tensor, wrapHandle } from '../tensor/tensor.js';
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
import { valueOf, type Scalar } from './scalars.js';
import { scalarKind, takesParameters, type OptimizerSignature } from './optimizerSignature.js';

export interface SGDOptions extends CommonOptions {
  /** The learning rate. Default: 0.001. */
  lr: Scalar;
  /** How much of the last step goes into the next. Default: 0. */
  momentum: number;
  /** How much less the gradient counts with momentum. Default: 0. */
  dampening: number;
  /** How much of the parameter is added to its gradient. Default: 0. */
  weightDecay: number;
  /** Looks ahead by the momentum, which must be given. Default: false. */
  nesterov: boolean;
  /** One operator for the whole step: faster, and rounded differently. Default: null, which is false. */
  fused: boolean | null;
}

const sgdOptions: Kinds<SGDOptions> = {
  lr: scalarKind,
  momentum: number,
  dampening: number,
  weightDecay: number,
  nesterov: boolean,
  ...commonOptions,
  fused: orNull(boolean),
};

const cloneId = native.registerOperators(['clone', '_fused_sgd_', '_fused_sgd_.tensor_lr']);
const fusedId = cloneId + 1;
const none = new Float64Array(0);

const defaults: SGDOptions = {
  lr: 1e-3,
  momentum: 0,
  dampening: 0,
  weightDecay: 0,
  nesterov: false,
  maximize: false,
  foreach: null,
  differentiable: false,
  fused: null,
};

const BUFFER = 'momentum_buffer';

const takes = takesParameters(sgdOptions);

/**
 * Stochastic gradient descent with momentum:
 *
 *     g = gradient + weightDecay * p
 *     b = momentum * b + (1 - dampening) * g, at the first step b = g
 *     p = p - lr * b, with nesterov p - lr * (g + momentum * b)
 *
 * Takes sparse gradients. As `torch.optim.SGD`, bit by bit. Momentum after "On the importance of initialization and
 * momentum in deep learning" (Sutskever et al., 2013).
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * new optim.SGD(new nn.Linear(3, 1).parameters(), { lr: 0.1, momentum: 0.9 });
 */
export class SGD extends Optimizer<SGDOptions> {
  /** @internal What a GradScaler gives to the fused step that it calls. */
  ampScaling: AmpScaling | null = null;
  protected override readonly counters = [];
  protected override readonly sparseAdvice = null;

  constructor(params: Parameters | Iterable<ParameterGroupOptions<SGDOptions>>, options: Partial<SGDOptions> = {}) {
    takes.own.check(new.target.name, arguments);
    super(params, withDefaults(defaults, options));
  }

  protected override signatures(): OptimizerSignature {
    return takes;
  }

  protected override checkOptions(options: SGDOptions): void {
    const { lr, momentum, dampening, weightDecay, nesterov, foreach, fused, differentiable } = options;
    checkNotNegative('lr', lr);
    checkNotNegative('momentum', momentum);
    checkNotNegative('weightDecay', weightDecay);
    if (nesterov && (momentum === 0 || dampening !== 0)) {
      reject(`nesterov needs a momentum and no dampening, got ${momentum} and ${dampening}.`);
    }
    checkFused(foreach, fused, differentiable);
  }

  protected override initialState(): ParameterState {
    return {};
  }

  protected override historyOf(state: ParameterState): string {
    return Tensor.isTensor(state[BUFFER]) ? 'moving' : 'resting';
  }

  protected override update(group: ParameterGroup<SGDOptions>, bucket: Bucket): void {
    if (group.fused === true) this.#updateFused(group, bucket);
    else this.#updateLists(group, bucket);
  }

  // A copy for each parameter, which begins its momentum.
  #begin(bucket: Bucket, gradients: Handles): Handles {
    bucket.parameters.forEach((parameter: Tensor, i) => {
      enterContext();
      const copy = keep(wrapHandle(native.call(cloneId, gradients[i]) as Handle));
      Object.assign(this.state.get(parameter)!, { [BUFFER]: copy.requiresGrad ? keep(copy.detach()) : copy });
    });
    this.forgetBuckets();
    return bucket.state(BUFFER);
  }

  #updateFused(group: ParameterGroup<SGDOptions>, bucket: Bucket): void {
    const { weightDecay, momentum, lr, dampening, nesterov, maximize } = group;
    if (bucket.isSparse) reject('SGD: fused does not support sparse gradients.');
    const isFirst = momentum !== 0 && !bucket.has(BUFFER);
    // A step that is skipped begins no momentum.
    if (isFirst && (this.ampScaling?.foundInf.item<number>() ?? 0) !== 0) return;
    const buffers = momentum === 0 ? none : isFirst ? this.#begin(bucket, bucket.gradients) : bucket.state(BUFFER);
    const [variant, rate] = rateForFused(lr, bucket);
    ops.run(
      fusedId + variant,
      bucket.handles,
      bucket.gradients,
      buffers,
      weightDecay,
      momentum,
      rate,
      dampening,
      nesterov,
      maximize,
      isFirst,
      ...scalingHandles(this.ampScaling, bucket.parameters[0]!),
    );
  }

  #updateLists(group: ParameterGroup<SGDOptions>, bucket: Bucket): void {
    const { weightDecay, momentum, lr, maximize } = group;
    refuseRecordedLists(group);
    let gradients = maximize ? ops.negate(bucket.gradients) : bucket.gradients;
    if (weightDecay !== 0) gradients = ops.addList(gradients, bucket.handles, weightDecay);
    if (momentum !== 0) gradients = this.#withMomentum(group, bucket, gradients);
    if (typeof lr !== 'number' && lr.requiresGrad) addRecorded(bucket.parameters, gradients, lr);
    else ops.addList_(bucket.handles, gradients, -valueOf(lr));
  }

  #withMomentum(group: ParameterGroup<SGDOptions>, bucket: Bucket, gradients: Handles): Handles {
    const { momentum, dampening, nesterov } = group;
    let buffers: Handles;
    if (bucket.has(BUFFER)) {
      buffers = bucket.state(BUFFER);
      bucket.scale_(buffers, momentum, usesLists(group, bucket));
      ops.addList_(buffers, gradients, 1 - dampening);
    } else {
      buffers = this.#begin(bucket, gradients);
    }
    return nesterov ? ops.addList(gradients, buffers, momentum) : buffers;
  }
}

// A learning rate that is to get a gradient itself.
function addRecorded(parameters: readonly Tensor[], gradients: Handles, lr: Tensor): void {
  parameters.forEach((parameter, i) => {
    enterContext();
    const gradient = wrapHandle(native.call(cloneId, gradients[i]) as Handle);
    parameter.addcmul_(gradient, lr.ndim === 0 ? lr : lr.squeeze(), { value: -1 });
  });
}
