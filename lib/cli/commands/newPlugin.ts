import type { AddCommand } from './command.js';

const notes = `
What it writes:
  plugins/NAME/           config, model, dataset,
                          preprocessor, index
  experiments/NAME.yaml   to train it with
  test/NAME.test.mjs      a test of it, for node --test

Files that are there are left as they are: where one is
in the way, nothing is written.`;

export const addNew: AddCommand = (program, finish) => {
  program
    .command('new')
    .description('begins something: a plugin')
    .command('plugin')
    .description('writes a plugin that works, to begin with')
    .argument('<name>', 'the name of its folder, such as my_plugin')
    .option('--kind <kind>', 'classification, regression or text', 'classification')
    .option('--directory <dir>', 'the project to write into (default: that of the working directory)')
    .showHelpAfterError('(see aiforge new plugin --help)')
    .addHelpText('after', notes)
    .action(async (name: string, { kind, directory }: { kind: string; directory?: string }) => {
      const { newPlugin } = await import('../newPlugin.js');
      newPlugin(name, kind, directory);
      finish(0);
    });
};
