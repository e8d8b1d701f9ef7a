import { boolean, count, isListOf, kind, listOf, string, type Kinds } from '../../kinds.js';
import { AiforgeError } from '../../errors.js';
import { firstRepeated } from '../../repeated.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { badFile } from './byteSource.js';
import { bytesOfText, CsvRows, textOf } from './csvRows.js';
import { CsvRecords, type CsvFormat } from './csvRecords.js';
import type { FilePlace } from './filePlace.js';
import { FilesTable, filesKind, type FoundColumns, type RowSource } from './filesTable.js';
import { tableOptions, type TableOptions } from './table.js';
import { areTyped, wantedColumns, type ColumnLayout } from './tableLayout.js';
import { TypeInference } from './typeInference.js';
import { rememberArguments } from '../workers/remembered.js';

/** How a CSV file is read. */
export interface CsvOptions extends TableOptions {
  /** What stands between fields. Default: a tab where the name of the first file ends in .tsv, .tab or these and .gz, else a comma. */
  delimiter?: string;
  /** What stands around fields that hold delimiters, line ends or quotes, which are written twice; null for none. Default: `"`. */
  quote?: string | null;
  /** Whether the first line names the columns. Default: true, unless `names` are given. */
  header?: boolean;
  /** The names of all columns, in place of those in the file where it has a header. */
  names?: readonly string[];
  /** Texts that stand for a missing value in columns of numbers and booleans. Default: those of pandas, such as '' and 'NA'. */
  naValues?: readonly string[];
  /** How many rows of the first file tell the types of columns. Default: 10,000. */
  inferRows?: number;
}

// As in pandas.read_csv; '-nan' and 'nan' are numbers too.
const NA_VALUES = [
  ...['', '#N/A', '#N/A N/A', '#NA', '-1.#IND', '-1.#QNAN', '-NaN', '-nan', '1.#IND', '1.#QNAN', '<NA>', 'N/A', 'NA'],
  ...['NULL', 'NaN', 'None', 'n/a', 'nan', 'null'],
];

const options: Kinds<CsvOptions> = {
  delimiter: kind('a text of one or more characters, none a quote or a line end', (value) => {
    return typeof value === 'string' && /^[^"\r\n]+$/.test(value);
  }),
  quote: kind('one ASCII character, or null', (value) => {
    return value === null || (typeof value === 'string' && /^[\x21-\x7e]$/.test(value));
  }),
  header: boolean,
  names: kind('an array of names, each once', (value) => {
    return isListOf(value, string) && value.length > 0 && new Set(value).size === value.length;
  }),
  naValues: listOf(string),
  inferRows: count,
  ...tableOptions,
};

const csvTakes = signature<CsvOptions>({ files: filesKind }, options).insteadOf({
  sep: "what stands between fields is given as `delimiter`, such as { delimiter: ';' }",
  dtype: "types are given as `columns`, such as { columns: { age: 'int64' } }",
  usecols: "columns are chosen by `columns`, such as { columns: ['age'] }",
  onbadlines: "bad rows are left out by { badRows: 'skip' }",
});

const INFER_ROWS = 10_000;

// Each takes memory, whether the file has rows or not: a line of 16 MiB names millions.
const MOST_COLUMNS = 100_000;

const isTsv = (file: string): boolean => /\.(tsv|tab)(\.gz)?$/i.test(file);

/**
 * A table in CSV files, or others of lines with fields, such as TSV; those whose names end in .gz are decompressed. The package csv-parse
 * must be installed. Whole numbers are int64, other numbers float64 (each the nearest to its text), true and false bool, all else strings, unless
 * `columns` or `schema` says otherwise. As `pandas.read_csv`, some rows at a time.
 *
 * @throws AiforgeError INVALID_ARGUMENT for options that make no sense; from a reading FILE_NOT_FOUND, FILE_INVALID with the line and
 * column of what is wrong, and MISSING_DEPENDENCY without csv-parse.
 * @example
 * import { data } from 'aiforge';
 * import { writeFileSync } from 'node:fs';
 * writeFileSync('/tmp/aiforge-flights.csv', 'city,delay\nOslo,3\n"Rio, de Janeiro",-1\n');
 * const flights = new data.CsvReader('/tmp/aiforge-flights.csv');
 * const { city, delay } = await flights.read();
 * city; // ['Oslo', 'Rio, de Janeiro']
 * for await (const batch of new data.CsvReader('/tmp/aiforge-flights.csv', { batchRows: 1 })) batch.delay; // int64 tensors of one element
 */
export class CsvReader extends FilesTable {
  readonly #options: CsvOptions;
  readonly #format: CsvFormat;
  readonly #isMissing: (text: string) => boolean;

  constructor(files: string | readonly string[], options: CsvOptions = {}) {
    csvTakes.check(new.target.name, arguments);
    super(new.target.name, files, options);
    if (options.header === false && options.names === undefined) {
      throw new AiforgeError('INVALID_ARGUMENT', `${new.target.name}: without a header the columns need \`names\`.`);
    }
    const first = this.files[0]!;
    this.#options = options;
    const { delimiter = isTsv(first) ? '\t' : ',', quote = '"' } = options;
    this.#format = { delimiter, quote };
    if (quote !== null && delimiter.includes(quote)) {
      throw new AiforgeError('INVALID_ARGUMENT', `${new.target.name}: delimiter and quote are both ${show(quote)}.`);
    }
    const naValues = new Set((options.naValues ?? NA_VALUES).map(bytesOfText));
    const longest = Math.max(0, ...new Set([...naValues].map(({ length }) => length)));
    this.#isMissing = (text) => text.length <= longest && naValues.has(text);
    if (new.target === CsvReader) rememberArguments(this, 'CsvReader', arguments);
  }

  protected override part(file: string): CsvReader {
    return new CsvReader(file, { ...this.#options, delimiter: this.#format.delimiter });
  }

  protected override async find(): Promise<FoundColumns> {
    const [file] = this.files as [string];
    const { names, place } = await this.#header(file);
    const asked = wantedColumns(this.#options);
    if (asked === undefined && names.length > MOST_COLUMNS) {
      const problem = `it has ${names.length} columns, more than ${MOST_COLUMNS}`;
      throw badFile(file, `${problem}. Name the columns to read as \`columns\``);
    }
    const wanted = asked && new Set(asked);
    const inferred = names.map((name) => ({ name, inference: new TypeInference() }));
    const isTyped = areTyped(this.#options);
    if (!isTyped) {
      const records = await CsvRecords.open(file, place, this.#format);
      const seen = inferred.map((each) => (wanted?.has(each.name) === false ? undefined : each.inference));
      try {
        await this.#infer(records, seen);
      } finally {
        records.close();
      }
    }
    return new Map(inferred.map(({ name, inference }) => [name, isTyped ? 'unknown' : inference.type]));
  }

  protected override async rowsOf(
    file: string,
    place: FilePlace | undefined,
    layout: readonly ColumnLayout[],
  ): Promise<RowSource> {
    const header = await this.#header(file);
    const places = new Map(header.names.map((name, place) => [name, place]));
    const columns = layout.map(({ name, type }) => {
      const index = places.get(name);
      if (index !== undefined) return { name, index, isText: type === 'string' };
      throw badFile(file, `it has no column '${name}', which ${this.firstFile} has. It has ${header.names.join(', ')}`);
    });
    const records = await CsvRecords.open(file, place ?? header.place, this.#format);
    return new CsvRows(records, header.names.length, columns, this.#isMissing, (error) => this.leaveOut(error));
  }

  /** The names of a file's columns, and where its rows begin. */
  async #header(file: string): Promise<{ names: readonly string[]; place: FilePlace }> {
    const { names, header = names === undefined } = this.#options;
    const begin = { byte: 0, line: 1 };
    if (!header) return { names: names!, place: begin };
    const records = await CsvRecords.open(file, begin, this.#format);
    try {
      const record = (await records.more()) ? records.take() : undefined;
      if (record === undefined) throw badFile(file, 'it is empty, expected a header that names the columns');
      const found = record.fields.map((field) => textOf(field));
      const wrong = record.problem ?? (found.includes(undefined) ? 'the header is not UTF-8' : undefined);
      if (wrong !== undefined) throw badFile(records.where, wrong);
      return { names: this.#named(found as string[], records.where), place: records.place };
    } finally {
      records.close();
    }
  }

  #named(found: readonly string[], where: string): readonly string[] {
    const { names = found } = this.#options;
    if (names.length !== found.length) {
      throw badFile(where, `the header names ${found.length} columns, expected the ${names.length} of \`names\``);
    }
    const twice = firstRepeated(names);
    if (twice === undefined) return names;
    throw badFile(where, `the header names two columns '${twice}'. Give \`names\`, with header: true`);
  }

  async #infer(records: CsvRecords, columns: readonly (TypeInference | undefined)[]): Promise<void> {
    const { inferRows = INFER_ROWS } = this.#options;
    for (let rows = 0; await records.more();) {
      for (let record = records.take(); record !== undefined; record = records.take()) {
        // What is wrong with a row is told when it is read.
        if (record.fields.length !== columns.length) continue;
        columns.forEach((column, i) => {
          const field = record.fields[i]!;
          if (this.#isMissing(field)) column?.seeMissing();
          else column?.seeText(textOf(field) ?? 'text');
        });
        if (++rows === inferRows) return;
      }
    }
  }
}
