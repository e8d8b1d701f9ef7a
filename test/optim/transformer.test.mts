import { createHash } from 'node:crypto';

import { getNumThreads, manualSeed, randint, randn, scope, setNumThreads, type Tensor } from 'aiforge';
import * as nn from 'aiforge/nn';
import * as optim from 'aiforge/optim';
import { expect } from 'chai';

import { hexOf, reference } from '../nn/reference.mjs';

interface Run {
  losses: string[];
  final: Record<string, string>;
}

interface Recording {
  inputs: { input_ids: string; labels: string };
  initial: Record<string, string>;
  runs: Record<string, Run>;
}

class Encoder extends nn.Module {
  selfAttn: nn.MultiheadAttention;
  feedForward: nn.Sequential;
  norm1: nn.LayerNorm;
  norm2: nn.LayerNorm;
  dropout1: nn.Dropout;
  dropout2: nn.Dropout;

  constructor(dim: number, heads: number, hidden: number, dropout: number) {
    super();
    this.selfAttn = new nn.MultiheadAttention(dim, heads, { dropout, batchFirst: true });
    this.feedForward = new nn.Sequential(
      new nn.Linear(dim, hidden),
      new nn.ReLU(),
      new nn.Dropout(dropout),
      new nn.Linear(hidden, dim),
    );
    this.norm1 = new nn.LayerNorm(dim);
    this.norm2 = new nn.LayerNorm(dim);
    this.dropout1 = new nn.Dropout(dropout);
    this.dropout2 = new nn.Dropout(dropout);
  }

  override forward(x: Tensor): Tensor {
    const [attended] = this.selfAttn.forward(x, x, x);
    const y = this.norm1.forward(x.add(this.dropout1.forward(attended)));
    return this.norm2.forward(y.add(this.dropout2.forward(this.feedForward.forward(y))));
  }
}

class TextClassifier extends nn.Module {
  embedding = new nn.Embedding(5000, 256);
  posEncoder = new nn.Parameter(randn([1, 128, 256]));
  transformerLayers = new nn.ModuleList(Array.from({ length: 2 }, () => new Encoder(256, 4, 512, 0.1)));
  classifier = new nn.Linear(256, 2);

  override forward(ids: Tensor): Tensor {
    const embedded = this.embedding.forward(ids);
    let x = embedded.add(this.posEncoder.narrow(1, 0, ids.size(1)));
    for (const layer of this.transformerLayers) x = layer.forward(x);
    return this.classifier.forward(x.mean({ dim: 1 }));
  }
}

const STEPS = 20;

const makers: Record<string, (model: nn.Module) => optim.Optimizer> = {
  Adam: (model) => new optim.Adam(model.parameters(), { lr: 1e-4 }),
  AdamW: (model) => new optim.AdamW(model.parameters(), { lr: 1e-4 }),
  'AdamW fused': (model) => new optim.AdamW(model.parameters(), { lr: 1e-4, fused: true }),
  'SGD momentum': (model) => new optim.SGD(model.parameters(), { lr: 1e-2, momentum: 0.9 }),
};

const sha256 = (tensor: Tensor): string =>
  createHash('sha256')
    .update(Buffer.from(hexOf(tensor), 'hex'))
    .digest('hex');

const hashes = (model: nn.Module): Record<string, string> =>
  Object.fromEntries(Object.entries(model.stateDict()).map(([key, value]) => [key, sha256(value)]));

const bigEndian = (hex: string): string => Buffer.from(hex, 'hex').reverse().toString('hex');

describe('training a transformer against PyTorch, bit by bit', () => {
  const recording = reference<Recording>('transformer_text');
  let threads: number;
  before(function () {
    if (recording === undefined) this.skip();
    threads = getNumThreads();
    setNumThreads(1);
  });
  after(() => {
    if (recording !== undefined) setNumThreads(threads);
  });

  for (const [name, expected] of Object.entries(recording?.runs ?? {})) {
    it(`with ${name}`, () => {
      manualSeed(0);
      const model = new TextClassifier();
      const lossFn = new nn.CrossEntropyLoss();
      const optimizer = makers[name]!(model);
      const ids = randint(1, 5000, [STEPS, 8, 128]);
      const labels = randint(0, 2, [STEPS, 8]);
      expect(hashes(model)).to.deep.equal(recording!.initial);
      expect({ input_ids: sha256(ids), labels: sha256(labels) }).to.deep.equal(recording!.inputs);
      const losses = Array.from({ length: STEPS }, (_, step) =>
        scope(() => {
          optimizer.zeroGrad();
          const loss = lossFn.forward(model.forward(ids.select(0, step)), labels.select(0, step));
          loss.backward();
          optimizer.step();
          return bigEndian(hexOf(loss));
        }),
      );
      expect(losses).to.deep.equal(expected.losses);
      expect(hashes(model)).to.deep.equal(expected.final);
      expect(Object.keys(model.stateDict())).to.have.members(Object.keys(expected.final));
    });
  }
});
