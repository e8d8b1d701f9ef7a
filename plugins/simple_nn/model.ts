import { BaseModel, nn, type SimpleNNConfig, type StepOutput, type Tensor } from 'aiforge';

export interface Batch {
  features: Tensor;
  labels: Tensor;
}

/** A multi-layer perceptron: (batch, inputDim) in, (batch, outputDim) out. */
export class Model extends BaseModel<SimpleNNConfig, Batch> {
  layers: nn.Sequential;

  constructor(config: SimpleNNConfig) {
    super(config);
    const layers: nn.Layer[] = [];
    let width = config.inputDim;
    for (const hidden of config.hiddenDims) {
      layers.push(new nn.Linear(width, hidden), new nn.ReLU(), new nn.Dropout(config.dropout));
      width = hidden;
    }
    this.layers = new nn.Sequential(...layers, new nn.Linear(width, config.outputDim));
  }

  forward(features: Tensor): Tensor {
    return this.layers.forward(features);
  }

  trainingStep(batch: Batch): StepOutput {
    const predictions = this.forward(batch.features);
    return { loss: this.lossFn.forward(predictions, batch.labels), predictions };
  }

  validationStep(batch: Batch): StepOutput {
    return this.trainingStep(batch);
  }
}
