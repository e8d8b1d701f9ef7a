// A training script without the framework: a small net learns which of two spirals a point lies on.
// Usage: node examples/training-loop.mjs [epochs]
import { data, manualSeed, nn, noGrad, optim, scope, tensor } from 'aiforge';

const epochs = Number(process.argv[2] ?? 60);
manualSeed(0);

/** Points of two interleaved spirals; the label says on which one a point lies. */
function spirals(perArm) {
  const points = [];
  const labels = [];
  for (let arm = 0; arm < 2; ++arm) {
    for (let i = 0; i < perArm; ++i) {
      const radius = i / perArm;
      const angle = 8 * radius + arm * Math.PI;
      points.push([radius * Math.sin(angle), radius * Math.cos(angle)]);
      labels.push(arm);
    }
  }
  return new data.TensorDataset(tensor(points, { dtype: 'float32' }), tensor(labels));
}

class Net extends nn.Module {
  layers = new nn.Sequential(new nn.Linear(2, 64), new nn.ReLU(), new nn.Linear(64, 2));

  forward(x) {
    return this.layers.forward(x);
  }
}

const net = new Net();
const lossFn = new nn.CrossEntropyLoss();
const optimizer = new optim.AdamW(net.parameters(), { lr: 0.01 });
const dataset = spirals(500);
const loader = new data.DataLoader(dataset, { batchSize: 50, shuffle: true });

/** One pass; the scope of a step releases all its tensors at once. */
function trainEpoch() {
  let total = 0;
  for (const [x, y] of loader) {
    total += scope(() => {
      const loss = lossFn.forward(net.forward(x), y);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss.item();
    });
  }
  return total / loader.length;
}

for (let epoch = 1; epoch <= epochs; ++epoch) {
  const loss = trainEpoch();
  if (epoch % 10 === 0) console.log(`epoch ${epoch}  loss ${loss.toFixed(4)}`);
}

const [points, labels] = dataset.tensors;
const accuracy = noGrad(() => scope(() => net.forward(points).argmax(1).eq(labels).to('float32').mean().item()));
console.log(`accuracy ${accuracy.toFixed(3)}`);
