import { AiforgeError } from '../errors.js';
import { native, type Handle } from '../native.js';
import { enterContext } from '../tensor/context.js';
import { keep } from '../tensor/scope.js';
import { wrapHandle, type Tensor } from '../tensor/tensor.js';
import type { Bucket, ParameterState } from './bucket.js';
import * as ops from './operators.js';
import { Optimizer, type ParameterGroup, type ParameterGroupOptions, type Parameters } from './optimizer.js';
import { checkImplementation, checkNotNegative, withDefaults } from './options.js';

export interface SGDOptions {
  /** The learning rate. Default: 0.001. */
  lr: number;
  /** How much of the last step goes into the next. Default: 0. */
  momentum: number;
  /** How much less the gradient counts with momentum. Default: 0. */
  dampening: number;
  /** Default: 0. */
  weightDecay: number;
  /** Looks ahead by the momentum, which must be given. Default: false. */
  nesterov: boolean;
  /** Ascends instead of descends. Default: false. */
  maximize: boolean;
  /** Kept for state dicts: the operators on lists are always used where `fused` is not. Default: null. */
  foreach: boolean | null;
  /** One operator for the whole step: faster, and rounded differently. Default: null, which is false. */
  fused: boolean | null;
}

const cloneId = native.registerOperators(['clone', '_fused_sgd_']);
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
  fused: null,
};

const BUFFER = 'momentum_buffer';

/**
 * Stochastic gradient descent with momentum, bit by bit as `torch.optim.SGD`.
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * new optim.SGD(new nn.Linear(3, 1).parameters(), { lr: 0.1, momentum: 0.9 });
 */
export class SGD extends Optimizer<SGDOptions> {
  constructor(params: Parameters | Iterable<ParameterGroupOptions<SGDOptions>>, options: Partial<SGDOptions> = {}) {
    super(params, withDefaults(defaults, options));
  }

  protected override checkOptions(options: SGDOptions): void {
    const { lr, momentum, dampening, weightDecay, nesterov, foreach, fused } = options;
    checkNotNegative('lr', lr);
    checkNotNegative('momentum', momentum);
    checkNotNegative('weightDecay', weightDecay);
    if (nesterov && (momentum === 0 || dampening !== 0)) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `nesterov needs a momentum and no dampening, got ${momentum} and ${dampening}.`,
      );
    }
    checkImplementation(foreach, fused);
  }

  protected override initialState(): ParameterState {
    return {};
  }

  protected override historyOf(state: ParameterState): number {
    return state[BUFFER] === undefined ? 0 : 1;
  }

  protected override update(group: ParameterGroup<SGDOptions>, bucket: Bucket): void {
    if (group.fused === true) this.#updateFused(group, bucket);
    else this.#updateLists(group, bucket);
  }

  // A copy for each parameter, which begins its momentum.
  #begin(bucket: Bucket, gradients: Float64Array): Float64Array {
    bucket.parameters.forEach((parameter: Tensor, i) => {
      enterContext();
      const copy = keep(wrapHandle(native.call(cloneId, gradients[i]) as Handle));
      Object.assign(this.state.get(parameter)!, { [BUFFER]: copy });
    });
    this.forgetBuckets();
    return bucket.state(BUFFER);
  }

  #updateFused(group: ParameterGroup<SGDOptions>, bucket: Bucket): void {
    const { weightDecay, momentum, lr, dampening, nesterov, maximize } = group;
    const isFirst = momentum !== 0 && !bucket.has(BUFFER);
    const buffers = momentum === 0 ? none : isFirst ? this.#begin(bucket, bucket.gradients) : bucket.state(BUFFER);
    ops.run(
      fusedId,
      bucket.handles,
      bucket.gradients,
      buffers,
      weightDecay,
      momentum,
      lr,
      dampening,
      nesterov,
      maximize,
      isFirst,
    );
  }

  #updateLists(group: ParameterGroup<SGDOptions>, bucket: Bucket): void {
    const { weightDecay, momentum, lr, dampening, nesterov, maximize } = group;
    let gradients = maximize ? ops.negate(bucket.gradients) : bucket.gradients;
    if (weightDecay !== 0) gradients = ops.addList(gradients, bucket.handles, weightDecay);
    if (momentum !== 0) gradients = this.#withMomentum(bucket, gradients, momentum, 1 - dampening, nesterov);
    ops.addList_(bucket.handles, gradients, -lr);
  }

  #withMomentum(
    bucket: Bucket,
    gradients: Float64Array,
    momentum: number,
    share: number,
    nesterov: boolean,
  ): Float64Array {
    let buffers: Float64Array;
    if (bucket.has(BUFFER)) {
      buffers = bucket.state(BUFFER);
      ops.multiply_(buffers, momentum);
      ops.addList_(buffers, gradients, share);
    } else {
      buffers = this.#begin(bucket, gradients);
    }
    return nesterov ? ops.addList(gradients, buffers, momentum) : buffers;
  }
}
