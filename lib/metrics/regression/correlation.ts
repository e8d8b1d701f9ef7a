import { count } from '../../kinds.js';
import { signature } from '../../signature.js';
import { stack, unique, zeros, type Tensor } from '../../tensor/index.js';
import { Metric } from '../metric.js';
import { isConstant, mergedMoments, MOMENTS, momentsOf, unpack } from './moments.js';
import { checkRows, rows, type OutputOptions } from './outputs.js';

const takes = signature<OutputOptions>({}, { numOutputs: count });

/** The correlations of moments, [columns], or [] of one column; `flat` where the numbers of one side are all the same. */
function correlationOf(moments: Tensor, flat: number): Tensor {
  const { count, meanA, meanB, aa, bb, ab } = unpack(moments);
  const isFlat = isConstant(aa, meanA, count).logicalOr(isConstant(bb, meanB, count));
  const values = ab.div(aa.sqrt().mul(bb.sqrt())).clamp(-1, 1).maskedFill(isFlat, flat);
  return values.size(0) === 1 ? values.squeeze(0) : values;
}

/**
 * Pearson's correlation of predictions and targets, float32 [batch] or [batch, numOutputs], from -1 to 1; float64 [], or
 * [numOutputs]. NaN where predictions or targets are all the same. As `torchmetrics.PearsonCorrCoef`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { PearsonCorrCoef } from 'aiforge/metrics';
 * Number(new PearsonCorrCoef().forward(tensor([1, 2, 3]), tensor([2, 4, 6])).item().toFixed(6)); // 1.000000
 */
export class PearsonCorrCoef extends Metric {
  readonly #outputs: number;

  constructor({ numOutputs = 1 }: OutputOptions = {}) {
    takes.check(new.target.name, arguments);
    super();
    this.#outputs = numOutputs;
    this.addState('moments', zeros([MOMENTS, numOutputs], { dtype: 'float64' }), mergedMoments);
  }

  protected override accumulate(predictions: Tensor, targets: Tensor): void {
    checkRows(this.constructor.name, predictions, targets, this.#outputs);
    const batch = momentsOf(rows(predictions, this.#outputs), rows(targets, this.#outputs));
    this.setState('moments', mergedMoments(this.state('moments'), batch));
  }

  protected override result(): Tensor {
    return correlationOf(this.state('moments'), NaN);
  }
}

/**
 * Spearman's correlation: Pearson's of the ranks, where equal numbers share the mean of theirs; float32 [batch] or
 * [batch, numOutputs] to float64 [], or [numOutputs]. 0 where predictions or targets are all the same. It keeps all numbers.
 * As `torchmetrics.SpearmanCorrCoef`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { SpearmanCorrCoef } from 'aiforge/metrics';
 * Number(new SpearmanCorrCoef().forward(tensor([1, 2, 3, 9]), tensor([1, 3, 2, 4])).item().toFixed(6)); // 0.800000
 */
export class SpearmanCorrCoef extends Metric {
  override readonly higherIsBetter = true;
  readonly #outputs: number;

  constructor({ numOutputs = 1 }: OutputOptions = {}) {
    takes.check(new.target.name, arguments);
    super();
    this.#outputs = numOutputs;
    this.addState('predictions', [], 'cat');
    this.addState('targets', [], 'cat');
  }

  protected override accumulate(predictions: Tensor, targets: Tensor): void {
    checkRows(this.constructor.name, predictions, targets, this.#outputs);
    this.append('predictions', rows(predictions, this.#outputs));
    this.append('targets', rows(targets, this.#outputs));
  }

  protected override result(): Tensor {
    return correlationOf(momentsOf(ranks(this.state('predictions')), ranks(this.state('targets'))), 0);
  }
}

/** The place of each number in its column when that is sorted, from 1. */
const ranks = (values: Tensor): Tensor => stack(values.unbind(1).map(ranksOfColumn), 1);

function ranksOfColumn(values: Tensor): Tensor {
  const [, place, counts] = unique(values, { returnInverse: true, returnCounts: true });
  const mean = counts.cumsum(0).to('float64').sub(counts.sub(1).div(2));
  // NaN has no place among numbers.
  return mean.take(place).maskedFill(values.isnan(), NaN);
}
