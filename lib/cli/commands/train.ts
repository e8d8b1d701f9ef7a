import { createRequire } from 'node:module';
import { join } from 'node:path';

import { packageRoot } from '../../modules/loadModule.js';
import type { AddCommand } from './command.js';

const load = createRequire(__filename);

const notes = `
A setting is given as it is nested in the file:
  training.epochs=2              a number
  training.gradClipNorm=null     none
  model.hiddenDims=[64,64]       a list
  training.freeze[0]=encoder.*   an element of a list
  'experimentName=second try'    a text, as it stands
Paths in a file are relative to the file, those given
here to the working directory.

With a configuration file, --resume last goes on with the
newest run of its experiment, best from that run's best
epoch, and auto with the newest run that is not finished,
or it begins a new one.

Ctrl-C and SIGTERM leave a checkpoint to resume from, a
second one ends at once; SIGUSR1 and SIGUSR2 only leave
a checkpoint. Exit status: 0 finished, 1 failed, 130
after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP.

Every setting: ${join(packageRoot(), 'docs', 'configuration.md')}`;

/** Whoever writes --epochs may mean the setting. */
function hintOfSetting(text: string): string {
  const [, option] = /unknown option '--(?:[\w-]+\.)*([\w-]+)/.exec(text) ?? [];
  if (option === undefined) return '';
  const { settingCalled } = load('../../config/settingNames.js') as typeof import('../../config/settingNames.js');
  const setting = settingCalled(option);
  return setting === undefined ? '' : `(A setting is given as ${setting}=…)\n`;
}

export const addTrain: AddCommand = (program, finish) => {
  program
    .command('train')
    .alias('fit')
    .description('runs the experiment of a configuration file; fit is another name of it')
    .argument('[config]', 'a YAML, TypeScript or JavaScript file; with --resume that of the run, unless it is given')
    .argument(
      '[overrides...]',
      'further files, of which the last counts, and settings as key.sub=value, which count before files',
    )
    .option('--resume <run>', 'go on with a run: its folder, a checkpoint in it, or last, best or auto')
    .configureOutput({ outputError: (text, write) => write(text + hintOfSetting(text)) })
    .showHelpAfterError('(see aiforge train --help)')
    .addHelpText('after', notes)
    .action(async (config: string | undefined, overrides: string[], { resume }: { resume?: string }) => {
      const { train } = await import('../train.js');
      finish(await train(config === undefined ? [] : [config, ...overrides], resume));
    });
};
