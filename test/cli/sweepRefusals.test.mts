import { existsSync } from 'node:fs';
import path from 'node:path';

import { expect } from 'chai';

import { availableCores } from '#lib/cores.js';

import { run, temporaryFolder, writeFiles } from '../support/project.mjs';
import { grid, halving } from '../support/sweeps.mjs';

describe('aiforge sweep, before anything starts,', () => {
  const folder = temporaryFolder('sweep-refusals');
  const inside = (...names: string[]): string => path.join(folder, ...names);
  const file = (name: string, text: string): string => {
    writeFiles(folder, { [`${name}.yaml`]: text });
    return inside(`${name}.yaml`);
  };

  const more = availableCores() + 1;
  for (const [what, text, expected] of [
    [
      'no method',
      grid.replace('method: grid', ''),
      /method is missing; expected one of grid, random, halving as method/,
    ],
    [
      'another method',
      grid.replace('grid', 'gird'),
      /method is "gird"; expected one of grid, random, halving as method\. Did you mean 'grid'\?\n$/,
    ],
    [
      'an unknown key',
      grid.replace('parallel', 'paralel'),
      /paralel \(\S*:4:\d+\): unknown option, did you mean 'parallel'\?/,
    ],
    ['trials of a grid', `${grid}trials: 3\n`, /trials \(\S*:8:\d+\): unknown option/],
    [
      'an unknown setting',
      grid.replace('learningRate', 'learningRat'),
      /parameters\.training\.learningRat \(\S*:6:\d+\): unknown option, did you mean 'learningRate'\?/,
    ],
    [
      'a setting without its group',
      grid.replace('training.learningRate', 'learning_rate'),
      /did you mean 'training\.learningRate'\?/,
    ],
    [
      'a group of settings',
      grid.replace('training.learningRate', 'training'),
      /it is a group of settings; give one of them/,
    ],
    [
      'a value that no run takes',
      grid.replace('[8, 16]', '[8, 1.5]'),
      /trial 2 cannot run: .*training\.batchSize \(override 'training\.batchSize=1\.5'\): got 1\.5, expected a whole number/s,
    ],
    [
      'a parameter that is none',
      grid.replace('values: [8, 16]', 'min: 8'),
      /training\.batchSize \(\S*:7:\d+\): .*expected values: \[…\], or min and max/,
    ],
    [
      'a value twice',
      grid.replace('[8, 16]', '[8, 16, 8]'),
      /trials 1 and 3 are the same configuration, training\.learningRate=0\.1 training\.batchSize=8/,
    ],
    [
      'the threads as a setting',
      grid.replace('training.batchSize', 'training.numThreads'),
      /it cannot be varied: threadsPerTrial/,
    ],
    [
      'epochs of halving',
      halving.replace(
        'training.learningRate: { min: 0.001, max: 0.1, scale: log }',
        'training.epochs: { values: [1, 2, 3, 4] }',
      ),
      /it cannot be varied: halving sets it/,
    ],
    ['a metric of no name', `${grid}metric: loss\n`, /metric \(\S*:8:\d+\): there is no metric 'loss'/],
    ['a metric without a mode', `${grid}metric: val_spread\n`, /say it by mode: min or mode: max/],
    [
      'more trials at a time than cores',
      grid.replace('parallel: 1', `parallel: ${more}`),
      new RegExp(
        `parallel \\(\\S*:4:\\d+\\): ${more} trials at a time with 1 thread each need ${more} cores, and there are ${more - 1}`,
      ),
    ],
    [
      'threads that the experiment sets otherwise',
      `${grid}threadsPerTrial: 2\n`,
      /threadsPerTrial \(\S*:8:\d+\): it is 2, and training\.numThreads of the experiment is 1/,
    ],
    [
      'an experiment that is not there',
      grid.replace('faulty.yaml', 'fautly.yaml'),
      /^FILE_NOT_FOUND .*Did you mean 'faulty\.yaml'\?/,
    ],
    [
      'a metric to watch that says nothing of its direction',
      `${grid.replace('training.batchSize: { values: [8, 16] }', 'training.earlyStoppingMonitor: { values: [val_loss, val_wibble] }')}metric: val_loss\nmode: min\n`,
      /trial \d cannot run: training\.earlyStoppingMode.*'val_wibble' does not say/,
    ],
    ['YAML that is none', `${grid}  x: [`, /^CONFIG_INVALID \S+:\d+:\d+: not valid YAML/],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const { status, stdout, stderr } = await run('aiforge', ['sweep', file('refused', text)], inside('refused'));
      expect(status).to.equal(1);
      expect(stdout).to.equal('');
      expect(stderr).to.match(expected);
      expect(existsSync(inside('refused', 'runs'))).to.equal(false);
    });
  }

  it('refuses settings that the model’s own schema does not have', async () => {
    const own = path.resolve('experiments/simple_nn.yaml');
    const text = `experiment: ${own}\nmethod: grid\nparameters:\n  model.hidenDims: { values: [[8], [16, 16]] }\n`;
    const wrong = await run('aiforge', ['sweep', file('schema', text)], inside('schema'));
    expect(wrong.stderr).to.match(
      /parameters\.model\.hidenDims \(\S*:4:\d+\): unknown option, did you mean 'hiddenDims'\?/,
    );
    const values = text.replace('hidenDims', 'hiddenDims').replace('[8]', '[8.5]');
    const refused = await run('aiforge', ['sweep', file('schema', values)], inside('schema'));
    expect(refused.stderr).to.match(/trial 1 cannot run: .*model\.hiddenDims\.0 .*got 8\.5, expected a whole number/s);
  });

  it('says what is missing or too much on the command line', async () => {
    file('grid', grid);
    for (const [args, expected] of [
      [[], /^INVALID_ARGUMENT aiforge sweep needs a file/],
      [['x.yaml', '--paralel', '2'], /unknown option '--paralel'\n\(Did you mean --parallel\?\)/],
      [['x.yaml', '--parallel', '0'], /It must be a whole number, at least 1/],
      [[inside('grit.yaml')], /^FILE_NOT_FOUND There is no sweep .* Did you mean 'grid\.yaml'\?/],
      [[folder], /^CONFIG_INVALID .* is no file of a sweep/],
    ] as [string[], RegExp][]) {
      const { status, stderr } = await run('aiforge', ['sweep', ...args], inside('line'));
      expect(status).to.equal(1);
      expect(stderr).to.match(expected);
    }
  });
});
