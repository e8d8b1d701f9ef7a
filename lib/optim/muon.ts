import { boolean, number, whole, oneOf, orNull, tuple, type Kinds } from '../kinds.js';
import { show } from '../show.js';
import { addmm, linalg } from '../tensor/index.js';
import { zerosLike } from '../tensor/generated/functions.js';
import { keep } from '../tensor/memory/scope.js';
import { handlesOf, type Tensor } from '../tensor/tensor.js';
import type { Bucket, ParameterState } from './bucket.js';
import * as ops from './operators.js';
import { Optimizer, type ParameterGroup, type ParameterGroupOptions, type Parameters } from './optimizer.js';
import { checkNotNegative, reject, withDefaults } from './options.js';
import { minus, times, valueOf, withoutDimensions, type Scalar } from './scalars.js';
import { scalarKind, takesParameters, type OptimizerSignature } from './optimizerSignature.js';

export interface MuonOptions {
  /** The learning rate. Default: 0.001. */
  lr: Scalar;
  /** How much of the weights decays at each step, times the learning rate. Default: 0.1. */
  weightDecay: number;
  /** How slowly the average of gradients changes. Default: 0.95. */
  momentum: number;
  /** Looks ahead by the momentum. Default: true. */
  nesterov: boolean;
  /** The polynomial of the Newton-Schulz iteration. Default: [3.4445, -4.775, 2.0315]. */
  nsCoefficients: readonly [number, number, number];
  /** The least norm to divide by. Default: 1e-7. */
  eps: number;
  /** How many iterations, below 100. Default: 5. */
  nsSteps: number;
  /**
   * How the learning rate follows a matrix of n rows and m columns: `'original'` by sqrt(max(1, n / m)),
   * `'match_rms_adamw'` by 0.2 sqrt(max(n, m)), so that one made for AdamW fits. Default: null, which is `'original'`.
   */
  adjustLrFn: 'original' | 'match_rms_adamw' | null;
}

const muonOptions: Kinds<MuonOptions> = {
  lr: scalarKind,
  weightDecay: number,
  momentum: number,
  nesterov: boolean,
  nsCoefficients: tuple(number, number, number),
  eps: number,
  nsSteps: whole,
  adjustLrFn: orNull(oneOf('original', 'match_rms_adamw')),
};

const defaults: MuonOptions = {
  lr: 1e-3,
  weightDecay: 0.1,
  momentum: 0.95,
  nesterov: true,
  nsCoefficients: [3.4445, -4.775, 2.0315],
  eps: 1e-7,
  nsSteps: 5,
  adjustLrFn: null,
};

const BUFFER = 'momentum_buffer';

const takes = takesParameters(muonOptions);

/**
 * Momentum whose steps are made orthogonal, for the weights of hidden layers: matrices only; biases, embeddings and the
 * last layer are for AdamW. A parameter at a time, in bfloat16 products:
 *
 *     b = momentum * b + (1 - momentum) * gradient
 *     O = the orthogonal matrix next to b, or with nesterov to momentum * b + (1 - momentum) * gradient
 *     p = (1 - lr * weightDecay) * p - adjusted(lr) * O
 *
 * As `torch.optim.Muon`, bit by bit. After "Muon: An optimizer for hidden layers in neural networks" (Jordan, 2024) and
 * "Muon is Scalable for LLM Training" (Liu et al., 2025).
 *
 * @example
 * import { nn, optim } from 'aiforge';
 * const layer = new nn.Linear(8, 8);
 * new optim.Muon([layer.weight], { lr: 0.02 });
 */
export class Muon extends Optimizer<MuonOptions> {
  protected override readonly floats = ['nsCoefficients'];
  protected override readonly counters = [];

  constructor(params: Parameters | Iterable<ParameterGroupOptions<MuonOptions>>, options: Partial<MuonOptions> = {}) {
    takes.own.check(new.target.name, arguments);
    super(params, withDefaults(defaults, options));
  }

  protected override signatures(): OptimizerSignature {
    return takes;
  }

  protected override checkOptions({ lr, weightDecay, momentum, adjustLrFn, ...iteration }: MuonOptions): void {
    checkNotNegative('lr', lr);
    checkNotNegative('momentum', momentum);
    checkNotNegative('weightDecay', weightDecay);
    const count: number = iteration.nsCoefficients.length;
    if (count !== 3) reject(`nsCoefficients: expected 3 numbers, got ${count}.`);
    if (!(iteration.nsSteps < 100)) reject(`nsSteps: expected less than 100, got ${show(iteration.nsSteps)}.`);
    if (![null, 'original', 'match_rms_adamw'].includes(adjustLrFn)) {
      reject(`adjustLrFn: expected null, 'original' or 'match_rms_adamw', got ${show(adjustLrFn)}.`);
    }
  }

  protected override checkParameter(parameter: Tensor): void {
    if (parameter.ndim !== 2)
      reject(`Muon takes matrices only, got a parameter of shape [${parameter.shape.join(', ')}].`);
  }

  protected override initialState(_: ParameterGroup<MuonOptions>, parameter: Tensor): ParameterState {
    if (parameter.dtype.startsWith('complex')) reject('Muon does not support complex parameters.');
    return { [BUFFER]: keep(zerosLike(parameter)) };
  }

  protected override update(group: ParameterGroup<MuonOptions>, bucket: Bucket): void {
    const { weightDecay, momentum, nesterov } = group;
    const lr = withoutDimensions(group.lr);
    bucket.parameters.forEach((parameter, i) => {
      const gradient = parameter.grad!;
      const buffer = bucket.tensor(BUFFER, i);
      buffer.lerp_(gradient, 1 - momentum);
      const direction = orthogonal(nesterov ? gradient.lerp(buffer, momentum) : buffer, group);
      ops.scale_(handlesOf([parameter]), valueOf(minus(1, times(lr, weightDecay))));
      parameter.add_(direction, { alpha: -valueOf(times(lr, adjustment(group, parameter.shape))) });
    });
  }
}

/** The Newton-Schulz iteration towards the orthogonal matrix of the same singular vectors. */
function orthogonal(matrix: Tensor, { nsCoefficients, nsSteps, eps }: MuonOptions): Tensor {
  const [a, b, c] = nsCoefficients;
  const isTall = matrix.size(0) > matrix.size(1);
  let result = matrix.to('bfloat16');
  if (isTall) result = result.t();
  result.div_(linalg.vectorNorm(result).clamp({ min: eps }));
  for (let i = 0; i < nsSteps; ++i) {
    const gram = result.matmul(result.t());
    const update = addmm(gram, gram, gram, { beta: b, alpha: c });
    result = addmm(result, update, result, { beta: a });
  }
  return isTall ? result.t() : result;
}

function adjustment({ adjustLrFn }: MuonOptions, [rows, columns]: number[]): number {
  if (adjustLrFn === 'match_rms_adamw') return 0.2 * Math.sqrt(Math.max(rows!, columns!));
  return Math.sqrt(Math.max(1, rows! / columns!));
}
