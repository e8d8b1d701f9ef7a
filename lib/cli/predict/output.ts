import type { Answer, Predictor } from '../../core/runs/predictRun.js';
import type { ColumnType } from '../../core/runs/predictedValues.js';
import { AiforgeError } from '../../errors.js';
import { isPlainObject } from '../../realms.js';
import { CountProgress } from '../countProgress.js';
import { errorColumn, type Format, type Row } from './format.js';
import { PartialFile } from './partialFile.js';

/** That of an item's index, and of a class without a name. */
const ordinal: ColumnType = { dtype: 'int64', ndim: 0, size: 1 };

/** The types of the columns that this command adds. */
function ownTypes(answers: readonly Answer[], hasIndices: boolean): Record<string, ColumnType> {
  const isNumbered = answers.some((answer) => !('error' in answer) && typeof answer.class?.label === 'number');
  return { ...(hasIndices ? { index: ordinal } : {}), ...(isNumbered ? { label: ordinal } : {}) };
}

/** The rows of the predictions, on their way into a file. */
export class Output {
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

  /** Resolves to whether any item has a prediction, or there are no items. */
  async write(): Promise<boolean> {
    try {
      for await (const { answers, types } of this.predictor.batches()) {
        const rows = answers.map((answer, i) => this.#rowOf(answer, this.#rows + i));
        const own = ownTypes(answers, this.predictor.indices !== undefined);
        this.#file.write(this.format.write(rows, { ...own, ...types }));
        this.#rows += answers.length;
        this.#refused += answers.filter((answer) => 'error' in answer).length;
        this.#progress.show(this.#rows);
      }
      this.#file.write(this.format.end());
      this.#file.finish();
    } catch (error) {
      this.#progress.stop();
      process.stderr.write(this.#keepPart());
      throw error;
    }
    this.#progress.stop();
    const without = this.#refused === 0 ? '' : `; ${this.#refused} of them have an error in place of a prediction`;
    process.stdout.write(`${this.#rows.toLocaleString('en')} rows in ${this.name}${without}\n`);
    return this.#rows === 0 || this.#refused < this.#rows;
  }

  /** Keeps the rows that there are, with the end that their format needs; says where. */
  #keepPart(): string {
    let isWhole = this.format.endsAnywhere;
    if (!this.#file.isBroken) isWhole = this.#end() || isWhole;
    const kept = this.#file.keep(this.#rows > 0);
    if (kept === undefined) return '';
    if (isWhole) return `Not all is predicted: ${this.#rows} rows are in ${kept}\n`;
    return `Not all is predicted, and ${kept} breaks off: it could not be written to its end\n`;
  }

  #end(): boolean {
    try {
      this.#file.write(this.format.end());
      return true;
    } catch {
      // The error that is on its way says more.
      return false;
    }
  }

  #rowOf(answer: Answer, position: number): Row {
    const index = this.predictor.indices?.[position];
    const place = index === undefined ? {} : { index };
    if ('error' in answer) return { ...place, [errorColumn]: answer.error.message };
    const { value } = answer;
    return joined(place, isPlainObject(value) ? value : { prediction: value }, answer.class ?? {});
  }
}

/** Several columns of one name would hide one another. */
function joined(...parts: readonly Row[]): Row {
  // A column may have any name, __proto__ too.
  const row = Object.create(null) as Row;
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
