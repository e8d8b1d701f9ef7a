import { createHash } from 'node:crypto';
import path from 'node:path';

import { loadPlugin, manualSeed, nn, optim, randint, scope, stack, TransformerConfig } from 'aiforge';
import type { BaseModel, Tensor } from 'aiforge';
import { camelKeys } from '../nn/reference.mjs';
import { exact, type Exact } from '../support/exact.mjs';
import { expectRecorded, recorded } from '../support/recorded.mjs';
import { reference } from '../support/reference.mjs';

interface Sizes {
  vocab_size: number;
  embedding_dim: number;
  num_heads: number;
  num_layers: number;
  ff_dim: number;
  max_seq_len: number;
}

/** What is noted of a tensor: all of it, or its hash. */
type Note = Exact | string;
type Notes = Record<string, Note>;

interface Document {
  sizes: Sizes;
  inputs: Notes;
  initial: Notes;
  runs: Record<string, { losses: Note; final: Notes }>;
}

const steps = 20;

const optimizers: Record<string, (parameters: Iterable<Tensor>) => optim.Optimizer> = {
  Adam: (parameters) => new optim.Adam(parameters, { lr: 1e-4 }),
  AdamW: (parameters) => new optim.AdamW(parameters, { lr: 1e-4 }),
  'AdamW fused': (parameters) => new optim.AdamW(parameters, { lr: 1e-4, fused: true }),
  'SGD momentum': (parameters) => new optim.SGD(parameters, { lr: 1e-2, momentum: 0.9 }),
};

const sha256 = (tensor: Tensor): string =>
  createHash('sha256').update(Buffer.from(tensor.toTypedArray().buffer)).digest('hex');

function createModel(sizes: Sizes): BaseModel {
  const { Model } = loadPlugin(path.resolve('plugins/transformer_text_plugin'));
  const config = TransformerConfig.parse({ ...camelKeys({ ...sizes }), outputDim: 2 });
  return new (Model as unknown as new (config: object) => BaseModel)(config);
}

/** The training run of test/reference/transformer_text.py, in its order of draws. */
function train(name: string, sizes: Sizes, note: (tensor: Tensor) => Note) {
  manualSeed(0);
  const model = createModel(sizes);
  model.lossFn = new nn.CrossEntropyLoss();
  const optimizer = optimizers[name]!(model.parameters());
  const ids = randint(1, sizes.vocab_size, [steps, 8, sizes.max_seq_len], { dtype: 'int64' });
  const labels = randint(0, 2, [steps, 8], { dtype: 'int64' });
  const state = () => Object.fromEntries(Object.entries(model.stateDict()).map(([key, value]) => [key, note(value)]));
  const initial = state();
  const losses = Array.from({ length: steps }, (_, step) =>
    scope(() => {
      const { loss } = model.trainingStep({ input_ids: ids.select(0, step), labels: labels.select(0, step) }, step);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss.detach();
    }),
  );
  const inputs = { input_ids: note(ids), labels: note(labels) };
  return { inputs, initial, losses: note(stack(losses)), final: state() };
}

function check({ sizes, inputs, initial, runs }: Document, note: (tensor: Tensor) => Note): void {
  for (const name of Object.keys(optimizers))
    expectRecorded(train(name, sizes, note), { inputs, initial, ...runs[name] }, name);
}

describe('transformer_text_plugin, as the guide’s model in Python', () => {
  it('trains a small model to the same losses and weights', () => {
    check(recorded('transformer_text'), exact);
  });

  it('trains the guide’s own to the same bits', function () {
    check(JSON.parse(reference(this, 'transformer_text.py', '--guide')) as Document, sha256);
  });
});
