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
    // An option twice is not silently the last one.
    ...(
      [
        [['predict', 'RUN', '--input', 'a', '--input', 'b'], "'--input <file>' was given twice, as 'a' and as 'b'"],
        [['predict', 'RUN', '--output=a.csv', '--output', 'b.csv'], "'--output <file>' was given twice, as 'a.csv' and as 'b.csv'"], // prettier-ignore
        [['predict', 'RUN', '--batch-size', '1', '--batch-size', '2'], "'--batch-size <n>' was given twice, as '1' and as '2'"], // prettier-ignore
        [['predict', 'RUN', '--split', 'val', '--split', 'val'], "'--split <name>' was given twice, as 'val' and as 'val'"], // prettier-ignore
        [['test', 'RUN', '--weights', 'a', '--weights', 'b'], "'--weights <file>' was given twice, as 'a' and as 'b'"],
        [['train', '--resume', 'a', '--resume', 'b'], "'--resume <run>' was given twice, as 'a' and as 'b'"],
        [['tune', 'lr', 'x.yaml', '--steps', '5', '--steps', '6'], "'--steps <n>' was given twice, as '5' and as '6'"],
        [['new', 'plugin', 'x', '--kind', 'text', '--kind', 'regression'], "'--kind <kind>' was given twice, as 'text' and as 'regression'"], // prettier-ignore
      ] as const
    ).map(([args, said]) => ['aiforge', [...args], new RegExp(`^error: option ${said}: give it once`)] as const),
    [
      'aiforge-launch',
      ['--nproc', '2', '--nproc', '4', 'train', 'x.yaml'],
      /^error: option '--nproc <n>' was given twice, as '2' and as '4'/,
    ],
    // What other tools call options.
    ...(
      [
        ['train', '--nproc', /\(Several processes are started with aiforge-launch --nproc <n> train …\)/],
        ['train', '--trainer.devices', /\(Several processes are started with aiforge-launch/],
        ['test', '--nproc-per-node', /aiforge-launch --nproc <n> test …/],
        ['predict', '--devices', /\(A setting is given as training\.device=…\)/],
        ['predict', '--ckpt', /\(Weights and checkpoints are given as --weights <file>\)\n\(see/],
        ['test', '--checkpoint', /--weights <file>/],
        ['validate', '--ckpt_path=x', /--weights <file>/],
        ['train', '--ckpt-path', /--resume <run>/],
        ['predict', '--device', /\(A setting is given as training\.device=…\)/],
        ['test', '--batch-size', /\(A setting is given as training\.batchSize=…\)/],
        ['predict', '--format', /extension of --output: \.jsonl, \.csv or \.parquet/],
        ['predict', '--on-error', /--skip-errors/],
        ['predict', '--ignore-errors', /--skip-errors/],
        ['predict', '--proba', /--classify/],
        ['predict', '--overwrite', /replaced when the new one is whole/],
        ['sweep', '--workers', /--parallel <n>, or parallel in the file/],
        ['sweep', '--n-trials', /trials in the file/],
      ] as const
    ).map(([name, option, said]) => ['aiforge', [name, 'x', option, 'y'], said, /^error: unknown option '--/] as const),
    ['aiforge-launch', ['--num_processes', '2', 'x.js'], /\(Ranks to start on this node are --nproc <n>\)/],
    ...['predict', 'sweep', 'tune', 'config', 'checkpoints', 'runs', 'new', 'plugins', 'setup', 'doctor'].map(
      (name) => ['aiforge-launch', ['--nproc', '2', name, 'x'], new RegExp(`INVALID_ARGUMENT: .*: start it as npx aiforge ${name}, without aiforge-launch`)] as const, // prettier-ignore
    ),
    ['aiforge-launch', ['--nproc', '2', 'predict', 'x'], /Predictions run in one process/],
    ['aiforge-launch', ['--npro', '2', 'train', 'x.yaml'], /unknown option '--npro'\n\(Did you mean --nproc\?\)/],
    ['aiforge-launch', ['train', 'x.yaml'], /required option '--nproc <n>' not specified/],
    ['aiforge-launch', ['--nproc', 'two', 'train'], /argument 'two' is invalid\. It must be a number/],
    ['aiforge-launch', ['--nproc', '2'], /missing required argument 'target'/],
    ['aiforge-launch', ['--nproc', '2', 'trin', 'x.yaml'], /FILE_NOT_FOUND.*no script '.*trin'.*'train'/],
  ] as (readonly [command: 'aiforge' | 'aiforge-launch', args: string[], ...expected: RegExp[]])[]) {
    it(`says what is wrong with ${[command, ...args].join(' ')}`, async () => {
      const { status, stdout, stderr } = await run(command, args, folder);
      expect(status).to.equal(1);
      expect(stdout).to.equal('');
      for (const part of expected) expect(stderr).to.match(part);
      expect(stderr).not.to.match(/^ +at /m);
      expect(stderr, 'no colour').not.to.include('\u001b');
    });
  }

  it('lets flags and options that are made for it be given again', async () => {
    const { stderr } = await run(
      'aiforge',
      ['runs', 'show', 'RUN', '--json', '--json', '--metric', 'a', '--metric', 'b'],
      folder,
    );
    expect(stderr).to.match(/RUN/).and.not.to.match(/twice/);
  });

  it('has aiforge-launch know every subcommand', async () => {
    const { stdout } = await run('aiforge', ['--help'], folder);
    const names = [...stdout.slice(stdout.indexOf('\nCommands:')).matchAll(/^ {2}([a-z]+) {2}/gm)].map(
      ([, name]) => name!,
    );
    expect(names).to.include.members(['train', 'predict', 'doctor']);
    for (const name of names.filter((each) => !['train', 'validate', 'test', 'help'].includes(each))) {
      const { stderr } = await run('aiforge-launch', ['--nproc', '2', name], folder);
      expect(stderr, name).to.match(/without aiforge-launch/);
    }
  });

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
