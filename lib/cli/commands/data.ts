import type { PackOptions } from '../data/pack.js';
import type { AddCommand } from './command.js';

export const addData: AddCommand = (program, finish) => {
  const data = program.command('data').description('writes, lists and verifies shards of data on disk');
  data
    .command('pack')
    .description('writes the rows of files, or the images or texts of folders, as shards for data.ShardedDataset')
    .argument('<folder>', 'where the shards go')
    .argument(
      '<sources...>',
      'CSV, TSV, JSON Lines, Parquet, Arrow or text files of one kind, or a folder with a subfolder for each class',
    )
    .option('--shard-samples <n>', 'samples of a shard, at most')
    .option('--shard-mib <n>', 'MiB after which a new shard begins; default 256')
    .option('--images <size>', 'the size of the images of a folder, such as 224 or 224x320 (height x width)')
    .option('--resume', 'goes on after the last whole shard of a run that was broken off')
    .action(async (folder: string, sources: string[], options: PackOptions) => {
      const { pack } = await import('../data/pack.js');
      finish(await pack(folder, sources, options));
    });
  data
    .command('ls')
    .description('lists the shards of a folder, and what a sample has')
    .argument('<folder>', 'the folder of shards')
    .action(async (folder: string) => {
      const { list } = await import('../data/list.js');
      finish(list(folder));
    });
  data
    .command('verify')
    .description('reads each shard and says whether it is what was written; exit status 1 where one is not')
    .argument('<folder>', 'the folder of shards')
    .action(async (folder: string) => {
      const { verify } = await import('../data/list.js');
      finish(verify(folder));
    });
};
