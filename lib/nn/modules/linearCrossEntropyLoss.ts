import { boolean, number, whole, size, orNull, listOf, kind, type Kinds } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { CrossEntropyOptions } from '../functional/classificationLosses.js';
import { linearCrossEntropy } from '../functional/linearCrossEntropy.js';
import { LinearCrossEntropyOptions, type LinearCrossEntropySettings } from '../functional/linearCrossEntropyOptions.js';
import { refuse, sizes, reductionOptions } from '../functional/reductions.js';
import { pythonBoolean, pythonFloat, pythonTuple } from '../printing/printing.js';
import { Linear, factoryOptions, type FactoryOptions } from './linear.js';
import { WeightedLoss } from './losses.js';
import { tensorKind } from '../../tensor/kinds.js';
import { refuseSurplus } from '../checks.js';

export {
  LinearCrossEntropyOptions,
  type AccumulationPolicy,
  type LinearCrossEntropySettings,
} from '../functional/linearCrossEntropyOptions.js';

export interface LinearCrossEntropyLossOptions extends Omit<CrossEntropyOptions, 'ignoreIndex'>, FactoryOptions {
  /** The sizes after the batch of a target with several classes a sample. Default: none. */
  outFeatures?: readonly number[];
  /** Whether the linear layer adds a bias. Default: false. */
  bias?: boolean;
  /** A class that counts for nothing; not for targets of probabilities. Default: -100. */
  ignoreIndex?: number | null;
  /** How the batch is cut so that its logits never exist at once. Default: it is not. */
  options?: LinearCrossEntropySettings | null;
}

const linearCrossEntropyLossOptions: Kinds<LinearCrossEntropyLossOptions> = {
  outFeatures: listOf(size),
  bias: boolean,
  weight: orNull(tensorKind),
  ignoreIndex: orNull(whole),
  ...reductionOptions,
  labelSmoothing: number,
  options: orNull(kind<LinearCrossEntropySettings>('an object of settings', (value) => typeof value === 'object')),
  ...factoryOptions,
};

const linearCrossEntropyLossTakes = signature({ inFeatures: size, numClasses: size }, linearCrossEntropyLossOptions);

/**
 * A linear layer and the cross entropy of its results with class numbers or probabilities, the head of a language model:
 * `crossEntropy(input @ weight.T + bias, target)`. Input [batch, inFeatures] or [inFeatures]; target [batch, …outFeatures]
 * or a scalar, or probabilities [batch, numClasses, …outFeatures]. The class weight is a buffer. As
 * `torch.nn.LinearCrossEntropyLoss`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a weight that is not [numClasses], a label smoothing outside 0 to 1 and an
 * unknown reduction.
 * @example
 * import { nn, tensor, zeros } from 'aiforge';
 * const loss = new nn.LinearCrossEntropyLoss(3, 4);
 * loss.forward(zeros([2, 3]), tensor([1, 3])).item(); // 1.3862943649291992
 */
export class LinearCrossEntropyLoss extends WeightedLoss {
  readonly numClasses: number;
  readonly outFeatures: readonly number[];
  readonly ignoreIndex: number | null;
  readonly labelSmoothing: number;
  readonly linear: Linear;
  readonly options: LinearCrossEntropyOptions | null;

  constructor(inFeatures: number, numClasses: number, given: LinearCrossEntropyLossOptions = {}) {
    linearCrossEntropyLossTakes.check(new.target.name, arguments);
    const {
      outFeatures = [],
      bias = false,
      weight = null,
      reduction = 'mean',
      ignoreIndex = null,
      labelSmoothing = 0,
      options = null,
      ...factory
    } = given;
    super({ weight, reduction });
    const name = 'LinearCrossEntropyLoss';
    if (weight !== null && (weight.dim() !== 1 || weight.size(0) !== numClasses)) {
      refuse(name, `expected a weight [${numClasses}], got ${sizes(weight)}`);
    }
    if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
      refuse(name, `labelSmoothing must be between 0 and 1, got ${show(labelSmoothing)}`);
    }
    this.numClasses = numClasses;
    this.outFeatures = outFeatures;
    this.ignoreIndex = ignoreIndex;
    this.labelSmoothing = labelSmoothing;
    const outputs = outFeatures.reduce((product, size) => product * size, numClasses);
    this.linear = new Linear(inFeatures, outputs, { bias, ...factory });
    this.options = LinearCrossEntropyOptions.of(options);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    if (arguments.length > 2) refuseSurplus(this, arguments, 2);
    const { numClasses, outFeatures, linear, weight, reduction, ignoreIndex, labelSmoothing, options } = this;
    const shape = [numClasses, ...outFeatures];
    const linearBias = linear.bias?.reshape(shape) ?? null;
    const settings = { linearBias, weight, reduction, ignoreIndex, labelSmoothing, options };
    return linearCrossEntropy(input, linear.weight.reshape([...shape, linear.inFeatures]), target, settings);
  }

  override extraRepr(): string {
    const { linear, numClasses, outFeatures, reduction, ignoreIndex, labelSmoothing, options } = this;
    const fields = [
      `in_features=${linear.inFeatures}`,
      `num_classes=${numClasses}`,
      `out_features=${pythonTuple(outFeatures)}`,
      `bias=${pythonBoolean(linear.bias !== null)}`,
      `reduction=${reduction}`,
      `ignore_index=${ignoreIndex ?? 'None'}`,
      `label_smoothing=${pythonFloat(labelSmoothing)}`,
      `options=${options === null ? 'None' : String(options)}`,
    ];
    return fields.join(', ');
  }
}
