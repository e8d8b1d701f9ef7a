// A model with batch norm and dropout that tells the campaign when one of its methods is called.
import { BaseModel, nn } from 'aiforge';

const reach = (point) => globalThis.campaign?.reach(`Model.${point}`);

export class Model extends BaseModel {
  constructor(config) {
    super(config);
    reach('constructor');
    this.body = new nn.Sequential(new nn.Linear(4, 8), new nn.BatchNorm1d(8), new nn.ReLU(), new nn.Dropout(0.3));
    this.head = new nn.Linear(8, 2);
  }

  forward(x) {
    reach('forward');
    return this.head.forward(this.body.forward(x));
  }

  step({ x, labels }) {
    const predictions = this.forward(x);
    const loss = this.lossFn.forward(predictions, labels);
    this.log('margin', predictions.abs().mean());
    return { loss, predictions };
  }

  trainingStep(batch) {
    reach('trainingStep');
    return this.step(batch);
  }

  validationStep(batch) {
    reach('validationStep');
    return this.step(batch);
  }

  configureOptimizer(...given) {
    reach('configureOptimizer');
    return super.configureOptimizer(...given);
  }

  configureScheduler(...given) {
    reach('configureScheduler');
    return super.configureScheduler(...given);
  }

  configureLossFn(name) {
    reach('configureLossFn');
    return super.configureLossFn(name);
  }
}
