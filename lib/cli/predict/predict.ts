import { realpathSync, statSync } from 'node:fs';

import { Predictor, type Answer, type PredictRunOptions } from '../../core/runs/predictRun.js';
import type { ColumnType } from '../../core/runs/predictedValues.js';
import type { PlaceNames } from '../../core/runs/predictionBatches.js';
import { AiforgeError } from '../../errors.js';
import { logger } from '../../log.js';
import { isPlainObject } from '../../realms.js';
import { CountProgress } from '../countProgress.js';
import { runCalled } from '../runs/runFolder.js';
import { listenToSignals, statusOfStop } from '../stopSignals.js';
import { errorColumn, type Format, type Row } from './format.js';
import { formatOf } from './formats.js';
import { jsonLines, requireInput } from './jsonLines.js';
import { PartialFile } from './partialFile.js';

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
    const predictor = await Predictor.open(runCalled(given), { ...rest, ...source, overrides, signal }, lineNames);
    await new Output(output, format, predictor).write();
    return 0;
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

/** That of an item's index, and of a class without a name. */
const ordinal: ColumnType = { dtype: 'int64', ndim: 0, size: 1 };

/** The types of the columns that this command adds. */
function ownTypes(answers: readonly Answer[], hasIndices: boolean): Record<string, ColumnType> {
  const isNumbered = answers.some((answer) => !('error' in answer) && typeof answer.class?.label === 'number');
  return { ...(hasIndices ? { index: ordinal } : {}), ...(isNumbered ? { label: ordinal } : {}) };
}

/** The rows of the predictions, on their way into a file. */
class Output {
  readonly #file: PartialFile;
  readonly #progress = new CountProgress('predictions');
  #rows = 0;
  #refused = 0;

  constructor(
    private readonly name: string,
    private readonly format: Format,
    private readonly predictor: Predictor,
  ) {
    this.#file = new PartialFile(name);
  }

  async write(): Promise<void> {
    try {
      for await (const { answers, types } of this.predictor.batches()) {
        const rows = answers.map((answer, i) => this.#rowOf(answer, this.#rows + i));
        const own = ownTypes(answers, this.predictor.indices !== undefined);
        this.#file.write(this.format.write(rows, { ...own, ...types }));
        this.#rows += answers.length;
        this.#progress.show(this.#rows);
      }
      this.#file.write(this.format.end());
      this.#file.finish();
    } catch (error) {
      this.#progress.stop();
      this.#endPartly();
      if (this.#file.keep())
        process.stderr.write(`Not all is predicted: ${this.#rows} rows are in ${this.#file.partial}\n`);
      throw error;
    }
    this.#progress.stop();
    const without = this.#refused === 0 ? '' : `; ${this.#refused} of them have an error in place of a prediction`;
    process.stdout.write(`${this.#rows.toLocaleString('en')} rows in ${this.name}${without}\n`);
  }

  /** What waits belongs into what is kept, and a Parquet file is none without its end. */
  #endPartly(): void {
    try {
      this.#file.write(this.format.end());
    } catch {
      // The error that is on its way says more.
    }
  }

  #rowOf(answer: Answer, position: number): Row {
    const index = this.predictor.indices?.[position];
    const place = index === undefined ? {} : { index };
    if ('error' in answer) {
      ++this.#refused;
      return { ...place, [errorColumn]: answer.error.message };
    }
    const { value } = answer;
    return joined(place, isPlainObject(value) ? value : { prediction: value }, answer.class ?? {});
  }
}

/** Several columns of one name would hide one another. */
function joined(...parts: readonly Row[]): Row {
  const row: Row = {};
  for (const [name, value] of parts.flatMap((part) => Object.entries(part))) {
    if (Object.hasOwn(row, name) || name === errorColumn) {
      throw new AiforgeError(
        'PLUGIN_INVALID',
        `predictStep gave '${name}', which is a column of this command's own (index, label and probability, error): give it another name.`,
      );
    }
    row[name] = value;
  }
  return row;
}
