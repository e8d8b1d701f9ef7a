import { boolean, count } from '../../kinds.js';
import { signature } from '../../signature.js';
import { zeros, type Tensor } from '../../tensor/index.js';
import { Metric } from '../metric.js';
import { checkOutputs, columns, type OutputOptions } from './outputs.js';

const absoluteTakes = signature<OutputOptions>({}, { numOutputs: count });

/**
 * The mean distance of predictions from targets, float64 []; with `numOutputs` float64 [numOutputs], one for each column of
 * float32 [batch, numOutputs]. As `torchmetrics.MeanAbsoluteError`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { MeanAbsoluteError } from 'aiforge/metrics';
 * new MeanAbsoluteError().forward(tensor([1.5, 2]), tensor([1, 2])).item(); // 0.25
 */
export class MeanAbsoluteError extends Metric {
  override readonly higherIsBetter = false;
  readonly #outputs: number;

  constructor({ numOutputs = 1 }: OutputOptions = {}) {
    absoluteTakes.check(new.target.name, arguments);
    super();
    this.#outputs = numOutputs;
    this.addState('sum', zeros(numOutputs === 1 ? [] : [numOutputs], { dtype: 'float64' }), 'sum');
    this.addState('count', zeros([], { dtype: 'int64' }), 'sum');
  }

  protected override accumulate(predictions: Tensor, targets: Tensor): void {
    checkOutputs(this.constructor.name, predictions, targets, this.#outputs);
    const distances = columns(predictions, this.#outputs).sub(columns(targets, this.#outputs)).abs();
    this.add('sum', distances.sum(this.#outputs === 1 ? undefined : 0));
    this.add('count', distances.size(0));
  }

  protected override result(): Tensor {
    return this.state('sum').div(this.state('count'));
  }
}

export interface MeanSquaredErrorOptions extends OutputOptions {
  /** Whether the value is the mean square; false takes its root, the RMSE. Default: true. */
  squared?: boolean;
}

const squaredTakes = signature<MeanSquaredErrorOptions>({}, { squared: boolean, numOutputs: count });

/**
 * The mean squared distance of predictions from targets, float64 [], or its root; with `numOutputs` one for each column. As
 * `torchmetrics.MeanSquaredError`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import { MeanSquaredError } from 'aiforge/metrics';
 * new MeanSquaredError({ squared: false }).forward(tensor([1.5, 2.5]), tensor([1, 2])).item(); // 0.5
 */
export class MeanSquaredError extends Metric {
  override readonly higherIsBetter = false;
  readonly #outputs: number;
  readonly #squared: boolean;

  constructor({ squared = true, numOutputs = 1 }: MeanSquaredErrorOptions = {}) {
    squaredTakes.check(new.target.name, arguments);
    super();
    this.#outputs = numOutputs;
    this.#squared = squared;
    this.addState('sum', zeros(numOutputs === 1 ? [] : [numOutputs], { dtype: 'float64' }), 'sum');
    this.addState('count', zeros([], { dtype: 'int64' }), 'sum');
  }

  protected override accumulate(predictions: Tensor, targets: Tensor): void {
    checkOutputs(this.constructor.name, predictions, targets, this.#outputs);
    const distances = columns(predictions, this.#outputs).sub(columns(targets, this.#outputs));
    this.add('sum', distances.square().sum(this.#outputs === 1 ? undefined : 0));
    this.add('count', distances.size(0));
  }

  protected override result(): Tensor {
    const mean = this.state('sum').div(this.state('count'));
    return this.#squared ? mean : mean.sqrt();
  }
}
