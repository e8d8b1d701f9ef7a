import { AiforgeError } from '../../errors.js';
import { boolean, kind, objectKind, orNull } from '../../kinds.js';
import { signature } from '../../signature.js';
import { noGrad } from '../../autograd/modes.js';
import { onesLike, zerosLike } from '../../tensor/generated/functions.js';
import { scope } from '../../tensor/memory/scope.js';
import { Tensor } from '../../tensor/tensor.js';
import type { Module } from '../module.js';
import type { Linear } from '../modules/linear.js';
import { Parameter } from '../parameter.js';
import { tensorKind } from '../../tensor/kinds.js';
import { moduleKind } from '../moduleKinds.js';

/** A convolution or linear layer. */
export interface Weighted extends Module {
  weight: Parameter;
  bias: Parameter | null;
}

/** A batch norm. */
export interface Normalizing extends Module {
  readonly numFeatures: number;
  readonly eps: number;
  readonly weight: Tensor | null;
  readonly bias: Tensor | null;
  readonly runningMean: Tensor | null;
  readonly runningVar: Tensor | null;
}

/** What a batch norm does in evaluation. */
export interface BatchNormTensors {
  runningMean: Tensor;
  runningVar: Tensor;
  eps: number;
  /** Default: ones. */
  weight?: Tensor | null;
  /** Default: zeros. */
  bias?: Tensor | null;
}

type Fused = [weight: Parameter, bias: Parameter];

function refuse(call: string, problem: string): never {
  throw new AiforgeError('INVALID_ARGUMENT', `${call}: ${problem}`);
}

function normOf(
  call: string,
  layer: Module,
  { runningMean, runningVar, eps, weight, bias, training }: Normalizing,
): BatchNormTensors {
  if (layer.training || training) refuse(call, 'expected both layers in evaluation mode: call eval().');
  if (runningMean === null || runningVar === null) refuse(call, 'the batch norm has no running statistics.');
  return { runningMean, runningVar, eps, weight, bias };
}

const normKind = kind<BatchNormTensors>(
  'an object with the Tensors runningMean and runningVar and the number eps',
  (value) =>
    objectKind.accepts(value) &&
    Tensor.isTensor((value as BatchNormTensors).runningMean) &&
    Tensor.isTensor((value as BatchNormTensors).runningVar) &&
    typeof (value as BatchNormTensors).eps === 'number',
);

const fuseWeightsTakes = signature<{ transpose?: boolean }>(
  { weight: tensorKind, bias: orNull(tensorKind), norm: normKind },
  { transpose: boolean },
);

/**
 * The weight and bias of a convolution, transposed or not, that does what it and a batch norm after it do. As
 * `torch.nn.utils.fuse_conv_bn_weights`.
 *
 * @example
 * import { nn, ones, tensor } from 'aiforge';
 * const norm = { runningMean: ones([1]), runningVar: tensor([0.25]), eps: 0 };
 * const [weight, bias] = nn.utils.fuseConvBnWeights(ones([1, 1, 1, 1]), null, norm);
 * weight.item(); // 2
 * bias.item(); // -2
 */
export function fuseConvBnWeights(
  weight: Tensor,
  bias: Tensor | null,
  norm: BatchNormTensors,
  options: { transpose?: boolean } = {},
): Fused {
  fuseWeightsTakes.check('fuseConvBnWeights', arguments);
  const { transpose = false } = options;
  return scope(() =>
    noGrad(() => {
      const { runningMean, runningVar, eps } = norm;
      const own = bias ?? zerosLike(runningMean);
      const scale = norm.weight ?? onesLike(runningMean);
      const inverse = runningVar.add(eps).rsqrt();
      const ones = new Array<number>(weight.dim() - 2).fill(1);
      const shape = transpose ? [1, -1, ...ones] : [-1, 1, ...ones];
      const fused = weight.mul(scale.mul(inverse).reshape(shape)).to(weight.dtype);
      const shift = own
        .sub(runningMean)
        .mul(inverse)
        .mul(scale)
        .add(norm.bias ?? zerosLike(runningMean));
      return pair(weight, bias, fused, shift.to((bias ?? weight).dtype));
    }),
  );
}

const pair = (weight: Tensor, bias: Tensor | null, fused: Tensor, shift: Tensor): Fused => [
  new Parameter(fused, weight.requiresGrad),
  new Parameter(shift, bias?.requiresGrad ?? false),
];

const fuseEvalTakes = signature<{ transpose?: boolean }>(
  { conv: moduleKind, norm: moduleKind },
  { transpose: boolean },
);

/**
 * A copy of a convolution that does what it and the batch norm after it do in evaluation. As
 * `torch.nn.utils.fuse_conv_bn_eval`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for layers in training, and for a batch norm without running statistics.
 * @example
 * import { nn, randn } from 'aiforge';
 * const [conv, norm] = [new nn.Conv2d(2, 3, 2).eval(), new nn.BatchNorm2d(3).eval()];
 * const x = randn([1, 2, 4, 4]);
 * const fused = nn.utils.fuseConvBnEval(conv, norm);
 * fused.forward(x).allclose(norm.forward(conv.forward(x)), { atol: 1e-5 }); // true
 */
export function fuseConvBnEval<C extends Weighted>(
  conv: C,
  norm: Normalizing,
  options: { transpose?: boolean } = {},
): C {
  fuseEvalTakes.check('fuseConvBnEval', arguments);
  const tensors = normOf('fuseConvBnEval', conv, norm);
  const fused = conv.deepCopy();
  [fused.weight, fused.bias] = fuseConvBnWeights(conv.weight, conv.bias, tensors, options);
  return fused;
}

const fuseLinearWeightsTakes = signature({ weight: tensorKind, bias: orNull(tensorKind), norm: normKind });

/**
 * The weight and bias of a linear layer that does what it and a batch norm after it do. As
 * `torch.nn.utils.fuse_linear_bn_weights`.
 *
 * @example
 * import { nn, ones, tensor } from 'aiforge';
 * const norm = { runningMean: ones([2]), runningVar: tensor([0.25, 1]), eps: 0 };
 * const [weight, bias] = nn.utils.fuseLinearBnWeights(ones([2, 3]), null, norm);
 * weight.tolist(); // [[2, 2, 2], [1, 1, 1]]
 * bias.tolist(); // [-2, -1]
 */
export function fuseLinearBnWeights(weight: Tensor, bias: Tensor | null, norm: BatchNormTensors): Fused {
  fuseLinearWeightsTakes.check('fuseLinearBnWeights', arguments);
  return scope(() =>
    noGrad(() => {
      const { runningMean, runningVar, eps } = norm;
      const own = bias ?? zerosLike(runningMean);
      const scale = (norm.weight ?? onesLike(runningMean)).mul(runningVar.add(eps).rsqrt());
      const fused = weight.mul(scale.unsqueeze(-1).to(weight.dtype));
      const shift = own
        .sub(runningMean)
        .mul(scale)
        .add(norm.bias ?? zerosLike(runningMean));
      return pair(weight, bias, fused, shift.to((bias ?? weight).dtype));
    }),
  );
}

const fuseLinearEvalTakes = signature({ linear: moduleKind, norm: moduleKind });

/**
 * A copy of a linear layer that does what it and the batch norm after it do in evaluation. As
 * `torch.nn.utils.fuse_linear_bn_eval`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for layers in training, for a batch norm without running statistics, and for
 *   one of another number of features.
 * @example
 * import { nn, randn } from 'aiforge';
 * const [linear, norm] = [new nn.Linear(3, 2).eval(), new nn.BatchNorm1d(2).eval()];
 * const x = randn([4, 3]);
 * const fused = nn.utils.fuseLinearBnEval(linear, norm);
 * fused.forward(x).allclose(norm.forward(linear.forward(x)), { atol: 1e-5 }); // true
 */
export function fuseLinearBnEval<L extends Linear>(linear: L, norm: Normalizing): L {
  fuseLinearEvalTakes.check('fuseLinearBnEval', arguments);
  const call = 'fuseLinearBnEval';
  const tensors = normOf(call, linear, norm);
  if (norm.numFeatures !== linear.outFeatures && norm.numFeatures !== 1) {
    refuse(call, `the layer has ${linear.outFeatures} features, the batch norm ${norm.numFeatures}.`);
  }
  const fused = linear.deepCopy();
  [fused.weight, fused.bias] = fuseLinearBnWeights(linear.weight, linear.bias, tensors);
  return fused;
}
