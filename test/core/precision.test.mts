import { mkdtempSync, readFileSync } from 'node:fs';
import path from 'node:path';

import {
  amp,
  cat,
  data,
  getRngState,
  loadExperimentConfig,
  manualSeed,
  nn,
  optim,
  registerPlugin,
  setRngState,
  type Tensor,
} from 'aiforge';
import { loadCheckpoint } from '#lib/core/checkpoints/checkpoint.js';
import { splitDataset } from '#lib/core/runs/splits.js';
import { expect } from 'chai';

import { refusalOf } from '../support/refusal.mjs';
import { temporaryFolder } from '../support/project.mjs';
import { abortAt, bytesOf, Config, Dataset, experiment, failureOf, Model, runIn, type Batch } from './lab.mjs';

type Precision = 'bfloat16' | 'float16';

const flat = (tensors: Iterable<Tensor>): Tensor => cat(Array.from(tensors, (each) => each.detach().flatten()));
const lastOf = (directory: string) => loadCheckpoint(path.join(directory, 'last.safetensors'));

/** The same run as a loop of its own, as one writes it with autocast and GradScaler; its weights at the end. */
function byHand(dtype: Precision, clip: number | null, initial: number | null): Tensor {
  const { training } = experiment();
  manualSeed(training.seed);
  const model = new Model({ dropout: 0.3, classes: 2 });
  const lossFn = new nn.CrossEntropyLoss();
  const optimizer = new optim.Adam(model.parameters(), { lr: training.learningRate });
  const drawn = getRngState();
  const dataset = new Dataset();
  const splits = splitDataset(dataset, training);
  setRngState(drawn);
  const train = new data.Subset(dataset, splits.train);
  const sampler = new data.DistributedSampler(train.length, { numReplicas: 1, rank: 0, seed: training.seed });
  const scaler = new amp.GradScaler({
    device: 'cpu',
    enabled: dtype === 'float16',
    ...(initial && { initScale: initial }),
  });
  for (let epoch = 0; epoch < training.epochs; ++epoch) {
    model.train();
    sampler.setEpoch(epoch);
    for (const batch of new data.DataLoader<Batch, Batch>(train, { batchSize: training.batchSize, sampler })) {
      const loss = amp.autocast({ deviceType: 'cpu', dtype }, () =>
        lossFn.forward(model.forward(batch.x), batch.labels),
      );
      scaler.scale(loss).backward();
      scaler.unscale_(optimizer);
      if (clip !== null) nn.utils.clipGradNorm_(model.parameters(), clip);
      scaler.step(optimizer);
      scaler.update();
      optimizer.zeroGrad();
    }
    // A pass of validation draws a seed, as every pass does.
    new data.DataLoader(new data.Subset(dataset, splits.val)).batches();
  }
  return flat(model.parameters());
}

describe('training.precision', () => {
  const root = temporaryFolder('precision');
  const folder = () => mkdtempSync(path.join(root, 'runs-'));

  for (const dtype of ['bfloat16', 'float16'] as const) {
    for (const gradClipNorm of [null, 0.5]) {
      it(`${dtype} trains as autocast${dtype === 'float16' ? ' and GradScaler' : ''} do, clipped to ${gradClipNorm}`, async () => {
        const config = experiment({ precision: dtype, gradClipNorm });
        const { runDirectory } = await runIn(folder(), config);
        const { model, state } = lastOf(runDirectory);
        const names = ['body.0.weight', 'body.0.bias', 'body.1.weight', 'body.1.bias', 'head.weight', 'head.bias'];
        expect(flat(names.map((name) => model[name]!)).equal(byHand(dtype, gradClipNorm, null))).to.equal(true);
        expect(state.step).to.equal(33);
        const plain = await runIn(folder(), experiment({ gradClipNorm }));
        expect(lastOf(plain.runDirectory).model['head.weight']!.equal(model['head.weight']!)).to.equal(false);
      });
    }

    it(`${dtype} goes on after a stop with the same bytes`, async () => {
      const training = {
        precision: dtype,
        accumulationSteps: 2,
        scheduler: { name: 'StepLR', stepSize: 1, interval: 'step' },
      };
      const whole = await runIn(folder(), experiment(training));
      const runs = folder();
      const stopped = await runIn(runs, experiment(training), abortAt(2, 5));
      expect(stopped.status).to.equal('interrupted');
      const { scaler } = lastOf(stopped.runDirectory);
      expect(scaler?.scale).to.equal(dtype === 'float16' ? 65536 : undefined);
      const resumed = await runIn(runs, experiment({ ...training, resumeFrom: stopped.runDirectory }));
      for (const file of ['best.safetensors', 'last.safetensors']) {
        expect(bytesOf(resumed.runDirectory, file) === bytesOf(whole.runDirectory, file), file).to.equal(true);
      }
      const changed = experiment({ ...training, precision: 'float32', resumeFrom: stopped.runDirectory });
      expect((await failureOf(runIn(runs, changed))).message).to.include('training.precision was');
    });
  }

  it('skips a step whose gradients are not finite: neither counters nor schedule move, and the scale shrinks', async () => {
    // Its loss is so large that the scale of 65536 makes its gradients infinite in float16 until it has shrunk.
    class Steep extends Model {
      override trainingStep(batch: Batch) {
        const { loss, predictions } = super.trainingStep(batch);
        return { loss: loss.mul(2000), predictions };
      }
    }
    registerPlugin({ name: 'steep', Model: Steep, Dataset, Config });
    const scheduler = { name: 'StepLR', stepSize: 1, gamma: 0.5, interval: 'step' };
    const config = experiment(
      { precision: 'float16', epochs: 1, scheduler },
      { modelPlugin: 'steep', datasetPlugin: 'steep' },
    );
    const { runDirectory } = await runIn(folder(), config);
    const { state, scaler, schedulers } = lastOf(runDirectory);
    const saved = schedulers.optimizer;
    const log = readFileSync(path.join(runDirectory, 'log.jsonl'), 'utf8');
    expect(log).to.match(
      new RegExp(`Epoch 1 skipped ${11 - state.step} steps.*the scale of the loss is ${scaler!.scale}`),
    );
    const skipped = Math.log2(65536 / scaler!.scale);
    expect(skipped).to.be.greaterThan(0);
    expect(state.step).to.equal(11 - skipped);
    expect((saved!.state as { last_epoch: number }).last_epoch).to.equal(11 - skipped);
    const lines = readFileSync(path.join(runDirectory, 'metrics.jsonl'), 'utf8').trim().split('\n');
    const steps = lines
      .map((each) => JSON.parse(each) as { interval?: string; step?: number })
      .filter(({ interval }) => interval === 'step');
    expect(steps.map(({ step }) => step)).to.deep.equal(Array.from({ length: state.step }, (_, i) => i + 1));
  });

  it('ends a run whose every step overflows, once the scale cannot shrink', async () => {
    class Vertical extends Model {
      override trainingStep(batch: Batch) {
        const { loss, predictions } = super.trainingStep(batch);
        // The root of 0 has no finite gradient.
        return { loss: loss.add(this.head.bias!.mul(0).abs().sqrt().sum()), predictions };
      }
    }
    registerPlugin({ name: 'vertical', Model: Vertical, Dataset, Config });
    const plugins = { modelPlugin: 'vertical', datasetPlugin: 'vertical' };
    const error = await failureOf(runIn(folder(), experiment({ precision: 'float16', epochs: 60 }, plugins)));
    expect(error.code).to.equal('TRAINING_FAILED');
    expect(error.message).to.include('no step had finite gradients');
  });

  it('is refused under other names', () => {
    for (const [other, ours] of [
      ['16-mixed', 'float16'],
      ['bf16', 'bfloat16'],
      [32, 'float32'],
    ] as const) {
      const overrides = [`training.precision=${other}`];
      const error = refusalOf(() => loadExperimentConfig('experiments/simple_nn.yaml', overrides));
      expect(error.message).to.include(`did you mean '${ours}'?`);
    }
    const lightning = refusalOf(() => loadExperimentConfig('experiments/simple_nn.yaml', ['training.accelerator=gpu']));
    expect(lightning.message).to.include('device');
  });
});
