import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { cuda, loadRun, memory, ones, registerPlugin, Tensor, type RunResult } from 'aiforge';
import { loadCheckpoint } from '#lib/core/checkpoints/checkpoint.js';
import { expect } from 'chai';

import { abortAt, bytesOf, Config, Dataset, experiment, failureOf, Model, runIn, type Batch } from '../core/lab.mjs';
import { run, temporaryFolder } from '../support/project.mjs';
import { needGpu, note } from './gpu.mjs';

const lastOf = ({ runDirectory }: RunResult) => loadCheckpoint(path.join(runDirectory, 'last.safetensors'));
const files = ['best.safetensors', 'last.safetensors'];

describe('experiments on a GPU', function () {
  this.timeout(60_000);
  const root = temporaryFolder('cuda-training');
  const folder = () => mkdtempSync(path.join(root, 'runs-'));
  before(function () {
    needGpu(this);
  });

  it('train where there is one, on batches that come there by themselves', async () => {
    const seen = new Set<string>();
    class Watched extends Model {
      override trainingStep(batch: Batch) {
        seen.add(`${batch.x.device} ${batch.labels.device} ${this.head.weight.device} ${cuda.currentStream().id}`);
        return super.trainingStep(batch);
      }
    }
    registerPlugin({ name: 'watched', Model: Watched, Dataset, Config });
    const plugins = { modelPlugin: 'watched', datasetPlugin: 'watched' };
    const started: string[] = [];
    const callbacks = [{ onRunStart: ({ device }: { device: string }) => void started.push(device) }];
    const result = await runIn(folder(), experiment({}, plugins), { callbacks });
    expect([...seen]).to.deep.equal(['cuda:0 cuda:0 cuda:0 0']);
    expect(started).to.deep.equal(['cuda:0']);
    expect(readFileSync(path.join(result.runDirectory, 'log.jsonl'), 'utf8')).to.include(cuda.getDeviceName());
    // Dropout draws otherwise there.
    const onCpu = await runIn(folder(), experiment({ device: 'cpu' }, { ...plugins, model: { dropout: 0 } }));
    const alike = await runIn(folder(), experiment({}, { ...plugins, model: { dropout: 0 } }));
    onCpu.history.forEach((epoch, i) => expect(alike.history[i]!.train_loss).to.be.closeTo(epoch.train_loss!, 1e-3));
    expect(onCpu.history[0]!.train_accuracy).to.be.a('number');
  });

  it('read nothing that nobody asked for', async () => {
    let reads = 0;
    const proto = Tensor.prototype as unknown as { item: () => unknown };
    const { item } = proto;
    proto.item = function (this: Tensor) {
      if (this.device !== 'cpu') ++reads;
      return item.call(this);
    };
    try {
      await runIn(
        folder(),
        experiment({ epochs: 1, batchSize: 2, valFraction: 0, testFraction: 0.1, earlyStoppingMonitor: 'train_loss' }),
      );
    } finally {
      proto.item = item;
    }
    note(`${reads} reads in an epoch of 47 steps, each of whose losses is recorded`);
    expect(reads).to.be.at.most(47 + 10);
  });

  for (const training of [
    {},
    { precision: 'float16', accumulationSteps: 2 },
    { precision: 'bfloat16', pinMemory: false },
  ]) {
    it(`go on after a stop with the same bytes: ${JSON.stringify(training)}`, async () => {
      const whole = await runIn(folder(), experiment(training));
      const runs = folder();
      const stopped = await runIn(runs, experiment(training), abortAt(2, 5));
      const resumed = await runIn(runs, experiment({ ...training, resumeFrom: stopped.runDirectory }));
      for (const file of files) {
        expect(bytesOf(resumed.runDirectory, file) === bytesOf(whole.runDirectory, file), file).to.equal(true);
      }
      expect(lastOf(stopped).cudaRng.length).to.equal(1);
      const again = await runIn(folder(), experiment(training));
      expect(bytesOf(again.runDirectory) === bytesOf(whole.runDirectory)).to.equal(true);
    });
  }

  it('go on on another device, and answer there', async () => {
    for (const [from, to] of [
      ['cuda', 'cpu'],
      ['cpu', 'cuda'],
    ] as const) {
      const runs = folder();
      const stopped = await runIn(runs, experiment({ device: from, optimizerName: 'AdamW' }), abortAt(2, 5));
      const resumed = await runIn(
        runs,
        experiment({ device: to, optimizerName: 'AdamW', resumeFrom: stopped.runDirectory }),
      );
      expect([resumed.status, resumed.epochs]).to.deep.equal(['finished', 3]);
      const [here, there] = (['cpu', 'cuda'] as const).map((device) => loadRun(resumed.runDirectory, { device }));
      const answer = there!.predict([{ x: ones([4]) }]);
      expect(answer.device).to.equal('cuda:0');
      expect(
        answer
          .cpu()
          .sub(here!.predict([{ x: ones([4]) }]))
          .abs()
          .max()
          .item(),
      ).to.be.lessThan(1e-4);
    }
  });

  it('keep no batch once a pass is over', async () => {
    await runIn(folder(), experiment({ epochs: 1 }));
    const held = memory.stats().scopes.length;
    await runIn(folder(), experiment({ epochs: 3 }));
    expect(memory.stats().scopes.length).to.equal(held);
  });

  it('stop at a loss that is not a number, and write no checkpoint of it', async () => {
    class Broken extends Model {
      #batches = 0;

      override trainingStep(batch: Batch) {
        const { loss, predictions } = super.trainingStep(batch);
        if (this.training) ++this.#batches;
        return { loss: this.#batches === 4 ? loss.mul(NaN) : loss, predictions };
      }
    }
    registerPlugin({ name: 'broken-here', Model: Broken, Dataset, Config });
    const config = experiment({}, { modelPlugin: 'broken-here', datasetPlugin: 'broken-here' });
    const error = await failureOf(runIn(folder(), config));
    expect(error.code).to.equal('TRAINING_FAILED');
    expect(error.message).to.include('The loss is NaN in epoch 1, batch 4');
  });

  it('train by the launcher over NCCL, a rank on its GPU', async () => {
    const [inside, script] = [folder(), path.join(folder(), 'rank.mjs')];
    const lab = JSON.stringify(path.resolve('build/test/core/lab.mjs'));
    const library = JSON.stringify(path.resolve('dist/lib/index.js'));
    writeFileSync(
      script,
      `import { experiment, runIn } from ${lab};
import { createRequire } from 'node:module';
const { distributed } = createRequire(${library})(${library});
const callbacks = [{ onRunStart: ({ device, rank, worldSize, runDirectory }) => {
  console.log(JSON.stringify({ device, rank, worldSize, runDirectory, backend: distributed.defaultProcessGroup().backend }));
} }];
await runIn(${JSON.stringify(inside)}, experiment({ precision: 'bfloat16' }), { callbacks });
`,
    );
    const { status, stdout, stderr } = await run('aiforge-launch', ['--nproc', '1', '--no-prefix', script], inside);
    expect(status, stderr).to.equal(0);
    const { runDirectory, ...said } = JSON.parse(stdout.trim()) as Record<string, unknown>;
    expect(said).to.deep.equal({ device: 'cuda:0', rank: 0, worldSize: 1, backend: 'cpu:gloo,cuda:nccl' });
    expect(bytesOf(runDirectory as string).length).to.be.greaterThan(1000);
  });
});
