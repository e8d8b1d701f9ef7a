import { realpathSync, statSync } from 'node:fs';

import { Predictor, type PredictRunOptions } from '../../core/runs/predictRun.js';
import type { PlaceNames } from '../../core/runs/predictionBatches.js';
import { AiforgeError } from '../../errors.js';
import { logger } from '../../log.js';
import { runWithWeights } from '../runs/runFolder.js';
import { listenToSignals, statusOfStop } from '../stopSignals.js';
import { formatOf } from './formats.js';
import { jsonLines, requireInput } from './jsonLines.js';
import { Output } from './output.js';

export interface PredictOptions extends Pick<
  PredictRunOptions,
  'split' | 'weights' | 'batchSize' | 'classify' | 'skipErrors'
> {
  input?: string;
  output?: string;
}

const lineNames: PlaceNames = {
  one: (index) => `line ${index + 1}`,
  many: (first, last) => (first === last ? `line ${first + 1}` : `lines ${first + 1} to ${last + 1}`),
};

/** `aiforge predict`: writes the predictions of a run's model to a file; resolves to the exit status. */
export async function predict(given: string, overrides: readonly string[], options: PredictOptions): Promise<number> {
  const { input, split, output, skipErrors = false } = options;
  if (output === undefined) throw refusal('it needs --output with a file, .jsonl, .csv or .parquet');
  const format = await formatOf(output, skipErrors);
  if ((input === undefined) === (split === undefined)) {
    throw refusal(`it takes either --input with a file or --split, got ${input === undefined ? 'neither' : 'both'}`);
  }
  if (input !== undefined) checkFiles(input, output);
  const signal = listenToSignals(() => undefined);
  if (!process.env.LOG_LEVEL) logger.level = 'warn';
  const { input: _, output: __, ...rest } = options;
  const source = input === undefined ? {} : { items: jsonLines(input) };
  try {
    const { run, weights } = runWithWeights(given, rest.weights);
    const predictor = await Predictor.open(run, { ...rest, ...source, weights, overrides, signal }, lineNames);
    if (await new Output(output, format, predictor).write()) return 0;
    process.stderr.write('No item has a prediction: see the errors in the file\n');
    return 1;
  } catch (error) {
    return statusOfStop(error, signal);
  }
}

function refusal(problem: string): AiforgeError {
  return new AiforgeError('INVALID_ARGUMENT', `aiforge predict: ${problem}.`);
}

function checkFiles(input: string, output: string): void {
  requireInput(input);
  const isThere = statSync(output, { throwIfNoEntry: false }) !== undefined;
  if (isThere && realpathSync(input) === realpathSync(output))
    throw refusal(`--input and --output are both '${input}'`);
}
