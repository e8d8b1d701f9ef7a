import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { loadSafetensors, type Callback } from 'aiforge';
import { expect } from 'chai';

import { loadCheckpoint } from '#lib/core/checkpoints/checkpoint.js';
import { readManifest } from '#lib/core/checkpoints/manifest.js';

import { temporaryFolder } from '../support/project.mjs';
import { abortAt, bytesOf, Dataset, experiment, failureOf, runIn } from './lab.mjs';

/** Throws at the n-th time that an event of a kind comes. */
function throwAt<Name extends keyof Callback>(name: Name, isMeant: (event: never) => boolean, count: number): Callback {
  let seen = 0;
  const method = (event: never): void => {
    if (isMeant(event) && ++seen === count) throw new Error('broken off');
  };
  return { [name]: method };
}

describe('a run that an error broke off', () => {
  const folder = temporaryFolder('broken-off');
  const inside = (name: string) => path.join(folder, name);
  const runOf = (runs: string): string => path.join(runs, 'lab', readdirSync(path.join(runs, 'lab'))[0]!);
  const swa = { averaging: { method: 'swa', startEpoch: 2 } };
  const saving = { onException: true };

  const cases: [string, object, Callback][] = [
    ['in a validation', swa, throwAt('onStageStart', ({ stage }: { stage: string }) => stage === 'validation', 2)],
    ['in the batches of a validation', swa, throwAt('onBatchEnd', ({ stage }: { stage: string }) => stage === 'validation', 3)], // prettier-ignore
    ['after a validation', {}, throwAt('onStageEnd', ({ stage }: { stage: string }) => stage === 'validation', 2)],
    ['in the test', { averaging: { method: 'ema', decay: 0.9 } }, throwAt('onStageStart', ({ stage }: { stage: string }) => stage === 'test', 1)], // prettier-ignore
    ['before the best weights are written', {}, throwAt('onCheckpointStart', ({ kind }: { kind: string }) => kind === 'best', 2)], // prettier-ignore
    ['after the best weights were written', {}, throwAt('onCheckpointEnd', ({ kind }: { kind: string }) => kind === 'best', 2)], // prettier-ignore
    ['before weights are kept', { checkpoint: { topK: 2 } }, throwAt('onCheckpointStart', ({ kind }: { kind: string }) => kind === 'kept', 2)], // prettier-ignore
  ];
  for (const [where, given, callback] of cases) {
    it(`${where} ends as one that was not`, async () => {
      const training = { ...given, checkpoint: { ...saving, ...(given as { checkpoint?: object }).checkpoint } };
      const whole = await runIn(inside(`${where}-whole`), experiment(training));
      const failure = await failureOf(runIn(inside(where), experiment(training), { callbacks: [callback] }));
      expect(failure.message).to.equal('broken off');
      const directory = runOf(inside(where));
      await runIn(inside(where), experiment({ ...training, resumeFrom: directory }));
      const files = ['last.safetensors', 'best.safetensors', 'best-checkpoint.safetensors'];
      for (const file of files) expect(bytesOf(directory, file) === bytesOf(whole.runDirectory, file), file).to.equal(true); // prettier-ignore
    });
  }

  it('in the test has its last weights in its checkpoint, also where none is to be kept', async () => {
    const training = { checkpoint: { ...saving, keepLast: false } };
    const callback = throwAt('onBatchEnd', ({ stage }: { stage: string }) => stage === 'test', 1);
    await failureOf(runIn(inside('unkept'), experiment(training), { callbacks: [callback] }));
    const whole = await runIn(inside('unkept-whole'), experiment());
    const weights = (directory: string) =>
      Object.values(loadCheckpoint(path.join(directory, 'last.safetensors')).model).map((value) => value.tolist());
    expect(weights(runOf(inside('unkept')))).to.deep.equal(weights(whole.runDirectory));
  });

  it('between a file and its entry in the manifest mends the manifest', async () => {
    const runs = inside('manifest');
    const training = { checkpoint: { everySteps: 5, keep: 3 } };
    const { runDirectory } = await runIn(runs, experiment(training), abortAt(2, 4));
    const file = path.join(runDirectory, 'manifest.json');
    const own = JSON.parse(readFileSync(file, 'utf8')) as { files: Record<string, { sha256: string }> };
    own.files['last.safetensors']!.sha256 = 'of the one before';
    own.files['checkpoints/step-000000001.safetensors'] = { ...own.files['last.safetensors']! };
    writeFileSync(file, JSON.stringify(own));
    await runIn(runs, experiment({ ...training, resumeFrom: runDirectory }), abortAt(2, 5));
    const entries = readManifest(file);
    expect(entries).not.to.have.property('checkpoints/step-000000001.safetensors');
    for (const [name, { sha256, step, kind }] of Object.entries(entries)) {
      expect(loadSafetensors(path.join(runDirectory, name)).metadata.sha256, name).to.equal(sha256);
      if (kind !== 'weights') expect(loadCheckpoint(path.join(runDirectory, name)).state.step, name).to.equal(step);
    }
  });

  it('in a fifth of an epoch, also a later one, has trained on each sample once an epoch', async () => {
    const seen: number[][] = [[], [], []];
    let epoch = 0;
    const original = Object.getOwnPropertyDescriptor(Dataset.prototype, 'get')!;
    Dataset.prototype.get = function (index) {
      if (epoch > 0) seen[epoch - 1]!.push(index);
      return (original.value as Dataset['get']).call(this, index);
    };
    const counted: Callback = {
      onBatchStart: (event) => void (epoch = event.stage === 'train' ? event.epoch : 0),
      onBatchEnd: () => void (epoch = 0),
    };
    try {
      const runs = inside('samples');
      const stops: [epoch: number, batch: number][] = [[1, 2], [2, 2], [3, 2]]; // prettier-ignore
      let resumeFrom: string | null = null;
      for (const [at, batch] of stops) {
        const { signal, callbacks } = abortAt(at, batch);
        const { runDirectory } = await runIn(runs, experiment({ resumeFrom }), { signal: signal!, callbacks: [counted, ...callbacks!] }); // prettier-ignore
        resumeFrom = runDirectory;
      }
      await runIn(runs, experiment({ resumeFrom }), { callbacks: [counted] });
    } finally {
      Object.defineProperty(Dataset.prototype, 'get', original);
    }
    for (const ids of seen) {
      expect(ids).to.have.length(84);
      expect(new Set(ids).size).to.equal(84);
    }
    expect(new Set(seen.flat()).size).to.equal(84);
  });
});
