import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { expect } from 'chai';

import { loadModule } from '#lib/modules/loadModule.js';
import { SweepConfig } from '#lib/sweeps/sweepConfig.js';

import { DocumentedProject } from './project.mjs';

/** Every snippet of docs/sweeps.md, in a project of its own, run as written. */
describe('docs/sweeps.md', () => {
  const project = new DocumentedProject('docs/sweeps.md', 'sweeps');
  before(() => project.enter());
  after(() => project.leave());

  it('has a file for each method, and commands', () => {
    expect(project.snippets.filter(({ file }) => file?.startsWith('sweeps/'))).to.have.length(3);
    expect(project.commands).to.have.length(7);
  });

  it('names every setting of a sweep', () => {
    const text = readFileSync(path.join(project.root, 'docs/sweeps.md'), 'utf8');
    for (const option of SweepConfig.options) {
      for (const name of Object.keys(option.shape)) expect(text).to.include(`| \`${name}\``);
    }
  });

  for (const command of project.commands) {
    it(command, () => {
      const printed = project.run(command);
      if (command.includes('/random.yaml') || command.includes(' show ')) expect(printed).to.include('best run');
      if (command.includes('/halving.yaml')) expect(printed).to.match(/^7\/7 {2}trial/m);
      if (command.endsWith(' ls')) expect(printed).to.include('grid, 4 of 4 trials');
    }).timeout(180_000);
  }

  it('type-checks, the plugin that was begun as well', () => project.typeCheck()).timeout(120_000);

  it('asks the model of the best trial', () => {
    const { askBest } = loadModule(path.resolve('best.ts')) as {
      askBest: (folder: string, features: number[]) => { settings: object; label: number };
    };
    const { settings, label } = askBest('runs/sweeps/random', [0, 0]);
    expect(settings).to.have.all.keys(
      'training.learningRate',
      'model.hiddenSize',
      'training.batchSize',
      'training.optimizerName',
    );
    expect(label).to.be.oneOf([0, 1, 2]);
    for (const name of ['sweep.json', 'results.csv', 'parallel.svg', 'trials/0001/log.txt']) {
      expect(existsSync(path.join('runs/sweeps/random', name)), name).to.equal(true);
    }
  });
});
