import { InvalidArgumentError } from 'commander';

import { AiforgeError } from '../../errors.js';
import type { SweepCommand } from '../sweep.js';
import type { AddCommand } from './command.js';

const notes = `
Each trial is a run of its own, in a process of its own.
A sweep that was stopped, however it was, goes on when
the same command is given again: finished trials are
not run again, interrupted ones go on where they were.

Exit status: 0 when it came to its end, 1 when every
trial failed or --stop-on-failure stopped it, 130 after
Ctrl-C, 143 after SIGTERM.`;

function count(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('It must be a whole number, at least 1.');
  return Number(text);
}

export const addSweep: AddCommand = (program, finish) => {
  const sweeps = program
    .command('sweep')
    .description('runs an experiment with many settings and compares them')
    .argument('[file]', 'a YAML or JSON file that describes the sweep')
    .option('--folder <dir>', 'where its state and its runs are (default: sweeps/<file> in RUNS_DIR)')
    .option('--parallel <n>', 'trials at a time, in place of the one in the file', count)
    .option('--stop-on-failure', 'end it after the first trial that fails')
    .showHelpAfterError('(see aiforge sweep --help)')
    .addHelpText('after', notes)
    .action(async (file: string | undefined, flags: SweepCommand) => {
      if (file === undefined) {
        throw new AiforgeError(
          'INVALID_ARGUMENT',
          'aiforge sweep needs a file that describes the sweep, or ls or show.',
        );
      }
      const { sweep } = await import('../sweep.js');
      finish(await sweep(file, flags));
    });
  sweeps
    .command('ls')
    .description('lists the sweeps of RUNS_DIR, or in a folder')
    .argument('[folder]', 'the folder that holds the folders of sweeps')
    .action(async (folder: string | undefined) => {
      const { listSweeps } = await import('../sweep.js');
      finish(listSweeps(folder));
    });
  sweeps
    .command('show')
    .description('shows the results of a sweep again')
    .argument('<folder>', 'the folder of the sweep, or its name')
    .action(async (folder: string) => {
      const { showSweep } = await import('../sweep.js');
      finish(showSweep(folder));
    });
};
