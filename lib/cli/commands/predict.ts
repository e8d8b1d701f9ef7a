import { InvalidArgumentError, Option } from 'commander';

import type { PredictOptions } from '../predict/predict.js';
import type { AddCommand } from './command.js';

const notes = `
Rows have what the model's predictStep gives: prediction
of a tensor or an array, a column each of an object.
With --split they have the item's index too.
Nested arrays are JSON in a CSV file. Tensors are lists
in a .parquet file (npm install hyparquet-writer).

What is at FILE stays until the output is whole. An
error, Ctrl-C and SIGTERM leave FILE.partial.

Settings that can be given: training.device, and with
--split dataPath and datasetArgs.…`;

function count(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It must be a whole number, at least 1.');
  return Number(text);
}

export const addPredict: AddCommand = (program, finish) => {
  program
    .command('predict')
    .description('writes what the model of a run predicts')
    .argument('<run>', 'its folder or a file of its weights, or experiment/time in RUNS_DIR')
    .argument('[overrides...]', 'settings as key.sub=value')
    .option('--input <file>', 'JSON Lines: an item of the data set a line, without labels')
    .addOption(new Option('--split <name>', 'of the run’s data set').choices(['train', 'val', 'test', 'all']))
    .option('--output <file>', 'a .jsonl, .csv or .parquet file')
    .option('--weights <file>', 'weights or a checkpoint (best.safetensors)')
    .option('--batch-size <n>', 'items at a time (training.batchSize of the run)', count)
    .option('--classify', 'adds label and probability, of logits')
    .option('--skip-errors', 'goes on after items that are refused, with an error column')
    .showHelpAfterError('(see aiforge predict --help)')
    .addHelpText('after', notes)
    .action(async (run: string, overrides: string[], options: PredictOptions) => {
      const { predict } = await import('../predict/predict.js');
      finish(await predict(run, overrides, options));
    });
};
