import { BaseModel, nn, zeros, type StepOutput, type Tensor } from 'aiforge';
import { MeanAbsoluteError, MeanSquaredError, R2Score } from 'aiforge/metrics';
import type { Config } from './config.js';
import { features as inputs } from './preprocessor.js';

export interface Batch {
  features: Tensor; // (batch, block, features)
  delay: Tensor; // (batch, block)
}

/** A perceptron, told by its errors beside those of whoever always says the mean delay. */
export class Model extends BaseModel<Config, Batch> {
  norm = new nn.BatchNorm1d(inputs);
  layers: nn.Sequential;
  /** The sum of the delays that were trained on, and how many they are. */
  seen = new nn.Buffer(zeros([2], { dtype: 'float64' }));
  mae = new MeanAbsoluteError();
  rmse = new MeanSquaredError({ squared: false });
  r2 = new R2Score();
  baselineMae = new MeanAbsoluteError();
  baselineRmse = new MeanSquaredError({ squared: false });

  constructor(config: Config) {
    super(config);
    const widths = [inputs, ...config.hiddenDims];
    const hidden = config.hiddenDims.flatMap((width, i) => [new nn.Linear(widths[i]!, width), new nn.ReLU()]);
    this.layers = new nn.Sequential(...hidden, new nn.Linear(widths.at(-1)!, 1));
  }

  forward(features: Tensor): Tensor {
    return this.layers.forward(this.norm.forward(features.flatten(0, -2))).view(features.shape.slice(0, -1));
  }

  trainingStep({ features, delay }: Batch): StepOutput {
    const given = delay.to('float64');
    this.seen.select(0, 0).add_(given.sum());
    this.seen.select(0, 1).add_(given.numel());
    return { loss: this.lossFn.forward(this.forward(features), delay) };
  }

  validationStep({ features, delay }: Batch): StepOutput {
    const predictions = this.forward(features).flatten();
    const targets = delay.flatten();
    const mean = this.seen.select(0, 0).div(this.seen.select(0, 1)).to('float32').expand(targets.shape);
    for (const metric of [this.mae, this.rmse, this.r2]) metric.update(predictions, targets);
    for (const metric of [this.baselineMae, this.baselineRmse]) metric.update(mean, targets);
    this.logDict({ mae: this.mae, rmse: this.rmse, r2: this.r2 });
    this.logDict({ baseline_mae: this.baselineMae, baseline_rmse: this.baselineRmse });
    return { loss: this.lossFn.forward(predictions, targets) };
  }
}
