// ResNet-18: a stem, four stages of two residual blocks, and a linear layer.
import { nn, optim, randint, randn, type Tensor } from 'aiforge';

const { adaptiveAvgPool2d, crossEntropy, maxPool2d } = nn.functional;

class Block extends nn.Module {
  conv1: nn.Conv2d;
  bn1: nn.BatchNorm2d;
  conv2: nn.Conv2d;
  bn2: nn.BatchNorm2d;
  downsample: nn.Sequential | null = null;

  constructor(inputs: number, outputs: number, stride: number) {
    super();
    this.conv1 = new nn.Conv2d(inputs, outputs, 3, { stride, padding: 1, bias: false });
    this.bn1 = new nn.BatchNorm2d(outputs);
    this.conv2 = new nn.Conv2d(outputs, outputs, 3, { padding: 1, bias: false });
    this.bn2 = new nn.BatchNorm2d(outputs);
    if (stride === 1 && inputs === outputs) return;
    const conv = new nn.Conv2d(inputs, outputs, 1, { stride, bias: false });
    this.downsample = new nn.Sequential(conv, new nn.BatchNorm2d(outputs));
  }

  forward(x: Tensor) {
    let y = this.bn1.forward(this.conv1.forward(x)).relu();
    y = this.bn2.forward(this.conv2.forward(y));
    return y.add(this.downsample?.forward(x) ?? x).relu();
  }
}

const stage = (inputs: number, outputs: number, stride: number) =>
  new nn.Sequential(new Block(inputs, outputs, stride), new Block(outputs, outputs, 1));

export function build({ size = 4, width = 64, side = 64, classes = 10 } = {}) {
  class ResNet extends nn.Module {
    conv1 = new nn.Conv2d(3, width, 7, { stride: 2, padding: 3, bias: false });
    bn1 = new nn.BatchNorm2d(width);
    layer1 = stage(width, width, 1);
    layer2 = stage(width, 2 * width, 2);
    layer3 = stage(2 * width, 4 * width, 2);
    layer4 = stage(4 * width, 8 * width, 2);
    fc = new nn.Linear(8 * width, classes);

    forward(x: Tensor) {
      x = maxPool2d(this.bn1.forward(this.conv1.forward(x)).relu(), 3, { stride: 2, padding: 1 });
      for (const layer of [this.layer1, this.layer2, this.layer3, this.layer4]) x = layer.forward(x);
      return this.fc.forward(adaptiveAvgPool2d(x, 1).flatten(1));
    }
  }

  const model = new ResNet();
  for (const module of model.modules()) {
    if (!(module instanceof nn.Conv2d)) continue;
    nn.init.kaimingNormal_(module.weight, { mode: 'fan_out', nonlinearity: 'relu' });
  }
  const options = { lr: 0.01, momentum: 0.9, weightDecay: 1e-4, nesterov: true };
  const optimizer = new optim.SGD(model.parameters(), options);
  const patterns = randn(classes, 3, side, side);

  function batch() {
    const labels = randint(classes, [size]);
    return [patterns.at(labels).add(randn(size, 3, side, side)), labels];
  }

  const loss = (images: Tensor, labels: Tensor) => crossEntropy(model.forward(images), labels, { labelSmoothing: 0.1 });

  return { model, optimizer, batch, loss };
}
