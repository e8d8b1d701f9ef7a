#!/usr/bin/env node
import '../userSignals.js';

import { createRequire } from 'node:module';
import { join } from 'node:path';

import { Command } from 'commander';
import pc from 'picocolors';

import { packageManifest, packageRoot } from '../config/loadModule.js';
import { recordRankError } from '../distributed/launch/errorFile.js';
import { explain } from './explain.js';
import { endAsTold } from './hangUp.js';

const load = createRequire(__filename);

const examples = `
Examples:
  aiforge train experiments/spam.yaml
  aiforge train experiments/spam.yaml training.epochs=2
  aiforge train --resume runs/spam/2026-01-31_12-00-00
  aiforge-launch --nproc 2 train experiments/spam.yaml
  aiforge setup
  aiforge doctor`;

const trainNotes = `
A setting is given as it is nested in the file:
  training.epochs=2              a number
  training.gradClipNorm=null     none
  model.hiddenDims=[64,64]       a list
  'experimentName=second try'    a text, as it stands
Paths in a file are relative to the file, those given
here to the working directory.

Ctrl-C and SIGTERM leave a checkpoint to resume from, a
second one ends at once; SIGUSR1 and SIGUSR2 only leave
a checkpoint. Exit status: 0 finished, 1 failed, 130
after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP.

Every setting: ${join(packageRoot(), 'docs', 'configuration.md')}`;

// The commands load what they need: `setup` and `doctor` must work where the addon does not.
function buildProgram(finish: (status: number) => void): Command {
  const program = new Command('aiforge')
    .description("Trains models of plugins on PyTorch's engine.")
    .version(packageManifest().version)
    .configureHelp({ subcommandTerm: (command) => command.name(), minWidthToWrap: 20 })
    .showHelpAfterError('(see aiforge --help)')
    .addHelpText('after', examples);
  program
    .command('train')
    .description('runs the experiment of a configuration file')
    .argument('[config]', 'a YAML, TypeScript or JavaScript file; with --resume that of the run, unless it is given')
    .argument('[overrides...]', 'settings as key.sub=value, which come before those of the file')
    .option('--resume <run>', 'go on with a run: its folder, or a checkpoint in it')
    .configureOutput({ outputError: (text, write) => write(text + hintOfSetting(text)) })
    .showHelpAfterError('(see aiforge train --help)')
    .addHelpText('after', trainNotes)
    .action(async (config: string | undefined, overrides: string[], { resume }: { resume?: string }) => {
      const { train } = await import('./train.js');
      finish(await train(config === undefined ? [] : [config, ...overrides], resume));
    });
  program
    .command('setup')
    .description('brings LibTorch and the addon, where installing the package did not')
    .action(async () => {
      const { setup } = await import('./setup.js');
      finish(await setup());
    });
  program
    .command('doctor')
    .description('prints what was found on this machine, and what to do about what is missing')
    .action(async () => {
      const { doctor } = await import('./doctor.js');
      finish(await doctor());
    });
  return program;
}

/** Whoever writes --epochs may mean the setting. */
function hintOfSetting(text: string): string {
  const [, option] = /unknown option '--(?:[\w-]+\.)*([\w-]+)/.exec(text) ?? [];
  if (option === undefined) return '';
  const { settingCalled } = load('../config/settingNames.js') as typeof import('../config/settingNames.js');
  const setting = settingCalled(option);
  return setting === undefined ? '' : `(A setting is given as ${setting}=…)\n`;
}

// What cannot be printed, as where the disk is full, is no reason to end the work.
process.stdout.on('error', () => undefined);

async function main(): Promise<void> {
  let status = 0;
  try {
    await buildProgram((value) => (status = value)).parseAsync();
  } catch (error) {
    const isLeft = recordRankError(error, explain(error, pc.createColors(false)));
    if (!isLeft) process.stderr.write(`${explain(error)}\n`);
    status = 1;
  }
  endAsTold(status);
  // A process group may still hold the event loop.
  process.exit(status);
}

void main();
