import type { AddCommand } from './command.js';

export const addDoctor: AddCommand = (program, finish) => {
  program
    .command('doctor')
    .description('prints what was found on this machine, and what to do about what is missing')
    .action(async () => {
      const { doctor } = await import('../doctor.js');
      finish(await doctor());
    });
};
