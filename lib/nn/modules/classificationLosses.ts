import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import {
  binaryCrossEntropy,
  klDiv,
  klReductionNumber,
  nllLossOptions,
  crossEntropyOptions,
  binaryCrossEntropyOptions,
  klDivOptions,
  type BinaryCrossEntropyOptions,
  type CrossEntropyOptions,
  type KlDivOptions,
  type KlReduction,
  type NllLossOptions,
} from '../functional/classificationLosses.js';
import { checkTargetShape } from '../functional/reductions.js';
import * as operators from '../operators.js';
import { warnOnce } from '../../warnOnce.js';
import { PlainLoss, ReducedLoss, WeightedLoss } from './losses.js';
import { refuseSurplus } from '../checks.js';

const nllLossTakes = signature({}, nllLossOptions);

/**
 * The negative log likelihood `-weight[target] * input[target]` of class numbers [batch, …], from log probabilities
 * [batch, classes, …] or, for one sample, [classes] and a scalar. `weight` is a buffer. As `torch.nn.NLLLoss`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an unknown reduction.
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.NLLLoss().forward(tensor([[-0.5, -1.5]]), tensor([1])).item(); // 1.5
 */
export class NLLLoss extends WeightedLoss {
  readonly ignoreIndex: number;

  constructor(options: NllLossOptions = {}) {
    nllLossTakes.check(new.target.name, arguments);
    const { ignoreIndex = -100, ...rest } = options;
    super(rest);
    this.ignoreIndex = ignoreIndex;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    if (arguments.length > 2) refuseSurplus(this, arguments, 2);
    return operators.nllLoss(input, target, this.weight, this.reductionNumber, this.ignoreIndex);
  }
}

/**
 * `NLLLoss` under an old name, deprecated, as it says in the log: `NLLLoss` takes images too. As `torch.nn.NLLLoss2d`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an unknown reduction.
 * @example
 * import { nn, tensor, zeros } from 'aiforge';
 * new nn.NLLLoss2d().forward(zeros([1, 3, 1, 2]), tensor([[[0, 2]]])).item(); // 0
 */
export class NLLLoss2d extends NLLLoss {
  constructor(options: NllLossOptions = {}) {
    nllLossTakes.check(new.target.name, arguments);
    super(options);
    warnOnce('NLLLoss2d is deprecated; use NLLLoss, which does the same.');
  }
}

const crossEntropyLossTakes = signature({}, crossEntropyOptions);

/**
 * The cross entropy `-weight[target] * log(softmax(input)[target])` of logits [batch, classes, …] with class numbers
 * [batch, …] or class probabilities of the logits' shape; for one sample, [classes] and a scalar or [classes]. `weight` is
 * a buffer. As `torch.nn.CrossEntropyLoss`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an unknown reduction.
 * @example
 * import { nn, tensor, zeros } from 'aiforge';
 * new nn.CrossEntropyLoss({ reduction: 'none' }).forward(zeros([2, 4]), tensor([1, 3])).shape; // [2]
 */
export class CrossEntropyLoss extends WeightedLoss {
  readonly ignoreIndex: number;
  readonly labelSmoothing: number;

  constructor(options: CrossEntropyOptions = {}) {
    crossEntropyLossTakes.check(new.target.name, arguments);
    const { ignoreIndex = -100, labelSmoothing = 0, ...rest } = options;
    super(rest);
    this.ignoreIndex = ignoreIndex;
    this.labelSmoothing = labelSmoothing;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    if (arguments.length > 2) refuseSurplus(this, arguments, 2);
    const { weight, reductionNumber, ignoreIndex, labelSmoothing } = this;
    return operators.crossEntropyLoss(input, target, weight, reductionNumber, ignoreIndex, labelSmoothing);
  }
}

/**
 * The binary cross entropy `-weight * (target * log(input) + (1 - target) * log(1 - input))` of probabilities with
 * targets between 0 and 1 of the same shape [...]. `weight`, broadcast to it, is a buffer. As `torch.nn.BCELoss`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an unknown reduction, and from forward for a target of another shape.
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.BCELoss().forward(tensor([0.5, 0.5]), tensor([0.5, 1])).item(); // 0.6931471824645996
 */
export class BCELoss extends WeightedLoss {
  override forward(input: Tensor, target: Tensor): Tensor {
    if (arguments.length > 2) refuseSurplus(this, arguments, 2);
    return binaryCrossEntropy(input, target, this.weight, this.reduction);
  }
}

const bceWithLogitsLossTakes = signature({}, binaryCrossEntropyOptions);

/**
 * `BCELoss` of `sigmoid(input)` in one step, which does not lose small numbers; `posWeight` multiplies the part of the
 * positive answers. Input and target [...]. `weight` and `posWeight`, broadcast to it, are buffers. As
 * `torch.nn.BCEWithLogitsLoss`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an unknown reduction, and from forward for a target of another shape.
 * @example
 * import { nn, tensor, zeros } from 'aiforge';
 * new nn.BCEWithLogitsLoss({ posWeight: tensor([2.5]) }).forward(zeros([1]), tensor([0.5])).shape; // []
 */
export class BCEWithLogitsLoss extends PlainLoss {
  declare weight: Tensor | null;
  declare posWeight: Tensor | null;

  constructor(options: BinaryCrossEntropyOptions = {}) {
    bceWithLogitsLossTakes.check(new.target.name, arguments);
    const { weight = null, posWeight = null, ...rest } = options;
    super(rest);
    this.registerBuffer('weight', weight);
    this.registerBuffer('posWeight', posWeight);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    if (arguments.length > 2) refuseSurplus(this, arguments, 2);
    checkTargetShape('BCEWithLogitsLoss', input, target);
    return operators.binaryCrossEntropyWithLogits(input, target, this.weight, this.posWeight, this.reductionNumber);
  }
}

const klDivLossTakes = signature({}, klDivOptions);

/**
 * The Kullback-Leibler divergence `target * (log(target) - input)` of log probabilities from a target of probabilities,
 * or with `logTarget` of log probabilities: two tensors of one shape [...]. As `torch.nn.KLDivLoss`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an unknown reduction.
 * @example
 * import { nn, tensor } from 'aiforge';
 * const half = tensor([[0.5, 0.5]]);
 * new nn.KLDivLoss({ reduction: 'batchmean' }).forward(half.log(), half).item(); // 0
 */
export class KLDivLoss extends ReducedLoss<KlReduction> {
  readonly logTarget: boolean;

  constructor(options: KlDivOptions = {}) {
    klDivLossTakes.check(new.target.name, arguments);
    const { reduction = 'mean', logTarget = false } = options;
    super(reduction, klReductionNumber);
    this.logTarget = logTarget;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    if (arguments.length > 2) refuseSurplus(this, arguments, 2);
    return klDiv(input, target, this.reduction, this.logTarget);
  }
}
