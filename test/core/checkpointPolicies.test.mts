import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

import { loadSafetensors, loadWeights, manualSeed, type Callback } from 'aiforge';
import { expect } from 'chai';
import { loadCheckpoint } from '#lib/core/checkpoints/checkpoint.js';
import { readManifest } from '#lib/core/checkpoints/manifest.js';

import { temporaryFolder } from '../support/project.mjs';
import { abortAt, breakAt, bytesOf, experiment, failureOf, linesOf, Model, runIn } from './lab.mjs';

describe('checkpoints', () => {
  const folder = temporaryFolder('policies');
  const inside = (name: string) => path.join(folder, name);
  const kept = (directory: string) => readdirSync(path.join(directory, 'checkpoints')).sort();

  it('are kept by their steps, of which each can be gone on from to the same bytes', async () => {
    const training = { checkpoint: { everySteps: 4, keep: 3 } };
    const { runDirectory } = await runIn(inside('steps'), experiment(training));
    const last = bytesOf(runDirectory);
    // 11 steps an epoch: at 24, 28, 32 and at the ends of the epochs, 22 and 33.
    expect(kept(runDirectory).filter((name) => name.startsWith('step'))).to.deep.equal(['step-000000028', 'step-000000032', 'step-000000033'].map((name) => `${name}.safetensors`)); // prettier-ignore
    const older = path.join(runDirectory, 'checkpoints', 'step-000000028.safetensors');
    const { state } = loadCheckpoint(older);
    expect(state).to.include({ step: 28, epoch: 2, batch: 6 });
    // Within its third epoch, of which `validate` says that its weights are.
    const entries = readManifest(path.join(runDirectory, 'manifest.json'));
    expect(entries['checkpoints/step-000000028.safetensors']).to.include({ step: 28, epoch: 3 });
    expect(entries['checkpoints/step-000000033.safetensors']).to.include({ step: 33, epoch: 3 });
    await runIn(inside('steps'), experiment({ ...training, resumeFrom: older }));
    expect(bytesOf(runDirectory) === last).to.equal(true);
    const steps = linesOf(runDirectory).filter(({ interval }) => interval === 'step').map(({ step }) => step); // prettier-ignore
    expect(steps).to.deep.equal(Array.from({ length: 33 }, (_, i) => i + 1));
  });

  it('are written after so many epochs, and after the last', async () => {
    const saved: number[] = [];
    const callback: Callback = { onCheckpointEnd: ({ kind, trainedBatches }) => void (kind === 'last' && saved.push(trainedBatches)) }; // prettier-ignore
    await runIn(inside('epochs'), experiment({ epochs: 5, checkpoint: { everyEpochs: 2 } }), { callbacks: [callback] });
    expect(saved).to.deep.equal([22, 44, 55]);
  });

  it('are written by the clock', async () => {
    let saved = 0;
    const callback: Callback = {
      onBatchEnd: () => new Promise((resolve) => setTimeout(resolve, 10)),
      onCheckpointEnd: ({ kind }) => void (kind === 'last' && ++saved),
    };
    const config = experiment({ epochs: 1, checkpoint: { everyMinutes: 0.02 / 60 } });
    await runIn(inside('minutes'), config, { callbacks: [callback] });
    expect(saved).to.be.at.least(3);
  });

  it('have the weights of the best epochs by a metric of their own', async () => {
    const training = { epochs: 6, learningRate: 0.05, checkpoint: { topK: 3, monitor: 'val_accuracy', mode: 'max' } };
    const { runDirectory, history, bestEpoch } = await runIn(inside('top'), experiment(training));
    const ranked = [...history].sort((a, b) => b.val_accuracy! - a.val_accuracy! || a.epoch! - b.epoch!);
    expect(bestEpoch).to.equal(ranked[0]!.epoch);
    const best = ranked.slice(0, 3).map(({ val_accuracy: accuracy }) => accuracy);
    const epochs = kept(runDirectory).map((name) => Number(/\d+/.exec(name)![0]));
    expect(epochs.map((epoch) => history[epoch - 1]!.val_accuracy).sort((a, b) => b! - a!)).to.deep.equal(best);
    const model = new Model({ dropout: 0, classes: 2 });
    for (const name of kept(runDirectory)) loadWeights(path.join(runDirectory, 'checkpoints', name), model);
  });

  it('are listed with their checksums, versions and values', async () => {
    const { runDirectory } = await runIn(inside('listed'), experiment({ checkpoint: { everySteps: 5, keep: 2, topK: 2 } })); // prettier-ignore
    const file = path.join(runDirectory, 'manifest.json');
    const entries = readManifest(file);
    const files = [...readdirSync(runDirectory), ...kept(runDirectory).map((name) => `checkpoints/${name}`)];
    expect(Object.keys(entries).sort()).to.deep.equal(files.filter((name) => name.endsWith('.safetensors')).sort());
    for (const [name, { sha256 }] of Object.entries(entries)) {
      expect(loadSafetensors(path.join(runDirectory, name)).metadata.sha256, name).to.equal(sha256);
    }
    expect(entries['best.safetensors']).to.include({ kind: 'weights', metric: 'val_loss' });
    expect(JSON.parse(readFileSync(file, 'utf8'))).to.have.nested.property('versions.libtorch');
    expect(JSON.parse(loadSafetensors(path.join(runDirectory, 'last.safetensors')).metadata.versions!)).to.have.keys('aiforge', 'libtorch', 'node'); // prettier-ignore
  });

  it('of the best epoch can be gone on from', async () => {
    const { runDirectory, bestEpoch } = await runIn(inside('best'), experiment({ epochs: 4, learningRate: 0.3 }));
    const whole = bytesOf(runDirectory);
    const file = path.join(runDirectory, 'best-checkpoint.safetensors');
    expect(loadCheckpoint(file).state).to.include({ epoch: bestEpoch, batch: 0 });
    await runIn(inside('best'), experiment({ epochs: 4, learningRate: 0.3, resumeFrom: file }));
    expect(bytesOf(runDirectory) === whole).to.equal(true);
  });

  it('written in the background are those of the moment, and come in order', async () => {
    const training = { checkpoint: { everySteps: 2, keep: 40, background: true } };
    const plain = await runIn(inside('plain'), experiment({ checkpoint: { everySteps: 2, keep: 40 } }));
    const { runDirectory } = await runIn(inside('background'), experiment(training));
    expect(kept(runDirectory)).to.deep.equal(kept(plain.runDirectory));
    for (const name of kept(runDirectory).map((each) => `checkpoints/${each}`)) {
      const [own, other] = [loadSafetensors(path.join(runDirectory, name)), loadSafetensors(path.join(plain.runDirectory, name))]; // prettier-ignore
      const bytes = (tensors: Record<string, { tolist(): unknown }>) => Object.entries(tensors).map(([key, value]) => [key, value.tolist()]); // prettier-ignore
      expect(bytes(own.tensors), name).to.deep.equal(bytes(other.tensors));
    }
    const cut = await runIn(inside('background-cut'), experiment(training), abortAt(2, 5));
    await runIn(inside('background-cut'), experiment({ ...training, resumeFrom: cut.runDirectory }));
    expect(bytesOf(cut.runDirectory) === bytesOf(runDirectory)).to.equal(true);
    expect(readManifest(path.join(runDirectory, 'manifest.json'))).to.have.property('best-checkpoint.safetensors');
  });

  it('in the background that cannot be written end the run', async () => {
    const callback: Callback = {
      onBatchEnd: ({ trainedBatches }) => {
        if (trainedBatches === 3) rmSync(inside('gone'), { recursive: true });
      },
    };
    const config = experiment({ checkpoint: { everySteps: 2, background: true } });
    const error = await failureOf(runIn(inside('gone'), config, { callbacks: [callback] }));
    expect(error).to.have.property('code', 'TRAINING_FAILED');
    expect(error.message).to.match(/gone/);
  });

  it('are left where an error between two batches ends the run, unless that is turned off', async () => {
    const stop = breakAt(2, 4);
    for (const onException of [true, false]) {
      const runs = inside(`exception-${onException}`);
      manualSeed(1);
      const error = await failureOf(runIn(runs, experiment({ checkpoint: { onException } }), stop));
      expect(error.message).to.equal('power cut');
      const [directory] = readdirSync(path.join(runs, 'lab')).map((name) => path.join(runs, 'lab', name));
      const { state } = loadCheckpoint(path.join(directory!, 'last.safetensors'));
      expect(state).to.include(onException ? { epoch: 1, batch: 4 } : { epoch: 1, batch: 0 });
      const whole = await runIn(inside(`whole-${onException}`), experiment());
      await runIn(runs, experiment({ checkpoint: { onException }, resumeFrom: directory! }));
      expect(bytesOf(directory!, 'best.safetensors')).to.equal(bytesOf(whole.runDirectory, 'best.safetensors'));
    }
  });

  it('are not left of an unfinished batch', async () => {
    const callback: Callback = {
      onBackwardEnd: ({ batch }) => {
        if (batch === 3) throw new Error('in the middle');
      },
    };
    const runs = inside('unfinished');
    await failureOf(runIn(runs, experiment({ checkpoint: { onException: true } }), { callbacks: [callback] }));
    const [directory] = readdirSync(path.join(runs, 'lab')).map((name) => path.join(runs, 'lab', name));
    expect(existsSync(path.join(directory!, 'last.safetensors'))).to.equal(false);
  });

  it('refuses a mode without its monitor, and a monitor that nobody measures before training begins', async () => {
    expect(() => experiment({ checkpoint: { mode: 'max' } })).to.throw(/expected training.checkpoint.monitor with it/);
    const unknown = await failureOf(
      runIn(inside('unknown'), experiment({ checkpoint: { monitor: 'val_acuracy', mode: 'max' } })),
    );
    expect(unknown.message).to.match(/training\.checkpoint\.monitor: there is no metric 'val_acuracy'. Did you mean 'val_accuracy'/); // prettier-ignore
    expect((await failureOf(runIn(inside('odd'), experiment({ checkpoint: { monitor: 'accuracy' } })))).message).to.match(/checkpoint\.monitor: there is no metric 'accuracy'/); // prettier-ignore
  });
});

describe('validation within an epoch', () => {
  const folder = temporaryFolder('val-check');
  const inside = (name: string) => path.join(folder, name);
  const training = { valCheckInterval: 4, checkpoint: { everySteps: 3, onException: false } };
  const checks = (directory: string) =>
    linesOf(directory).flatMap((line) => (line.interval === 'validation' ? [[line.epoch, line.step]] : []));

  it('is recorded between the batches, and the best weights go by it', async () => {
    const stages: string[] = [];
    const callback: Callback = { onStageStart: ({ stage }) => void stages.push(stage) };
    const { runDirectory } = await runIn(inside('whole'), experiment({ ...training, epochs: 2 }), { callbacks: [callback] }); // prettier-ignore
    expect(checks(runDirectory)).to.deep.equal([[1, 4], [1, 8], [2, 15], [2, 19]]); // prettier-ignore
    expect(stages.slice(0, 7)).to.deep.equal(['sanity', 'train', 'validation', 'train', 'validation', 'train', 'validation']); // prettier-ignore
    const share = await runIn(inside('share'), experiment({ valCheckInterval: 0.5, epochs: 1 }));
    expect(checks(share.runDirectory)).to.deep.equal([[1, 6]]);
  });

  it('does not change what is trained', async () => {
    const [with_, without] = [await runIn(inside('with'), experiment(training)), await runIn(inside('without'), experiment())]; // prettier-ignore
    const weights = (directory: string) => Object.values(loadCheckpoint(path.join(directory, 'last.safetensors')).model).map((value) => value.tolist()); // prettier-ignore
    expect(weights(with_.runDirectory)).to.deep.equal(weights(without.runDirectory));
  });

  it('counts for early stopping, in the middle of an epoch', async () => {
    const config = experiment({ ...training, earlyStoppingPatience: 1, learningRate: 1e-9, epochs: 3 });
    const { stoppedEarly, epochs, test } = await runIn(inside('early'), config);
    expect(stoppedEarly).to.equal(true);
    expect(epochs).to.be.below(3);
    expect(test).to.not.equal(undefined);
  });

  for (const [stage, epoch, batch] of [
    ['train', 1, 3],
    ['train', 1, 4],
    ['train', 2, 8],
    ['validation', 2, 1],
  ] as const) {
    // prettier-ignore
    it(`goes on to the last bit after a stop in ${stage}, epoch ${epoch}, batch ${batch}`, async () => {
      const whole = await runIn(inside(`${stage}-${epoch}-${batch}-whole`), experiment(training));
      const controller = new AbortController();
      const callback: Callback = {
        onBatchEnd: (end) => {
          if (end.stage === stage && end.epoch === epoch && end.batch === batch) controller.abort();
        },
      };
      const runs = inside(`${stage}-${epoch}-${batch}`);
      const cut = await runIn(runs, experiment(training), { signal: controller.signal, callbacks: [callback] });
      expect(cut.status).to.equal('interrupted');
      const { runDirectory } = await runIn(runs, experiment({ ...training, resumeFrom: cut.runDirectory }));
      for (const file of ['last.safetensors', 'best.safetensors']) {
        expect(bytesOf(runDirectory, file) === bytesOf(whole.runDirectory, file), file).to.equal(true);
      }
      expect(checks(runDirectory)).to.deep.equal(checks(whole.runDirectory));
    });
  }

  it('measures steps where that is asked for', async () => {
    const { runDirectory } = await runIn(inside('measures'), experiment({ epochs: 1, logStepMetrics: true }));
    const [first] = linesOf(runDirectory).filter(({ interval }) => interval === 'step');
    expect(first!.metrics).to.include.keys(
      'grad_norm',
      'samples_per_second',
      'memory_mib',
      'flops_per_second',
      'train_loss_step',
    );
    // Two layers of 4 by 8 and 8 by 2 for 8 samples: forward, the gradients of both weights, and of the second one's input.
    expect(first!.metrics!.model_flops).to.equal(2 * 8 * (2 * (4 * 8 + 8 * 2) + 8 * 2));
    const unclipped = first!.metrics!.grad_norm as number;
    const clipped = await runIn(inside('clipped'), experiment({ epochs: 1, logStepMetrics: true, gradClipNorm: 0.01 }));
    const [same] = linesOf(clipped.runDirectory).filter(({ interval }) => interval === 'step');
    expect(same!.metrics!.grad_norm).to.equal(unclipped);
    expect(linesOf(runDirectory).filter(({ kind }) => kind === 'metrics').every(({ batch }) => typeof batch === 'number')).to.equal(true); // prettier-ignore
  });
});
