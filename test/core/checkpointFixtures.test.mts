import { cpSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import type { RunResult } from 'aiforge';
import { expect } from 'chai';

import { loadCheckpoint } from '#lib/core/checkpoints/checkpoint.js';

import { temporaryFolder } from '../support/project.mjs';
import { linesOf } from './lab.mjs';

const fixtures = path.resolve('test/core/fixtures/checkpoints');

interface Expected {
  losses: { train_loss: number; val_loss: number }[];
  test: number;
}

/** Runs of each version so far, stopped in epoch 2 after batch 8, inside a window of 5; with averages and a schedule. */
describe('a run that an earlier version stopped', () => {
  const folder = temporaryFolder('fixtures');
  const versions = readdirSync(fixtures, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name); // prettier-ignore

  it('is there of some version', () => expect(versions).to.include('0.1.0'));

  for (const version of versions) {
    it(`goes on to its end: ${version}`, async () => {
      const { runFixture } = (await import(pathToFileURL(path.join(fixtures, 'experiment.mjs')).href)) as {
        runFixture: (runs: string, options: object) => Promise<RunResult>;
      };
      const directory = path.join(folder, version);
      cpSync(path.join(fixtures, version), directory, { recursive: true });
      const last = path.join(directory, 'last.safetensors');
      const before = loadCheckpoint(last);
      expect(before.state).to.include({ epoch: 1, batch: 8, step: 4, trainedBatches: 20, worldSize: 1, bestEpoch: 1 });
      expect(Object.keys(before.gradients[0]!)).to.include('head.weight');
      expect(Object.keys(before.averages)).to.include('module.head.weight');
      expect(Object.keys(before.schedulers)).to.deep.equal(['optimizer']);

      const result = await runFixture(path.join(folder, 'runs'), { resumeFrom: directory });
      expect(result).to.include({ status: 'finished', epochs: 3 });
      expect(loadCheckpoint(last).state).to.include({ epoch: 3, batch: 0, step: 9, trainedBatches: 36 });
      const steps = linesOf(directory).flatMap(({ interval, step }) => (interval === 'step' ? [step] : []));
      expect(steps).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9]);
      // Another processor rounds otherwise.
      const expected = JSON.parse(readFileSync(path.join(directory, 'expected.json'), 'utf8')) as Expected;
      result.history.forEach(({ epoch, train_loss: train, val_loss: val }) => {
        const { train_loss: ownTrain, val_loss: ownVal } = expected.losses[epoch! - 1]!;
        expect(train).to.be.closeTo(ownTrain, 1e-3);
        expect(val).to.be.closeTo(ownVal, 1e-3);
      });
      expect(result.test!.loss).to.be.closeTo(expected.test, 1e-3);
    });
  }
});
