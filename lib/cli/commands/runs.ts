import { Option } from 'commander';

import type { Status } from '../runs/recordedRun.js';
import type { AddCommand } from './command.js';
import { collect } from './repeatedOptions.js';

const notes = `
A run is given by its folder, or as experiment/time in
RUNS_DIR (default ./runs). A metric is given by its name
in metrics.jsonl, such as val_loss; loss is both
train_loss and val_loss.`;

export const addRuns: AddCommand = (program, finish) => {
  const runs = program.command('runs').description('shows what runs recorded, by their folders alone');
  runs.addHelpText('after', notes);
  const statuses: readonly Status[] = ['finished', 'interrupted', 'failed', 'running', 'died'];
  runs
    .command('ls')
    .description('lists runs, those that began last at the end')
    .argument('[folder]', 'the folder of the runs, or of an experiment; default RUNS_DIR')
    .option('--experiment <name>', 'those of one experiment')
    .addOption(new Option('--status <status>', 'those that ended so, or go on').choices(statuses))
    .option('--json', 'as JSON')
    .action(async (folder: string | undefined, options: { experiment?: string; status?: Status; json?: boolean }) => {
      const { listRuns } = await import('../runs/list.js');
      finish(listRuns(folder, options));
    });
  runs
    .command('show')
    .description('shows a run: settings, scores and curves')
    .argument('<run>', 'its folder, or experiment/time')
    .option('--metric <name>', 'draws this one; may be given several times', collect)
    .option('--no-plot', 'without curves')
    .option('--json', 'as JSON, without curves')
    .action(async (run: string, options: { metric?: string[]; plot?: boolean; json?: boolean }) => {
      const { showRun } = await import('../runs/showRun.js');
      finish(showRun(run, options));
    });
  runs
    .command('compare')
    .description('compares runs: settings that differ, metrics, curves')
    .argument('<runs...>', 'their folders, or experiment/time')
    .option('--metric <name>', 'draws this one; may be given several times', collect)
    .option('--no-plot', 'without curves')
    .option('--json', 'as JSON, without curves')
    .action(async (given: string[], options: { metric?: string[]; plot?: boolean; json?: boolean }) => {
      const { compareRuns } = await import('../runs/compareRuns.js');
      finish(compareRuns(given, options));
    });
};
