import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import {
  checkMultiMargin,
  marginRankingLoss,
  multilabelMarginLoss,
  multilabelSoftMarginLoss,
  multiMarginLoss,
  softMarginLoss,
  marginRankingLossOptions,
  multiMarginLossOptions,
  type MarginRankingLossOptions,
  type MultiMarginLossOptions,
} from '../functional/marginLosses.js';
import { PlainLoss, WeightedLoss } from './losses.js';
import { refuseSurplus } from '../checks.js';

const marginRankingLossTakes = signature({}, marginRankingLossOptions);

/**
 * Whether the first or, with target -1, the second input ranks higher by `margin`:
 * `max(0, -target * (input1 - input2) + margin)`. Three tensors [batch] or scalars. As `torch.nn.MarginRankingLoss`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an unknown reduction, and from forward for different numbers of dimensions.
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.MarginRankingLoss({ margin: 1 }).forward(tensor([0.5]), tensor([2.5]), tensor([1])).item(); // 3
 */
export class MarginRankingLoss extends PlainLoss {
  readonly margin: number;

  constructor(options: MarginRankingLossOptions = {}) {
    marginRankingLossTakes.check(new.target.name, arguments);
    const { margin = 0, ...rest } = options;
    super(rest);
    this.margin = margin;
  }

  override forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    if (arguments.length > 3) refuseSurplus(this, arguments, 3);
    return marginRankingLoss(input1, input2, target, this.margin, this.reduction);
  }
}

/**
 * The hinge loss of several classes a sample: `max(0, 1 - (x[j] - x[i])) / classes` over each class j of the target and
 * each i that is none. Input [batch, classes] or [classes]; a target of the same shape lists class numbers, the first -1
 * ends a list. As `torch.nn.MultiLabelMarginLoss`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an unknown reduction.
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.MultiLabelMarginLoss().forward(tensor([[0.5, 0, 0, 0]]), tensor([[0, -1, 0, 0]])).item(); // 0.375
 */
export class MultiLabelMarginLoss extends PlainLoss {
  override forward(input: Tensor, target: Tensor): Tensor {
    if (arguments.length > 2) refuseSurplus(this, arguments, 2);
    return multilabelMarginLoss(input, target, this.reduction);
  }
}

/**
 * The logistic loss of several classes a sample, the mean over the classes of
 * `-weight * (target * log(sigmoid(x)) + (1 - target) * log(sigmoid(-x)))`. Input and target of 0 and 1 [batch, classes];
 * `weight`, [classes], is a buffer. As `torch.nn.MultiLabelSoftMarginLoss`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an unknown reduction.
 * @example
 * import { nn, tensor, zeros } from 'aiforge';
 * new nn.MultiLabelSoftMarginLoss().forward(zeros([1, 2]), tensor([[0, 1]])).item(); // 0.6931471824645996
 */
export class MultiLabelSoftMarginLoss extends WeightedLoss {
  override forward(input: Tensor, target: Tensor): Tensor {
    if (arguments.length > 2) refuseSurplus(this, arguments, 2);
    return multilabelSoftMarginLoss(input, target, this.weight, this.reduction);
  }
}

const multiMarginLossTakes = signature({}, multiMarginLossOptions);

/**
 * The hinge loss of one class a sample, summed over the other classes i:
 * `weight[target] * max(0, margin - x[target] + x[i])^p / classes`. Input [batch, classes] or [classes], target of class
 * numbers [batch] or a scalar; `weight`, [classes], is a buffer. As `torch.nn.MultiMarginLoss`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an unknown reduction, a power other than 1 and 2 and a weight that does not
 * have one dimension.
 * @example
 * import { nn, tensor } from 'aiforge';
 * new nn.MultiMarginLoss({ p: 2 }).forward(tensor([[0.5, 0, 0, 0]]), tensor([0])).item(); // 0.1875
 */
export class MultiMarginLoss extends WeightedLoss {
  readonly p: number;
  readonly margin: number;

  constructor(options: MultiMarginLossOptions = {}) {
    multiMarginLossTakes.check(new.target.name, arguments);
    const { p = 1, margin = 1, ...rest } = options;
    super(rest);
    checkMultiMargin('MultiMarginLoss', p, this.weight);
    this.p = p;
    this.margin = margin;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    if (arguments.length > 2) refuseSurplus(this, arguments, 2);
    return multiMarginLoss(input, target, this.p, this.margin, this.weight, this.reduction);
  }
}

/**
 * The logistic loss `log(1 + exp(-target * input))` of targets 1 and -1: two tensors of one shape [...]. As
 * `torch.nn.SoftMarginLoss`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an unknown reduction.
 * @example
 * import { nn, tensor, zeros } from 'aiforge';
 * new nn.SoftMarginLoss().forward(zeros([2]), tensor([1, -1])).item(); // 0.6931471824645996
 */
export class SoftMarginLoss extends PlainLoss {
  override forward(input: Tensor, target: Tensor): Tensor {
    if (arguments.length > 2) refuseSurplus(this, arguments, 2);
    return softMarginLoss(input, target, this.reduction);
  }
}
