import { BaseModel, nn, type StepOutput, type Tensor } from 'aiforge';

import type { Config } from './config.js';

/** What a step gets: the samples of the preprocessor, stacked along a first dimension. */
interface Batch {
  features: Tensor; // (batch, inputSize), float32
  labels: Tensor; // (batch,), int64
}

export class Model extends BaseModel<Config, Batch> {
  // Layers that are properties belong to the model: they are trained, saved and moved with it.
  hidden: nn.Linear;
  output: nn.Linear;

  constructor(config: Config) {
    super(config);
    this.hidden = new nn.Linear(config.inputSize, config.hiddenSize);
    this.output = new nn.Linear(config.hiddenSize, config.classes);
  }

  /** One score a class and sample: (batch, classes). The largest is the predicted class. */
  forward(features: Tensor): Tensor {
    return this.output.forward(this.hidden.forward(features).relu());
  }

  /** The loss of a batch. `this.lossFn` is the loss that the experiment names. */
  trainingStep(batch: Batch): StepOutput {
    const predictions = this.forward(batch.features);
    // With predictions of this form, accuracy and F1 are measured by themselves.
    return { loss: this.lossFn.forward(predictions, batch.labels), predictions };
  }

  validationStep(batch: Batch): StepOutput {
    return this.trainingStep(batch);
  }
}
