import { BaseModel, cat, linalg, nn, onesLike, zeros, type StepOutput, type Tensor } from 'aiforge';
import { MeanAbsoluteError, R2Score } from 'aiforge/metrics';
import type { Config } from './config.js';
import { features as inputs } from './preprocessor.js';
import { Within } from './within.js';

export interface Batch {
  features: Tensor; // (batch, 8)
  targets: Tensor; // (batch,), miles per gallon
}

/** A perceptron, told by its errors beside those of least squares on the same cars. */
export class Model extends BaseModel<Config, Batch> {
  layers: nn.Sequential;
  /** XᵀX and Xᵀy of what was trained on, whose solution is that of least squares. */
  products = new nn.Buffer(zeros([inputs + 1, inputs + 1], { dtype: 'float64' }));
  moments = new nn.Buffer(zeros([inputs + 1, 1], { dtype: 'float64' }));
  mae = new MeanAbsoluteError();
  r2 = new R2Score();
  within = new Within(2);
  baselineMae = new MeanAbsoluteError();
  baselineR2 = new R2Score();
  baselineWithin = new Within(2);

  constructor(config: Config) {
    super(config);
    const widths = [inputs, ...config.hiddenDims];
    const hidden = config.hiddenDims.flatMap((width, i) => [new nn.Linear(widths[i]!, width), new nn.GELU()]);
    this.layers = new nn.Sequential(...hidden, new nn.Linear(widths.at(-1)!, 1));
  }

  forward(features: Tensor): Tensor {
    return this.layers.forward(features).squeeze(1);
  }

  trainingStep({ features, targets }: Batch): StepOutput {
    const x = withIntercept(features);
    this.products.add_(x.t().mm(x));
    this.moments.add_(x.t().mm(targets.to('float64').unsqueeze(1)));
    return { loss: this.lossFn.forward(this.forward(features), targets) };
  }

  validationStep({ features, targets }: Batch): StepOutput {
    const predictions = this.forward(features);
    const linear = withIntercept(features)
      .mm(linalg.lstsq(this.products, this.moments, { driver: 'gelsd' })[0])
      .squeeze(1)
      .to('float32');
    for (const metric of [this.mae, this.r2, this.within]) metric.update(predictions, targets);
    for (const metric of [this.baselineMae, this.baselineR2, this.baselineWithin]) metric.update(linear, targets);
    this.logDict({ mae: this.mae, r2: this.r2, within_2: this.within });
    this.logDict({
      baseline_mae: this.baselineMae,
      baseline_r2: this.baselineR2,
      baseline_within_2: this.baselineWithin,
    });
    return { loss: this.lossFn.forward(predictions, targets) };
  }
}

function withIntercept(features: Tensor): Tensor {
  const x = features.to('float64');
  return cat([x, onesLike(x.narrow(1, 0, 1))], 1);
}
