import type { AddCommand } from './command.js';

const files = 'configuration files, of which the last counts, and settings as key.sub=value, which count before files';

export const addConfig: AddCommand = (program, finish) => {
  const config = program.command('config').description('shows and checks configurations, and gives their JSON Schema');
  config
    .command('show')
    .description('prints every setting with where it was given; the values of environment variables too')
    .argument('<files...>', files)
    .option('--changed', 'only what is given, no defaults')
    .option('--json', 'as JSON, for programs')
    .action(async (given: string[], options: { changed?: boolean; json?: boolean }) => {
      const { show } = await import('../config/show.js');
      finish(show(given, options));
    });
  config
    .command('check')
    .description('says what training would refuse, without data and without training; exit status 0 or 1')
    .argument('<files...>', files)
    .action(async (given: string[]) => {
      const { check } = await import('../config/check.js');
      finish(check(given));
    });
  config
    .command('schema')
    .description('prints the JSON Schema of configurations, for editors')
    .argument('[files...]', 'configuration files whose modelPlugin has the schema of the model')
    .option('--model-plugin <name>', 'the plugin that has the schema of the model')
    .action(async (given: string[], options: { modelPlugin?: string }) => {
      const { printSchema } = await import('../config/schema.js');
      finish(printSchema(given, options.modelPlugin));
    });
};
