// A multilayer perceptron that tells classes of points apart.
import { nn, optim, randint, randn, type Tensor } from 'aiforge';

export function build({ size = 32, inputs = 64, hidden = 64, layers = 3, classes = 10 } = {}) {
  class MLP extends nn.Module {
    hidden = new nn.ModuleList(Array.from({ length: layers }, (_, i) => new nn.Linear(i ? hidden : inputs, hidden)));
    output = new nn.Linear(hidden, classes);

    forward(x: Tensor) {
      for (const layer of this.hidden) x = layer.forward(x).relu();
      return this.output.forward(x);
    }
  }

  const model = new MLP();
  const optimizer = new optim.AdamW(model.parameters(), { fused: true });
  const centers = randn(classes, inputs);

  function batch() {
    const labels = randint(classes, [size]);
    return [centers.at(labels).add(randn(size, inputs)), labels];
  }

  const loss = (points: Tensor, labels: Tensor) => nn.functional.crossEntropy(model.forward(points), labels);

  return { model, optimizer, batch, loss };
}
