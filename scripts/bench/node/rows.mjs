// What is timed on aiforge's side; python/bench.py has the same rows for PyTorch.
import { add, manualSeed, nn, optim, randint, randn, scope } from 'aiforge';
import { createRequire } from 'node:module';
import path from 'node:path';

import { conversions } from './conversions.mjs';
import { dataRows } from './data.mjs';
import { settle, there } from './device.mjs';
import { gpuRows } from './gpu.mjs';
import { modelRows } from './models.mjs';
import { operator, operatorNames } from './operators.mjs';
import { optimizers } from './optimizers.mjs';

const { loadPlugin, TransformerConfig } = createRequire(import.meta.url)('aiforge');

function trainingStep(model, lossFn, optimizer, inputs, targets) {
  const step = () => {
    optimizer.zeroGrad();
    lossFn.forward(model.forward(inputs), targets).backward();
    optimizer.step();
  };
  return () => scope(step);
}

function addTensors() {
  const [a, b] = there(randn(2, 2), randn(2, 2));
  return () => add(a, b);
}

/** 64 inputs, 4 layers of 64. */
function mlp() {
  const linear = () => new nn.Linear(64, 64);
  const relu = () => new nn.ReLU();
  return new nn.Sequential(linear(), relu(), linear(), relu(), linear(), relu(), linear());
}

function mlpStep() {
  const model = mlp();
  const optimizer = new optim.AdamW(model.parameters(), { fused: true });
  return trainingStep(model, new nn.MSELoss(), optimizer, randn(32, 64), randn(32, 64));
}

function transformerStep() {
  const { Model } = loadPlugin(path.resolve('plugins/transformer_text_plugin'));
  const config = { vocabSize: 5000, embeddingDim: 256, numHeads: 4, numLayers: 2, ffDim: 512, outputDim: 2 };
  const model = new Model(TransformerConfig.parse(config)).train();
  const optimizer = new optim.Adam(model.parameters(), { lr: 1e-4 });
  const inputs = randint(1, 5000, [8, 128], { dtype: 'int64' });
  return trainingStep(model, new nn.CrossEntropyLoss(), optimizer, inputs, randint(0, 2, [8], { dtype: 'int64' }));
}

/**
 * `iterations` make a round; a `scoped` row runs them in scopes of 100, about what a training step makes, or of as many as
 * `perScope` says.
 */
export const rows = {
  // Long enough for the garbage collector to come to its steady state.
  add_in_scope: { build: addTensors, iterations: 100_000, warmUp: 1_000_000, scoped: true },
  add_outside: { build: addTensors, iterations: 100_000, warmUp: 1_000_000 },
  mlp_step: { build: mlpStep, iterations: 10, warmUp: 300 },
  transformer_step: { build: transformerStep, iterations: 1, warmUp: 10 },
  ...conversions,
  ...dataRows,
  ...optimizers,
  ...modelRows,
  ...gpuRows,
};

for (const name of operatorNames) {
  rows[`op_${name}`] = { build: operator(name), iterations: 1000, warmUp: 5000, scoped: true };
}

const prepared = new Map();

/** The row's work, built and warmed up once. */
export function prepare(name) {
  let iterate = prepared.get(name);
  if (iterate === undefined) {
    manualSeed(0);
    iterate = rows[name].build();
    prepared.set(name, iterate);
    for (let i = 0; i < rows[name].warmUp; i += rows[name].iterations) runRound(name, iterate);
  }
  return iterate;
}

/** Runs one round; returns the ns of one iteration. */
export function runRound(name, iterate) {
  const { iterations, scoped, perScope = 100 } = rows[name];
  const repeat = (times) => {
    for (let i = 0; i < times; ++i) iterate();
  };
  const few = () => repeat(perScope);
  const start = process.hrtime.bigint();
  if (!scoped) repeat(iterations);
  else for (let i = 0; i < iterations; i += perScope) scope(few);
  settle();
  return Number(process.hrtime.bigint() - start) / iterations;
}
