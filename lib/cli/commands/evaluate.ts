import type { AddCommand } from './command.js';

const notes = `
The weights are the run's best.safetensors, or with
--weights others, by their path in the run's folder
(checkpoints/epoch-00003.safetensors) or from here. Of
a checkpoint such as last.safetensors the weights
themselves are taken, not their averages.

Settings that can be given: dataPath=…, datasetArgs.…,
training.batchSize, training.device, numThreads,
pinMemory, deterministic, numWorkers, prefetchFactor,
and limitValBatches of validate, limitTestBatches of
test.

Nothing in the run's folder changes. On several ranks:
aiforge-launch --nproc 2 test RUN`;

const splits = [
  ['validate', 'val', 'measures the model of a run on the split to validate on'],
  ['test', 'test', 'measures the model of a run on the held-out split'],
] as const;

export const addEvaluate: AddCommand = (program, finish) => {
  for (const [name, split, description] of splits) {
    program
      .command(name)
      .description(description)
      .argument('<run>', 'its folder or a file of its weights, or experiment/time in RUNS_DIR')
      .argument('[overrides...]', 'settings as key.sub=value')
      .option('--weights <file>', 'weights or a checkpoint (best.safetensors)')
      .option('--json', 'as JSON')
      .showHelpAfterError(`(see aiforge ${name} --help)`)
      .addHelpText('after', notes)
      .action(async (run: string, overrides: string[], options: { weights?: string; json?: boolean }) => {
        const { evaluateSplit } = await import('../evaluate.js');
        finish(await evaluateSplit(split, run, overrides, options));
      });
  }
};
