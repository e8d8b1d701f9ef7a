import { readdirSync } from 'node:fs';
import path from 'node:path';

import { expect } from 'chai';

import { run, temporaryFolder } from '../support/project.mjs';

const experiment = path.resolve('experiments/simple_nn.yaml');

describe('aiforge tune', () => {
  const folder = temporaryFolder('tune');

  it('draws the curve of learning rates, and says what to type', async () => {
    const args = [
      'tune',
      'lr',
      experiment,
      'training.batchSize=8',
      '--min-lr',
      '1e-4',
      '--max-lr',
      '1',
      '--steps',
      '30',
    ];
    const { status, stdout, stderr } = await run('aiforge', args, folder);
    expect([status, stderr]).to.deep.equal([0, '']);
    expect(stdout).to.match(/^Loss \(smoothed\) at learning rates of \d+ steps/);
    expect(stdout)
      .to.match(/^ +\+-{60}$/m)
      .and.to.match(/^ +0\.000100 +[\d.]+$/m);
    const [, rate] = /^Suggestion: training\.learningRate=([\d.e-]+)$/m.exec(stdout)!;
    expect(Number(rate)).to.be.within(1e-4, 1);
    expect(stdout).to.include(
      `Next: npx aiforge train ${experiment} training.batchSize=8 training.learningRate=${rate}\n`,
    );
    expect(readdirSync(folder), 'no run was made').to.deep.equal([]);
  });

  it('says where there is nothing to suggest', async () => {
    const { status, stdout } = await run('aiforge', ['tune', 'lr', experiment, '--steps', '3'], folder);
    expect(status).to.equal(1);
    expect(stdout).to.match(
      /There is no suggestion: the first 10 steps and the last say little, .* left of 3\. Give --steps 13 or more\.\n/,
    );
  });

  it('shows the batch sizes that were tried, and says what to type', async () => {
    const args = ['tune', 'batch-size', experiment, 'training.batchSize=3', '--max', '16', '--mode', 'binary'];
    const { status, stdout } = await run('aiforge', args, folder);
    expect(status).to.equal(0);
    const sizes = Array.from(stdout.matchAll(/^ +(\d+) +[\d.]+ MiB$/gm), ([, size]) => Number(size));
    expect(sizes).to.deep.equal([2, 4, 8, 16]);
    expect(stdout).to.include(
      'Suggestion: training.batchSize=16 (no larger one was to be tried, or the samples are no more)',
    );
    expect(stdout).to.include(`Next: npx aiforge train ${experiment} training.batchSize=16\n`);
    const little = await run('aiforge', ['tune', 'batch-size', experiment, '--memory-limit', '1KiB'], folder);
    expect(little.status).to.equal(1);
    expect(little.stderr).to.match(/OUT_OF_MEMORY batchSizeFind: not even a batch of 1 fits/);
  });

  for (const [args, message] of [
    [['lr'], /missing required argument 'config'/],
    [['lr', experiment, '--min-lr', 'x'], /argument 'x' is invalid\. It must be a number above 0/],
    [['lr', experiment, '--step', '3'], /unknown option '--step'\n\(Did you mean --steps\?\)/],
    [['batch-size', experiment, '--memory-limit', '4 apples'], /It must be bytes, such as 4GiB/],
    [['batch-size', experiment, '--mode', 'twice'], /It must be power or binary/],
    [['batch-siz', experiment], /unknown command 'batch-siz'/],
    [['lr', 'none.yaml'], /FILE_NOT_FOUND/],
  ] as [string[], RegExp][]) {
    it(`says what is wrong with tune ${args.join(' ')}`, async () => {
      const { status, stderr } = await run('aiforge', ['tune', ...args], folder);
      expect(status).to.equal(1);
      expect(stderr).to.match(message);
    });
  }
});
