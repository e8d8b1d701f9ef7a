import type { AddCommand } from './command.js';

export const addCheckpoints: AddCommand = (program, finish) => {
  const checkpoints = program
    .command('checkpoints')
    .description("lists, shows, removes and compares a run's checkpoints");
  checkpoints
    .command('ls')
    .description('lists the checkpoints and weights of a run')
    .argument('<run>', "the run's folder")
    .option('--verify', 'reads each file and says whether its checksum is right; exit status 1 where one is not')
    .action(async (run: string, options: { verify?: boolean }) => {
      const { list } = await import('../checkpoints/list.js');
      finish(list(run, options));
    });
  checkpoints
    .command('show')
    .description(
      'prints what is in a checkpoint: where the run stood, versions, settings that are not defaults, tensors',
    )
    .argument('<file>', "a checkpoint, a file of weights, or a run's folder")
    .option('--json', 'as JSON, for programs')
    .action(async (file: string, options: { json?: boolean }) => {
      const { show } = await import('../checkpoints/show.js');
      finish(show(file, options));
    });
  checkpoints
    .command('prune')
    .description('removes the older of the checkpoints that are kept; never the last one or the best')
    .argument('<run>', "the run's folder")
    .requiredOption('--keep <n>', 'how many of them stay, the newest')
    .option('--dry-run', 'only says what would be removed')
    .action(async (run: string, options: { keep: string; dryRun?: boolean }) => {
      const { prune } = await import('../checkpoints/prune.js');
      finish(prune(run, options));
    });
  checkpoints
    .command('diff')
    .description('compares two checkpoints; exit status 1 where they differ')
    .argument('<a>', "a checkpoint, a file of weights, or a run's folder")
    .argument('<b>', 'another')
    .action(async (a: string, b: string) => {
      const { diff } = await import('../checkpoints/diff.js');
      finish(diff(a, b));
    });
};
