import { createHash } from 'node:crypto';
import path from 'node:path';

import {
  getNumThreads,
  loadPlugin,
  manualSeed,
  nn,
  optim,
  randint,
  scope,
  setNumThreads,
  TransformerConfig,
} from 'aiforge';
import type { BaseModel, Tensor } from 'aiforge';
import { expect } from 'chai';

import { fixtureForThisCpu, reference } from '../support/reference.mjs';

interface Run {
  losses: string[];
  final: Record<string, string>;
}

interface Document {
  inputs: Record<string, string>;
  initial: Record<string, string>;
  runs: Record<string, Run>;
}

const steps = 20;

const optimizers: Record<string, (parameters: Iterable<Tensor>) => optim.Optimizer> = {
  Adam: (parameters) => new optim.Adam(parameters, { lr: 1e-4 }),
  AdamW: (parameters) => new optim.AdamW(parameters, { lr: 1e-4 }),
  'AdamW fused': (parameters) => new optim.AdamW(parameters, { lr: 1e-4, fused: true }),
  'SGD momentum': (parameters) => new optim.SGD(parameters, { lr: 1e-2, momentum: 0.9 }),
};

const sha256 = (tensor: Tensor) => createHash('sha256').update(Buffer.from(tensor.toTypedArray().buffer)).digest('hex');

const hashes = (model: BaseModel) =>
  Object.fromEntries(Object.entries(model.stateDict()).map(([key, tensor]) => [key, sha256(tensor)]));

function floatBits(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatBE(value);
  return bytes.toString('hex');
}

function createModel(): BaseModel {
  const { Model } = loadPlugin(path.resolve('plugins/transformer_text_plugin'));
  const sizes = {
    vocabSize: 5000,
    embeddingDim: 256,
    numHeads: 4,
    numLayers: 2,
    ffDim: 512,
    maxSeqLen: 128,
    outputDim: 2,
  };
  return new (Model as unknown as new (config: object) => BaseModel)(TransformerConfig.parse(sizes));
}

/** The training run of test/reference/transformer_text.py, in its order of draws. */
function train(name: string): Run & Pick<Document, 'inputs' | 'initial'> {
  manualSeed(0);
  const model = createModel();
  model.lossFn = new nn.CrossEntropyLoss();
  const optimizer = optimizers[name]!(model.parameters());
  const ids = randint(1, 5000, [steps, 8, 128], { dtype: 'int64' });
  const labels = randint(0, 2, [steps, 8], { dtype: 'int64' });
  const initial = hashes(model);
  const losses: string[] = [];
  for (let step = 0; step < steps; ++step) {
    scope(() => {
      const { loss } = model.trainingStep({ input_ids: ids.select(0, step), labels: labels.select(0, step) }, step);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      losses.push(floatBits(loss.item()));
    });
  }
  return { inputs: { input_ids: sha256(ids), labels: sha256(labels) }, initial, losses, final: hashes(model) };
}

describe('transformer_text_plugin, bit for bit as the guide’s model in Python', () => {
  let threads = 0;
  before(() => {
    threads = getNumThreads();
    setNumThreads(1);
  });
  after(() => setNumThreads(threads));

  function check(expected: Document): void {
    for (const name of Object.keys(optimizers)) {
      const run = train(name);
      expect(run.inputs, 'inputs').to.deep.equal(expected.inputs);
      expect(run.initial, 'initial weights').to.deep.equal(expected.initial);
      expect(run.losses, `losses with ${name}`).to.deep.equal(expected.runs[name]!.losses);
      expect(run.final, `final weights with ${name}`).to.deep.equal(expected.runs[name]!.final);
    }
  }

  it('agrees with the recorded run', function () {
    check(fixtureForThisCpu<Document>(this, 'transformer_text.json'));
  });

  it('agrees with Python’s torch that runs now', function () {
    check(JSON.parse(reference(this, 'transformer_text.py', '--json')) as Document);
  });
});
