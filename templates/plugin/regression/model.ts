import { BaseModel, nn, type StepOutput, type Tensor } from 'aiforge';

import type { Config } from './config.js';

/** What a step gets: the samples of the preprocessor, stacked along a first dimension. */
interface Batch {
  features: Tensor; // (batch, inputSize), float32
  targets: Tensor; // (batch, 1), float32
}

export class Model extends BaseModel<Config, Batch> {
  // Layers that are properties belong to the model: they are trained, saved and moved with it.
  hidden: nn.Linear;
  output: nn.Linear;

  constructor(config: Config) {
    super(config);
    this.hidden = new nn.Linear(config.inputSize, config.hiddenSize);
    this.output = new nn.Linear(config.hiddenSize, 1);
  }

  /** One number a sample: (batch, 1). */
  forward(features: Tensor): Tensor {
    return this.output.forward(this.hidden.forward(features).tanh());
  }

  /** The loss of a batch. `this.lossFn` is the loss that the experiment names. */
  trainingStep(batch: Batch): StepOutput {
    const predictions = this.forward(batch.features);
    // Recorded as train_mae, val_mae and test_mae, in units of the targets' standard deviation.
    this.log('mae', nn.functional.l1Loss(predictions, batch.targets));
    return { loss: this.lossFn.forward(predictions, batch.targets) };
  }

  validationStep(batch: Batch): StepOutput {
    return this.trainingStep(batch);
  }
}
