import {
  addcmul,
  amp,
  baddbmm,
  bernoulli,
  cat,
  einsum,
  empty,
  fft,
  linalg,
  manualSeed,
  nn,
  ones,
  optim,
  rand,
  randint,
  randn,
  randperm,
  scope,
  special,
  tensor,
  type DType,
  type Tensor,
} from 'aiforge';
import { expect } from 'chai';

import * as gpt from '../models/gpt.mjs';
import * as lenet from '../models/lenet.mjs';
import * as mlp from '../models/mlp.mjs';
import * as resnet from '../models/resnet.mjs';
import * as tagger from '../models/tagger.mjs';
import { trainStep, type Task } from '../models/task.mjs';
import * as translator from '../models/translator.mjs';
import * as vae from '../models/vae.mjs';
import { reference } from '../support/reference.mjs';
import { hashOf, needGpu, note } from './gpu.mjs';

const F = nn.functional;
const device = 'cuda';
const there = (...tensors: Tensor[]): Tensor[] => tensors.map((tensor) => tensor.to(device));

function random(): Record<string, Tensor> {
  manualSeed(7);
  const one = ones([1000], { device });
  return {
    randn: randn([1000], { device }),
    rand: rand([1000], { device }),
    randint: randint(100, [1000], { device }),
    randperm: randperm(1000, { device }),
    dropout: F.dropout(one, { p: 0.5 }),
    bernoulli: bernoulli(one.mul(0.3)),
    multinomial: one.multinomial(10),
    normal_: empty([1000], { device }).normal_(1, 2),
  };
}

function operators(): Record<string, Tensor> {
  manualSeed(3);
  const [a, b] = there(randn([256, 256]), randn([256, 256])) as [Tensor, Tensor];
  const [image, kernel] = there(randn([8, 3, 32, 32]), randn([16, 3, 3, 3])) as [Tensor, Tensor];
  const [q] = there(randn([2, 4, 64, 32])) as [Tensor];
  const half = q.to('bfloat16');
  return {
    matmul: a.matmul(b),
    'matmul in bfloat16': a.to('bfloat16').matmul(b.to('bfloat16')),
    sum: a.sum(),
    softmax: a.softmax(1),
    layer_norm: F.layerNorm(a, [256]),
    gelu: F.gelu(a),
    cumsum: a.cumsum(1),
    sort: a.sort(1)[0],
    std: a.std(0),
    logsumexp: a.logsumexp(1),
    conv2d: F.conv2d(image, kernel, { padding: 1 }),
    max_pool2d: F.maxPool2d(image, 2),
    interpolate: F.interpolate(image, { scaleFactor: 2, mode: 'bilinear' }),
    attention: F.scaledDotProductAttention(q, q, q, { isCausal: true }),
    'attention in bfloat16': F.scaledDotProductAttention(half, half, half, { isCausal: true }),
    fft: fft.rfft(a).abs(),
    svdvals: linalg.svdvals(a),
    solve: linalg.solve(a, b),
    i1: special.i1(a),
  };
}

function layers(): Record<string, Tensor> {
  manualSeed(4);
  const conv = new nn.Conv2d(3, 16, 3, { padding: 1 });
  const norm = new nn.BatchNorm2d(16);
  const lstm = new nn.LSTM(16, 32, { numLayers: 2 });
  const linear = new nn.Linear(64, 64);
  const [image, sequence, x] = there(randn([8, 3, 32, 32]), randn([10, 4, 16]), randn([32, 64]));
  for (const module of [conv, norm, lstm, linear]) module.to(device);
  const convolved = norm.forward(conv.forward(image!)).relu();
  convolved.square().mean().backward();
  const [sequences] = lstm.forward(sequence!);
  sequences.square().sum().backward();
  const cast = amp.autocast({ dtype: 'bfloat16' }, () => linear.forward(x!));
  cast.to('float32').square().sum().backward();
  return {
    'conv and batch norm': convolved,
    'gradient of conv': conv.weight.grad!,
    'running variance': norm.runningVar!,
    lstm: sequences,
    'gradient of lstm': [...lstm.parameters()][0]!.grad!,
    'linear under autocast': cast,
    'its gradient': linear.weight.grad!,
  };
}

function autocast(): Record<string, Tensor> {
  manualSeed(5);
  const [a, b] = there(randn([64, 64]), randn([64, 64])) as [Tensor, Tensor];
  const [image, kernel] = there(randn([2, 3, 16, 16]), randn([8, 3, 3, 3])) as [Tensor, Tensor];
  const target = a.argmax(1);
  const q = a.view([1, 4, 16, 64]);
  const results: Record<string, Tensor> = {};
  for (const dtype of ['float16', 'bfloat16'] as const) {
    const each = amp.autocast({ dtype }, () => {
      const low = a.matmul(b);
      return {
        matmul: low,
        conv2d: F.conv2d(image, kernel),
        linear: F.linear(a, b),
        baddbmm: baddbmm(a.unsqueeze(0), a.unsqueeze(0), b.unsqueeze(0)),
        einsum: einsum('ij,kj->ik', [a, b]),
        softmax: low.softmax(1),
        exp: low.mul(0.01).exp(),
        pow: low.pow(2),
        sum: low.sum(),
        layer_norm: F.layerNorm(low, [64]),
        cross_entropy: F.crossEntropy(low, target),
        cat: cat([low, a]),
        addcmul: addcmul(low, a, b),
        attention: F.scaledDotProductAttention(q, q, q),
        gelu: F.gelu(low),
        norm: low.norm(),
      };
    });
    for (const [name, value] of Object.entries(each)) results[`${name} in ${dtype}, ${value.dtype}`] = value;
  }
  return results;
}

function mixed(make: (parameters: Iterable<nn.Parameter>) => optim.Optimizer, dtype: DType, enabled: boolean): Tensor {
  manualSeed(42);
  const model = new nn.Sequential(new nn.Linear(64, 256), new nn.ReLU(), new nn.LayerNorm(256), new nn.Linear(256, 10));
  model.to(device);
  const draw = randn([512, 64]);
  const [x, y] = there(draw, draw.narrow(1, 0, 10).argmax(1)) as [Tensor, Tensor];
  const optimizer = make(model.parameters());
  const scaler = new amp.GradScaler({ initScale: 2 ** 20, growthInterval: 4, enabled });
  for (let i = 0; i < 30; ++i) {
    scope(() => {
      optimizer.zeroGrad();
      const loss = amp.autocast({ dtype }, () => F.crossEntropy(model.forward(x), y));
      scaler.scale(loss).backward();
      scaler.unscale_(optimizer);
      nn.utils.clipGradNorm_(model.parameters(), 1);
      scaler.step(optimizer);
      scaler.update();
    });
  }
  const scale = tensor([scaler.getScale()], { dtype: 'float32', device });
  return cat([...[...model.parameters()].map((parameter) => parameter.detach().flatten()), scale]);
}

const mixedRuns: Record<string, () => Tensor> = {
  'float16 by SGD': () => mixed((p) => new optim.SGD(p, { lr: 0.1, momentum: 0.9 }), 'float16', true),
  'float16 by AdamW': () => mixed((p) => new optim.AdamW(p), 'float16', true),
  'float16 by AdamW, fused': () => mixed((p) => new optim.AdamW(p, { fused: true }), 'float16', true),
  'bfloat16 by AdamW': () => mixed((p) => new optim.AdamW(p), 'bfloat16', false),
};

function training(make: (parameters: Iterable<nn.Parameter>) => optim.Optimizer): Tensor {
  manualSeed(42);
  const model = new nn.Sequential(
    new nn.Linear(64, 256),
    new nn.ReLU(),
    new nn.Linear(256, 256),
    new nn.ReLU(),
    new nn.Linear(256, 10),
  );
  const draw = randn([512, 64]);
  const [x, y] = there(draw, draw.narrow(1, 0, 10).argmax(1)) as [Tensor, Tensor];
  model.to(device);
  const optimizer = make(model.parameters());
  for (let i = 0; i < 50; ++i) {
    scope(() => {
      optimizer.zeroGrad();
      F.crossEntropy(model.forward(x), y).backward();
      nn.utils.clipGradNorm_(model.parameters(), 1);
      optimizer.step();
    });
  }
  return cat([...model.parameters()].map((parameter) => parameter.detach().flatten()));
}

const optimizers: Record<string, (parameters: Iterable<nn.Parameter>) => optim.Optimizer> = {
  SGD: (p) => new optim.SGD(p, { lr: 0.1, momentum: 0.9 }),
  Adam: (p) => new optim.Adam(p),
  'Adam, single': (p) => new optim.Adam(p, { foreach: false }),
  'AdamW, fused': (p) => new optim.AdamW(p, { fused: true }),
  AdamW: (p) => new optim.AdamW(p, { amsgrad: true }),
  RMSprop: (p) => new optim.RMSprop(p),
  NAdam: (p) => new optim.NAdam(p),
  RAdam: (p) => new optim.RAdam(p),
  Adamax: (p) => new optim.Adamax(p),
  Adagrad: (p) => new optim.Adagrad(p),
  Adadelta: (p) => new optim.Adadelta(p),
  ASGD: (p) => new optim.ASGD(p),
  Rprop: (p) => new optim.Rprop(p),
  'NAdam, single': (p) => new optim.NAdam(p, { foreach: false }),
  'RAdam, single': (p) => new optim.RAdam(p, { foreach: false }),
};

const models: Record<string, { build(): Task }> = { gpt, lenet, mlp, resnet, tagger, translator, vae };
const STEPS = 20;

function losses(name: string): number[] {
  manualSeed(0);
  const task = models[name]!.build();
  task.model.to(device);
  return Array.from({ length: STEPS }, () => scope(() => trainStep(task, there(...task.batch())).item<number>()));
}

describe('bits on a GPU beside Python’s on the same one', function () {
  this.timeout(300_000);
  let theirs: Record<string, string>;
  before(function () {
    needGpu(this);
    theirs = JSON.parse(reference(this, '../cuda/python/bits.py')) as typeof theirs;
  });

  for (const group of [random, operators, layers, autocast]) {
    it(`${group.name}: the same`, () => {
      for (const [name, tensor] of Object.entries(group())) {
        const key = `${group.name}: ${name}`;
        expect(theirs, key).to.have.property(key);
        if (hashOf(tensor) !== theirs[key]) note(`other bits: ${key}`);
      }
      const other = Object.entries(group()).filter(
        ([name, tensor]) => hashOf(tensor) !== theirs[`${group.name}: ${name}`],
      );
      expect(other.map(([name]) => name)).to.deep.equal([]);
    });
  }

  for (const [name, make] of Object.entries(optimizers)) {
    it(`50 steps by ${name}: the same`, () => {
      expect(hashOf(training(make))).to.equal(theirs[`training: ${name}`]);
    });
  }

  for (const [name, run] of Object.entries(mixedRuns)) {
    it(`30 steps in ${name}: the same, and the same scale`, () => {
      expect(hashOf(run())).to.equal(theirs[`mixed: ${name}`]);
    });
  }
});

describe('losses of whole models on a GPU beside Python’s on the same one', function () {
  this.timeout(300_000);
  let theirs: Record<string, [number[], number[]]>;
  before(function () {
    needGpu(this);
    theirs = JSON.parse(
      reference(this, '../cuda/python/losses.py', String(STEPS), ...Object.keys(models)),
    ) as typeof theirs;
  });

  for (const name of Object.keys(models)) {
    it(`${name} has the same ${STEPS} losses, or Python differs from itself by as much`, () => {
      const [first, second] = theirs[name]!;
      const ours = losses(name);
      const equal = (a: number[], b: number[]): number => a.findIndex((loss, i) => loss !== b[i]);
      const far = (a: number[], b: number[]): number =>
        Math.max(...a.map((loss, i) => Math.abs(loss - b[i]!) / Math.abs(b[i]!)));
      const here = equal(ours, first);
      if (here < 0) return;
      note(
        `differs from step ${here + 1} on, by up to ${far(ours, first).toExponential(1)}; Python’s two runs ` +
          (equal(second, first) < 0 ? 'are equal' : `by ${far(second, first).toExponential(1)}`),
      );
      expect(far(ours, first)).to.be.at.most(10 * far(second, first));
    });
  }
});
