import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import {
  BaseModel,
  cuda,
  data,
  loadExperimentConfig,
  loadRun,
  memory,
  nn,
  ones,
  scope,
  tensor,
  type Tensor,
} from 'aiforge';
import { deviceOf } from '#lib/core/devices.js';
import { runFiles } from '#lib/core/runs/runDirectory.js';
import { held } from '#lib/tensor/memory/held.js';
import { Placement } from '#lib/core/training/placement.js';
import { RunningMetrics } from '#lib/core/training/measuring/metrics.js';
import { expect } from 'chai';

import { refusalOf } from '../support/refusal.mjs';
import { temporaryFolder } from '../support/project.mjs';
import { experiment, failureOf, Model, runIn } from './lab.mjs';

describe('training.device', () => {
  const root = temporaryFolder('devices');
  const folder = () => mkdtempSync(path.join(root, 'runs-'));
  const withoutGpu = (context: Mocha.Context) => {
    if (!cuda.isAvailable()) return;
    console.log('      skipped: there is a CUDA device here');
    context.skip();
  };

  it('is the CPU where there is no GPU, and the run says so', async function () {
    withoutGpu(this);
    expect([deviceOf('auto'), deviceOf('cpu')]).to.deep.equal(['cpu', 'cpu']);
    const started: string[] = [];
    const callbacks = [{ onRunStart: ({ device }: { device: string }) => void started.push(device) }];
    const { runDirectory } = await runIn(folder(), experiment({ epochs: 1 }), { callbacks });
    expect(started).to.deep.equal(['cpu']);
    const log = readFileSync(runFiles(runDirectory).log, 'utf8');
    expect(log).to.match(/"device":"cpu","precision":"float32"/);
    expect(readFileSync(path.join(runDirectory, 'config.yaml'), 'utf8')).to.include('device: auto');
  });

  it('has no use for pinned memory on the CPU', async () => {
    const { status } = await runIn(folder(), experiment({ device: 'cpu', pinMemory: true, epochs: 1 }));
    expect(status).to.equal('finished');
  });

  it('that is not there is refused with the place of the setting, and nothing is written', async function () {
    withoutGpu(this);
    const inside = folder();
    const file = path.join(inside, 'here.yaml');
    const text =
      'experimentName: x\nmodelPlugin: lab\ndatasetPlugin: lab\ndataPath: none\ntraining:\n  device: cuda:1\n';
    writeFileSync(file, text);
    const error = await failureOf(runIn(inside, loadExperimentConfig(file)));
    expect(error.code).to.equal('DEVICE_UNAVAILABLE');
    expect(error.message).to.include(`training.device (${file}:6:11): `).and.include('nvidia-smi');
    expect(refusalOf(() => deviceOf('cuda')).code).to.equal('DEVICE_UNAVAILABLE');
    const named = refusalOf(() => loadExperimentConfig(file, ['training.device=gpu']));
    expect(named.message).to.include('auto, cpu, cuda').and.include("did you mean 'cuda'?");
  });

  it('has a loaded run answer there', async () => {
    const { runDirectory } = await runIn(folder(), experiment({ epochs: 1 }));
    const item = { x: ones([4]) };
    const [a, b] = [loadRun(runDirectory), loadRun(runDirectory, { device: 'cpu' })];
    expect(a.predict([item]).equal(b.predict([item]))).to.equal(true);
    const device = refusalOf(() => loadRun(runDirectory, { device: 'tpu' as never }));
    expect(device.message).to.include('a device such as');
    if (cuda.isAvailable()) return;
    expect(refusalOf(() => loadRun(runDirectory, { device: 'cuda' })).code).to.equal('DEVICE_UNAVAILABLE');
  });
});

describe('moveToDevice', () => {
  it('moves tensors in arrays, objects and maps, and what has a method to', () => {
    const own = { to: (device: string) => `moved to ${device}` };
    class Holder {
      readonly to = own.to;
    }
    const batch = {
      x: ones([2]),
      list: [ones([1]), 'text', 3],
      map: new Map([['m', tensor([1])]]),
      holder: new Holder(),
    };
    const moved = data.moveToDevice(batch, 'meta');
    expect([moved.x.device, (moved.list[0] as Tensor).device, moved.map.get('m')!.device]).to.deep.equal(
      Array(3).fill('meta'),
    );
    expect(moved.list.slice(1)).to.deep.equal(['text', 3]);
    expect(moved.holder).to.equal('moved to meta');
    expect(batch.x.device).to.equal('cpu');
    expect(refusalOf(() => data.moveToDevice(batch, 'gpu' as never)).code).to.equal('INVALID_ARGUMENT');
  });

  it('pins what can be pinned, or warns where there is no GPU', () => {
    const rows = [ones([2]), ones([2])];
    const loader = new data.DataLoader(rows, { batchSize: 2, pinMemory: true });
    expect(loader.pinMemory).to.equal(cuda.isAvailable());
    for (const batch of loader) expect(batch.isPinned()).to.equal(cuda.isAvailable());
  });

  it('is what a model may do otherwise', () => {
    class Own extends Model {
      override transferBatchToDevice(batch: never, device: string) {
        return { given: batch, device } as never;
      }
    }
    class Lost extends Model {
      override transferBatchToDevice() {
        return undefined as never;
      }
    }
    const model = new Own({ dropout: 0, classes: 2 });
    expect(new Placement(model, 'meta', false).move('batch')).to.deep.equal({ given: 'batch', device: 'meta' });
    expect(new Placement(model, 'cpu', false).move('batch')).to.deep.equal({ given: 'batch', device: 'cpu' });
    const lost = new Lost({ dropout: 0, classes: 2 });
    const refused = refusalOf(() => new Placement(lost, 'meta', false).move('batch'));
    expect(refused.message).to.equal('transferBatchToDevice returned undefined: return the batch on meta.');
    const usual = new Model({ dropout: 0, classes: 2 });
    expect(new Placement(usual, 'cpu', false).move('batch')).to.equal('batch');
    expect(Object.hasOwn(BaseModel.prototype, 'transferBatchToDevice')).to.equal(true);
  });
});

describe('a batch that is held', () => {
  it('lives until it is let go of, whatever scope it was made in, and what the model owns lives on', async () => {
    const mask = ones([2]);
    const before = memory.stats().scopes.length;
    const batch = scope(() => held(() => ({ x: ones([2]).add(1), mask })));
    expect(batch.value.x.tolist()).to.deep.equal([2, 2]);
    expect(memory.stats().scopes.length).to.equal(before + 1);
    batch.letGo();
    await new Promise(setImmediate);
    expect(memory.stats().scopes.length).to.equal(before);
    expect(() => batch.value.x.tolist()).to.throw('disposed');
    expect(mask.tolist()).to.deep.equal([1, 1]);
    expect(() => held(() => batch.value.x.add(1))).to.throw('disposed');
    await new Promise(setImmediate);
    expect(memory.stats().scopes.length).to.equal(before);
  });
});

describe('measuring a pass', () => {
  it('counts classes without those that have no target, in tables and beyond', async () => {
    for (const classes of [3, 150]) {
      const metrics = new RunningMetrics();
      const predictions = tensor([0, 1, 2, 2])
        .unsqueeze(1)
        .eq(tensor(Array.from({ length: classes }, (_, i) => i)))
        .float();
      const targets = tensor([0, 2, -100, 2]);
      for (let i = 0; i < 2; ++i) {
        metrics.add({
          loss: ones([]),
          value: 1,
          samples: 4,
          weight: 4,
          isWeighted: false,
          logged: {},
          predictions,
          targets,
        });
      }
      expect(metrics.accuracy).to.be.closeTo(2 / 3, 1e-12);
      const restored = new RunningMetrics();
      restored.restore([metrics.sums([])], []);
      expect(restored.sums([])).to.deep.equal(metrics.sums([]));
      const { scores } = await restored.finish(new nn.Identity(), {
        sum: async (values) => Promise.resolve(values),
        gather: async (values) => Promise.resolve([values]),
        broadcastBytes: async (bytes) => Promise.resolve(bytes!),
      });
      expect(scores!.accuracy).to.be.closeTo(2 / 3, 1e-12);
      if (classes === 3)
        expect(scores!.confusion).to.deep.equal([
          [2, 0, 0],
          [0, 0, 0],
          [0, 2, 2],
        ]);
    }
  });
});
