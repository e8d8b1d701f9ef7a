import { BaseModel, nn, zeros, type StepOutput, type Tensor } from 'aiforge';
import type { Config } from './config.js';

const classes = 10;

export interface Batch {
  image: Tensor; // (batch, 1, 28, 28)
  labels: Tensor;
}

const convolution = (inputs: number, outputs: number, stride: number) =>
  new nn.Conv2d(inputs, outputs, 3, { stride, padding: 1, bias: false });

/** Two convolutions and what goes past them, as in https://arxiv.org/abs/1512.03385. */
class Block extends nn.Module {
  conv1: nn.Conv2d;
  norm1: nn.BatchNorm2d;
  conv2: nn.Conv2d;
  norm2: nn.BatchNorm2d;
  shortcut: nn.Sequential;

  constructor(inputs: number, outputs: number, stride: number) {
    super();
    this.conv1 = convolution(inputs, outputs, stride);
    this.norm1 = new nn.BatchNorm2d(outputs);
    this.conv2 = convolution(outputs, outputs, 1);
    this.norm2 = new nn.BatchNorm2d(outputs);
    this.shortcut =
      stride === 1 && inputs === outputs
        ? new nn.Sequential()
        : new nn.Sequential(new nn.Conv2d(inputs, outputs, 1, { stride, bias: false }), new nn.BatchNorm2d(outputs));
  }

  forward(x: Tensor): Tensor {
    const y = this.norm1.forward(this.conv1.forward(x)).relu();
    return this.norm2.forward(this.conv2.forward(y)).add(this.shortcut.forward(x)).relu();
  }
}

/** A ResNet whose first convolution halves the pictures, and each stage but the first again; logits (batch, 10) out. */
export class Model extends BaseModel<Config, Batch> {
  stem: nn.Sequential;
  stages: nn.Sequential;
  head: nn.Linear;
  /** How often each class was trained on: whoever always says the most frequent one is the baseline. */
  seen = new nn.Buffer(zeros([classes], { dtype: 'int64' }));

  constructor(config: Config) {
    super(config);
    const [first = 1] = config.channels;
    this.stem = new nn.Sequential(convolution(1, first, 2), new nn.BatchNorm2d(first), new nn.ReLU());
    let inputs = first;
    const blocks = config.channels.flatMap((outputs, stage) =>
      Array.from({ length: config.blocks }, (_, i) => {
        const block = new Block(inputs, outputs, stage > 0 && i === 0 ? 2 : 1);
        inputs = outputs;
        return block;
      }),
    );
    this.stages = new nn.Sequential(...blocks);
    this.head = new nn.Linear(inputs, classes);
  }

  forward(image: Tensor): Tensor {
    return this.head.forward(this.stages.forward(this.stem.forward(image)).mean([2, 3]));
  }

  trainingStep({ image, labels }: Batch): StepOutput {
    const predictions = this.forward(image);
    this.seen.add_(labels.bincount(null, classes));
    return { loss: this.lossFn.forward(predictions, labels), predictions };
  }

  validationStep({ image, labels }: Batch): StepOutput {
    const predictions = this.forward(image);
    this.log('baseline_accuracy', labels.eq(this.seen.argmax()).to('float32').mean());
    return { loss: this.lossFn.forward(predictions, labels), predictions };
  }
}
