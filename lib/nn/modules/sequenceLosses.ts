import { signature } from '../../signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import { ctcLoss, ctcLossOptions, type CtcLossOptions, type Lengths } from '../functional/sequenceLosses.js';
import { PlainLoss } from './losses.js';
import { refuseSurplus } from '../checks.js';

const ctcLossTakes = signature({}, ctcLossOptions);

/**
 * Connectionist temporal classification: the negative log likelihood of labels over all their alignments with a sequence.
 * Log probabilities [time, batch, classes], targets [batch, longest target] or all in one row, lengths [batch]; without a
 * batch [time, classes], [target] and scalars. `'mean'` divides each loss by its target's length first. As
 * `torch.nn.CTCLoss`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for an unknown reduction.
 * @example
 * import { nn, tensor, zeros } from 'aiforge';
 * const logProbs = nn.functional.logSoftmax(zeros([2, 1, 2]), 2);
 * new nn.CTCLoss().forward(logProbs, tensor([[1]]), [2], [1]).shape; // []
 */
export class CTCLoss extends PlainLoss {
  readonly blank: number;
  readonly zeroInfinity: boolean;

  constructor(options: CtcLossOptions = {}) {
    ctcLossTakes.check(new.target.name, arguments);
    const { blank = 0, zeroInfinity = false, ...rest } = options;
    super(rest);
    this.blank = blank;
    this.zeroInfinity = zeroInfinity;
  }

  override forward(logProbs: Tensor, targets: Tensor, inputLengths: Lengths, targetLengths: Lengths): Tensor {
    if (arguments.length > 4) refuseSurplus(this, arguments, 4);
    const { blank, reduction, zeroInfinity } = this;
    return ctcLoss(logProbs, targets, inputLengths, targetLengths, blank, reduction, zeroInfinity);
  }
}
