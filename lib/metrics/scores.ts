import { zeros, type Tensor } from '../tensor/index.js';
import { Metric } from './metric.js';

/** Of many scores their mean or sum, or all of them one after the other. */
export type ScoreReduction = 'mean' | 'sum' | 'none';

/** Gives each sample a score. */
export abstract class ScoresMetric<
  Batch extends unknown[] = [predictions: Tensor, targets: Tensor],
> extends Metric<Batch> {
  readonly #reduction: ScoreReduction;

  constructor(reduction: ScoreReduction) {
    super();
    this.#reduction = reduction;
    if (reduction === 'none') this.addState('scores', [], 'cat');
    else this.addState('sum', zeros([], { dtype: 'float64' }), 'sum');
    if (reduction === 'mean') this.addState('count', zeros([], { dtype: 'int64' }), 'sum');
  }

  /** Takes scores of any shape. */
  protected take(scores: Tensor): void {
    if (this.#reduction === 'none') this.append('scores', scores.reshape([-1]));
    else this.add('sum', scores.sum());
    if (this.#reduction === 'mean') this.add('count', scores.numel());
  }

  protected override result(): Tensor {
    if (this.#reduction === 'none') return this.state('scores');
    const sum = this.state('sum');
    return this.#reduction === 'mean' ? sum.div(this.state('count')) : sum;
  }
}
