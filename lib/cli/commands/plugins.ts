import type { AddCommand } from './command.js';

interface CheckFlags {
  experiment?: string;
  json?: boolean;
}

export const addPlugins: AddCommand = (program, finish) => {
  const plugins = program.command('plugins').description('lists plugins, and checks one');
  plugins
    .command('ls')
    .description('lists the plugins that an experiment here can name; it loads each')
    .option('--json', 'as JSON')
    .action(async ({ json = false }: { json?: boolean }) => {
      const { listing } = await import('../plugins.js');
      finish(listing(json));
    });
  plugins
    .command('check')
    .description('checks the parts, the schema and the versions of a plugin')
    .argument('<plugin>', 'its name, or the path of its folder')
    .option('--experiment <file>', 'also do one step of training and one of validation, without a run')
    .option('--json', 'as JSON')
    .showHelpAfterError('(see aiforge plugins check --help)')
    .action(async (plugin: string, { experiment, json = false }: CheckFlags) => {
      const { check } = await import('../plugins.js');
      finish(await check(plugin, experiment, json));
    });
};
