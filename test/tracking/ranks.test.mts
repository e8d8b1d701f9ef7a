import { readdirSync } from 'node:fs';
import path from 'node:path';

import { expect } from 'chai';

import { readRecords } from '#lib/tracking/jsonlRecords.js';

import { run, temporaryFolder } from '../support/project.mjs';

describe('what steps log on two ranks', function () {
  this.timeout(120_000);
  const folder = temporaryFolder('recording-ranks');

  it('is recorded once, by rank 0', async () => {
    const fixture = path.resolve('test/tracking/fixtures/recording.yaml');
    const args = ['--nproc', '2', 'train', fixture, 'training.epochs=2'];
    const { status, stderr } = await run('aiforge-launch', args, folder);
    expect(status, stderr).to.equal(0);
    const experiment = path.join(folder, 'runs', 'recording');
    const directory = path.join(experiment, readdirSync(experiment)[0]!);
    const steps = Array.from({ length: 12 }, (_, i) => i + 1);
    for (const [kind, name] of [
      ['text', 'note'],
      ['image', 'input'],
      ['histogram', 'head.weight'],
    ] as const) {
      // prettier-ignore
      const records = readRecords(directory).filter((record) => record.kind === kind && record.name === `train_${name}`);
      expect(records.map(({ step }) => step), name).to.deep.equal(steps); // prettier-ignore
    }
    const validated = readRecords(directory).filter(({ name, kind }) => kind === 'image' && name === 'val_input');
    expect(validated.map(({ epoch, interval }) => `${interval} ${epoch}`)).to.deep.equal(['epoch 1', 'epoch 2']);
    expect(readdirSync(path.join(directory, 'tensorboard'))).to.have.length(1);
  });
});
