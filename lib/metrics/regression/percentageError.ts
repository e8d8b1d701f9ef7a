import { nothing } from '../../signature.js';
import { zeros, type Tensor } from '../../tensor/index.js';
import { Metric } from '../metric.js';
import { checkPair } from '../pairs.js';
import { columns } from './outputs.js';

/** The least that an error is a share of, as in torchmetrics: a target of 0 has no shares. */
const LEAST = 1.17e-6;

/**
 * The mean of the errors as shares of their targets' sizes (0.1 is 10 %), of float32 of any shape; float64 []. As
 * `torchmetrics.MeanAbsolutePercentageError`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { MeanAbsolutePercentageError } from 'aiforge/metrics';
 * new MeanAbsolutePercentageError().forward(tensor([1.5, 4]), tensor([1, 4])).item(); // 0.25
 */
export class MeanAbsolutePercentageError extends Metric {
  override readonly higherIsBetter = false;

  constructor() {
    nothing.check(new.target.name, arguments);
    super();
    this.addState('sum', zeros([], { dtype: 'float64' }), 'sum');
    this.addState('count', zeros([], { dtype: 'int64' }), 'sum');
  }

  protected override accumulate(predictions: Tensor, targets: Tensor): void {
    checkPair(this.constructor.name, predictions, targets);
    const wanted = columns(targets, 1);
    const errors = columns(predictions, 1).sub(wanted).abs();
    this.add('sum', errors.div(wanted.abs().clamp(LEAST)).sum());
    this.add('count', wanted.size(0));
  }

  protected override result(): Tensor {
    return this.state('sum').div(this.state('count'));
  }
}
