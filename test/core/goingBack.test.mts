import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

import { loadSafetensors } from 'aiforge';
import { expect } from 'chai';

import { loadCheckpoint } from '#lib/core/checkpoints/checkpoint.js';
import { readManifest } from '#lib/core/checkpoints/manifest.js';

import { temporaryFolder } from '../support/project.mjs';
import { abortAt, bytesOf, experiment, failureOf, linesOf, runIn } from './lab.mjs';

describe('going back to an older checkpoint', () => {
  const folder = temporaryFolder('going-back');
  const inside = (name: string) => path.join(folder, name);
  const steady = { epochs: 4, learningRate: 0.05, checkpoint: { everySteps: 11, keep: 9, topK: 4 } };
  const keptIn = (directory: string) => readdirSync(path.join(directory, 'checkpoints')).sort();
  const stepFile = (directory: string, step: number) =>
    path.join(directory, 'checkpoints', `step-${String(step).padStart(9, '0')}.safetensors`);
  const checksumOf = (file: string) => loadSafetensors(file).metadata.sha256;

  /** Stops right after the first batch that follows. */
  const atOnce = (epoch: number) => abortAt(epoch, 1);

  for (const [name, averaging] of [
    ['plain', null],
    ['averaged', { method: 'ema', decay: 0.9 }],
  ] as const) {
    it(`gives the best weights of its time back, and drops later ones: ${name}`, async () => {
      const runs = inside(name);
      const training = { ...steady, averaging };
      const { runDirectory, bestEpoch } = await runIn(runs, experiment(training));
      expect(bestEpoch).to.be.above(1);
      const older = stepFile(runDirectory, 11);
      const { state } = loadCheckpoint(older);
      expect(state).to.include({ epoch: 1, bestEpoch: 1 });
      const later = { ...training, learningRate: 1e-6, resumeFrom: older };
      const cut = await runIn(runs, experiment(later), atOnce(2));
      expect(cut.status).to.equal('interrupted');
      expect(checksumOf(path.join(runDirectory, 'best.safetensors'))).to.equal(state.bestWeights);
      expect(loadSafetensors(path.join(runDirectory, 'best.safetensors')).metadata.epoch).to.equal('1');
      // The stop wrote one of step 12.
      expect(keptIn(runDirectory)).to.deep.equal(['epoch-00001.safetensors', path.basename(older), path.basename(stepFile(runDirectory, 12))]); // prettier-ignore
      const end = await runIn(runs, experiment({ ...later, resumeFrom: runDirectory }));
      const best = end.history.reduce((a, b) => (b.val_loss! < a.val_loss! ? b : a), {
        val_loss: state.best!,
        epoch: 1,
      });
      expect(end.bestEpoch).to.equal(best.epoch);
      const steps = linesOf(runDirectory).flatMap(({ interval, step }) => (interval === 'step' ? [step] : []));
      expect(steps).to.deep.equal(Array.from({ length: 44 }, (_, i) => i + 1));
      const entries = readManifest(path.join(runDirectory, 'manifest.json'));
      const files = [...readdirSync(runDirectory), ...keptIn(runDirectory).map((file) => `checkpoints/${file}`)];
      expect(Object.keys(entries).sort()).to.deep.equal(files.filter((file) => file.endsWith('.safetensors')).sort());
      for (const [file, { sha256 }] of Object.entries(entries)) expect(checksumOf(path.join(runDirectory, file)), file).to.equal(sha256); // prettier-ignore
    });
  }

  it('makes it the last one at once', async () => {
    const runs = inside('last');
    const { runDirectory } = await runIn(runs, experiment(steady));
    const older = stepFile(runDirectory, 22);
    const callback = {
      onRunStart: () => {
        throw new Error('power cut');
      },
    };
    await failureOf(runIn(runs, experiment({ ...steady, resumeFrom: older }), { callbacks: [callback] }));
    expect(bytesOf(runDirectory) === readFileSync(older).toString('base64')).to.equal(true);
    expect(existsSync(stepFile(runDirectory, 33))).to.equal(false);
  });

  it('takes the best weights from the checkpoint itself where no file has them', async () => {
    const runs = inside('itself');
    const training = { ...steady, checkpoint: { everySteps: 11, keep: 9 } };
    const { runDirectory } = await runIn(runs, experiment(training));
    const older = stepFile(runDirectory, 11);
    const { bestWeights } = loadCheckpoint(older).state;
    for (const name of keptIn(runDirectory)) if (name.startsWith('best-')) rmSync(path.join(runDirectory, 'checkpoints', name)); // prettier-ignore
    await runIn(runs, experiment({ ...training, resumeFrom: older }), atOnce(2));
    expect(checksumOf(path.join(runDirectory, 'best.safetensors'))).to.equal(bestWeights);
  });

  it('is refused where the best weights are gone, and nothing is changed', async () => {
    const runs = inside('gone');
    const training = { ...steady, averaging: { method: 'ema', decay: 0.9 }, checkpoint: { everySteps: 11, keep: 9 } };
    const { runDirectory } = await runIn(runs, experiment(training));
    for (const name of keptIn(runDirectory)) if (name.startsWith('best-')) rmSync(path.join(runDirectory, 'checkpoints', name)); // prettier-ignore
    const before = [keptIn(runDirectory), bytesOf(runDirectory), bytesOf(runDirectory, 'best.safetensors')];
    const resumeFrom = stepFile(runDirectory, 11);
    const failure = await failureOf(runIn(runs, experiment({ ...training, resumeFrom })));
    expect(failure).to.have.property('code', 'FILE_NOT_FOUND');
    expect(failure.message).to.match(
      /The best weights of this checkpoint, of epoch 1, are gone: .*Resume from the run's folder/,
    );
    expect([keptIn(runDirectory), bytesOf(runDirectory), bytesOf(runDirectory, 'best.safetensors')]).to.deep.equal(before); // prettier-ignore
  });

  it('removes best weights that were written after a checkpoint without any', async () => {
    const runs = inside('none');
    const training = { ...steady, checkpoint: { everySteps: 4, keep: 99 } };
    const { runDirectory } = await runIn(runs, experiment(training));
    const resumeFrom = stepFile(runDirectory, 8);
    await runIn(runs, experiment({ ...training, resumeFrom }), { ...abortAt(1, 9) });
    expect(existsSync(path.join(runDirectory, 'best.safetensors'))).to.equal(false);
    expect(loadCheckpoint(path.join(runDirectory, 'last.safetensors')).state).to.include({ step: 9, best: null });
  });

  it('goes on from a checkpoint under a name of its own', async () => {
    const runs = inside('named');
    const { runDirectory } = await runIn(runs, experiment(steady));
    const whole = bytesOf(runDirectory);
    const named = path.join(runDirectory, 'good.safetensors');
    copyFileSync(stepFile(runDirectory, 22), named);
    await runIn(runs, experiment({ ...steady, resumeFrom: named }));
    expect(bytesOf(runDirectory) === whole).to.equal(true);
  });

  it('needs no more files of best weights than there are checkpoints', async () => {
    const { runDirectory } = await runIn(inside('few'), experiment({ epochs: 6, learningRate: 0.003, checkpoint: { everySteps: 11, keep: 2 } })); // prettier-ignore
    const bests = keptIn(runDirectory).filter((name) => name.startsWith('best-'));
    expect(bests.length).to.be.at.most(2);
    const plain = await runIn(inside('one'), experiment({ epochs: 3 }));
    expect(existsSync(path.join(plain.runDirectory, 'checkpoints'))).to.equal(false);
  });
});
