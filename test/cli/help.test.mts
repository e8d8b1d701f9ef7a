import { spawnSync } from 'node:child_process';
import path from 'node:path';

import { expect } from 'chai';

import { run, temporaryFolder } from '../support/project.mjs';

describe('the command line', () => {
  const folder = temporaryFolder('help');

  for (const [command, args, ...expected] of [
    ['aiforge', ['tran', 'x.yaml'], /unknown command 'tran'\n\(Did you mean train\?\)\n\(see aiforge --help\)\n$/],
    [
      'aiforge',
      ['train', '--resum', 'x'],
      /unknown option '--resum'\n\(Did you mean --resume\?\)/,
      /see aiforge train --help/,
    ],
    [
      'aiforge',
      ['train', 'x.yaml', '--epochs', '3'],
      /unknown option '--epochs'\n\(A setting is given as training\.epochs=…\)/,
    ],
    ['aiforge', ['train', 'x.yaml', '--batch-size=3'], /\(A setting is given as training\.batchSize=…\)/],
    [
      'aiforge',
      ['train', 'x.yaml', '--every-steps', '3'],
      /\(A setting is given as training\.checkpoint\.everySteps=…\)/,
    ],
    [
      'aiforge',
      ['train', 'x.yaml', '--frobnicate'],
      /^error: unknown option '--frobnicate'\n\(see aiforge train --help\)\n$/,
    ],
    ['aiforge', ['train', '--resume'], /option '--resume <run>' argument missing/],
    ['aiforge', ['train'], /^INVALID_ARGUMENT aiforge train needs a configuration file, .* or --resume/],
    ['aiforge', ['train', 'training.epochs=2'], /^INVALID_ARGUMENT aiforge train needs a configuration file/],
    [
      'aiforge',
      ['train', 'experiments/spam.yaml', 'training.epochs', '3'],
      /Override 'training\.epochs': expected key=value, such as training\.epochs=2/,
    ],
    ['aiforge', ['doctor', 'x'], /too many arguments for 'doctor'/],
    ['aiforge', [], /Usage: aiforge .*Examples:/s],
    ['aiforge-launch', ['--npro', '2', 'train', 'x.yaml'], /unknown option '--npro'\n\(Did you mean --nproc\?\)/],
    ['aiforge-launch', ['train', 'x.yaml'], /required option '--nproc <n>' not specified/],
    ['aiforge-launch', ['--nproc', 'two', 'train'], /argument 'two' is invalid\. It must be a number/],
    ['aiforge-launch', ['--nproc', '2'], /missing required argument 'target'/],
    ['aiforge-launch', ['--nproc', '2', 'trin', 'x.yaml'], /FILE_NOT_FOUND.*no script '.*trin'.*'train'/],
  ] as [command: 'aiforge' | 'aiforge-launch', args: string[], ...expected: RegExp[]][]) {
    it(`says what is wrong with ${[command, ...args].join(' ')}`, async () => {
      const { status, stdout, stderr } = await run(command, args, folder);
      expect(status).to.equal(1);
      expect(stdout).to.equal('');
      for (const part of expected) expect(stderr).to.match(part);
      expect(stderr).not.to.match(/^ +at /m);
      expect(stderr, 'no colour').not.to.include('\u001b');
    });
  }

  it('explains overrides, signals, exit statuses and where every setting is described', async () => {
    const { status, stdout } = await run('aiforge', ['train', '--help'], folder);
    expect(status).to.equal(0);
    for (const part of ['training.epochs=2', 'SIGTERM', 'Exit status', path.resolve('docs/configuration.md')]) {
      expect(stdout).to.include(part);
    }
  });

  for (const command of [
    'aiforge',
    'aiforge train',
    'aiforge sweep',
    'aiforge new plugin',
    'aiforge plugins check',
    'aiforge-launch',
  ]) {
    it(`keeps the lists of ${command} --help within 40 columns`, function () {
      if (spawnSync('script', ['--version']).status !== 0) {
        console.log('      (there is no `script` to make a terminal with)');
        return this.skip();
      }
      const [name, ...args] = command.split(' ');
      const program = `${process.execPath} ${path.resolve('dist/lib/cli', `${name}.js`)} ${args.join(' ')} --help`;
      const env = { ...process.env, NO_COLOR: '1' };
      const { stdout } = spawnSync('script', ['-qec', `stty cols 40; ${program}`, '/dev/null'], {
        encoding: 'utf8',
        env,
      });
      const lists = /^(Arguments|Options|Commands):[^]*?(?=^\S)/gm;
      const lines = (stdout.replaceAll('\r', '').match(lists) ?? []).join('').split('\n');
      expect(lines.length).to.be.greaterThan(5);
      expect(lines.filter((line) => line.length > 40)).to.deep.equal([]);
      expect(stdout, 'no colour').not.to.include('\u001b');
    });
  }
});
