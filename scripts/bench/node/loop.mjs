// A process that times the framework's loop, or a loop by hand over the same model and data, whenever it is asked to, as
// bench.mjs does: ns of a step, data loading included. Rows: `framework`, `by_hand`.
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

import {
  BaseDataset,
  BaseModel,
  Container,
  data,
  ExperimentConfig,
  Generator,
  manualSeed,
  nn,
  optim,
  randn,
  readSettings,
  registerPlugin,
  scope,
  setNumThreads,
} from 'aiforge';

import { median } from '../median.mjs';

const { Orchestrator } = createRequire(import.meta.url)('aiforge');

const [samples, width, batchSize] = [6400, 64, 32];

const generator = new Generator().manualSeed(0);
const [x, y] = [randn([samples, width], { generator }), randn([samples, width], { generator })];

class Dataset extends BaseDataset {
  get length() {
    return samples;
  }
  get(index) {
    return { x: x.select(0, index), y: y.select(0, index) };
  }
  loadData() {
    // It is there already.
  }
  splits() {
    return { train: Array.from({ length: samples }, (_, i) => i), val: [], test: [] };
  }
}

/** The model of the row `mlp_step`. */
function mlp() {
  const linear = () => new nn.Linear(width, width);
  const relu = () => new nn.ReLU();
  return new nn.Sequential(linear(), relu(), linear(), relu(), linear(), relu(), linear());
}

class Model extends BaseModel {
  layers = mlp();
  forward(given) {
    return this.layers.forward(given);
  }
  trainingStep(batch) {
    return { loss: this.lossFn.forward(this.forward(batch.x), batch.y) };
  }
  validationStep(batch) {
    return this.trainingStep(batch);
  }
}

registerPlugin({ name: 'bench_mlp', Model, Dataset });

/** The ns of a step in each of some epochs of a run with the default settings. */
async function framework(epochs, threads) {
  const runs = mkdtempSync(path.join(tmpdir(), 'aiforge-bench-loop-'));
  const times = [];
  let start = 0n;
  const clock = {
    onStageStart: () => void (start = process.hrtime.bigint()),
    onStageEnd: ({ stage, batches }) => {
      if (stage === 'train') times.push(Number(process.hrtime.bigint() - start) / batches);
    },
  };
  const container = new Container();
  container.experimentConfig.override(
    ExperimentConfig.parse({
      ...{ experimentName: 'bench', modelPlugin: 'bench_mlp', datasetPlugin: 'bench_mlp', dataPath: 'none' },
      training: {
        ...{ epochs, batchSize, numThreads: threads, optimizerName: 'AdamW', optimizerArgs: { fused: true } },
        ...{ lossFnName: 'MSELoss', earlyStoppingMonitor: 'train_loss', earlyStoppingPatience: null },
      },
    }),
  );
  await new Orchestrator(container, { settings: readSettings({ RUNS_DIR: runs }), callbacks: [clock] }).runExperiment();
  rmSync(runs, { recursive: true, force: true });
  return times;
}

/** The same by a loop that reads its losses. */
function byHand(epochs) {
  manualSeed(42);
  const model = mlp();
  const optimizer = new optim.AdamW(model.parameters(), { lr: 1e-3, fused: true });
  const lossFn = new nn.MSELoss();
  const loader = new data.DataLoader(new Dataset(), { batchSize, shuffle: true });
  return Array.from({ length: epochs }, () => {
    const start = process.hrtime.bigint();
    let sum = 0;
    const batches = loader.batches();
    for (let i = 0; i < loader.length; ++i) {
      scope(() => {
        const batch = batches.next().value;
        const loss = lossFn.forward(model.forward(batch.x), batch.y);
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        sum += loss.item();
      });
    }
    if (!Number.isFinite(sum)) throw new Error('the loss is not finite');
    return Number(process.hrtime.bigint() - start) / loader.length;
  });
}

const rows = { framework, by_hand: byHand };

for await (const request of createInterface({ input: process.stdin })) {
  const { row, threads, rounds } = JSON.parse(request);
  if (!(row in rows)) throw new Error(`unknown row '${row}'`);
  setNumThreads(threads);
  // The first epoch warms up.
  const [, ...times] = await rows[row](rounds + 1, threads);
  process.stdout.write(`${JSON.stringify({ row, threads, rounds, ns: median(times) })}\n`);
}
