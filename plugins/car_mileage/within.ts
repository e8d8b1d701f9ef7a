import { zeros, type Tensor } from 'aiforge';
import { Metric } from 'aiforge/metrics';

/** The share of predictions that are off by at most `distance`. */
export class Within extends Metric {
  override readonly higherIsBetter = true;

  constructor(private readonly distance: number) {
    super();
    this.addState('near', zeros([], { dtype: 'int64' }), 'sum');
    this.addState('count', zeros([], { dtype: 'int64' }), 'sum');
  }

  protected override accumulate(predictions: Tensor, targets: Tensor): void {
    this.add('near', predictions.sub(targets).abs().le(this.distance).sum());
    this.add('count', targets.numel());
  }

  protected override result(): Tensor {
    return this.state('near').to('float64').div(this.state('count'));
  }
}
