// LeNet: two convolutions with pooling and three linear layers, for images of 28 by 28.
import { nn, optim, randint, randn, type Tensor } from 'aiforge';

const { crossEntropy, maxPool2d } = nn.functional;

export function build({ size = 16, channels = 6, classes = 10 } = {}) {
  class LeNet extends nn.Module {
    conv1 = new nn.Conv2d(1, channels, 5, { padding: 2 });
    conv2 = new nn.Conv2d(channels, 16, 5);
    fc1 = new nn.Linear(16 * 5 * 5, 120);
    fc2 = new nn.Linear(120, 84);
    fc3 = new nn.Linear(84, classes);

    forward(x: Tensor) {
      x = maxPool2d(this.conv1.forward(x).tanh(), 2);
      x = maxPool2d(this.conv2.forward(x).tanh(), 2);
      x = this.fc1.forward(x.flatten(1)).tanh();
      return this.fc3.forward(this.fc2.forward(x).tanh());
    }
  }

  const model = new LeNet();
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.05, momentum: 0.9 });
  const patterns = randn(classes, 1, 28, 28);

  function batch() {
    const labels = randint(classes, [size]);
    return [patterns.at(labels).add(randn(size, 1, 28, 28)), labels];
  }

  const loss = (images: Tensor, labels: Tensor) => crossEntropy(model.forward(images), labels);

  return { model, optimizer, batch, loss };
}
