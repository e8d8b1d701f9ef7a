import type { AddCommand } from './command.js';

export const addSetup: AddCommand = (program, finish) => {
  program
    .command('setup')
    .description('brings LibTorch and the addon, where installing the package did not')
    .action(async () => {
      const { setup } = await import('../setup.js');
      finish(await setup());
    });
};
