import { boolean, whole, type Kinds } from '../../kinds.js';
import type { Tensor } from '../../tensor/tensor.js';
import { reductionNumber } from '../operators.js';
import { named, type Rest } from './arguments.js';
import { aten } from '../../tensor/calls/aten.js';
import { reductionOptions, type ReductionOptions } from './reductions.js';

export interface CtcLossOptions extends ReductionOptions {
  /** The blank's label. Default: 0. */
  blank?: number;
  /** Whether infinite losses count as 0. Default: false. */
  zeroInfinity?: boolean;
}

export const ctcLossOptions: Kinds<CtcLossOptions> = { blank: whole, ...reductionOptions, zeroInfinity: boolean };

const ctc = { lists: aten('ctc_loss.IntList'), tensors: aten('ctc_loss.Tensor') };

/** The lengths of sequences: a tensor of integers or a list. */
export type Lengths = Tensor | readonly number[];

/**
 * Connectionist temporal classification: the negative log likelihood of labels without alignment, from log
 * probabilities [time, batch, classes]. As `torch.nn.functional.ctc_loss`.
 *
 * @example
 * import { nn, tensor, zeros } from 'aiforge';
 * const logProbs = nn.functional.logSoftmax(zeros([2, 1, 2]), 2);
 * nn.functional.ctcLoss(logProbs, tensor([[1]]), [2], [1]).shape; // []
 */
export function ctcLoss(
  logProbs: Tensor,
  targets: Tensor,
  inputLengths: Lengths,
  targetLengths: Lengths,
  ...rest: Rest<CtcLossOptions, ['blank', 'reduction', 'zeroInfinity']>
): Tensor {
  const defaults = { blank: 0, reduction: 'mean' as const, zeroInfinity: false };
  const { blank, reduction, zeroInfinity } = named<CtcLossOptions>('ctcLoss', rest, defaults);
  const loss = Array.isArray(inputLengths) ? ctc.lists : ctc.tensors;
  return loss(logProbs, targets, inputLengths, targetLengths, blank, reductionNumber(reduction), zeroInfinity);
}
