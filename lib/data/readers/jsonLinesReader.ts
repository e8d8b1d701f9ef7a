import type { AiforgeError } from '../../errors.js';
import { count, type Kinds } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { columnsOfSchema } from './schemaColumns.js';
import { wholeRanges, type ColumnType } from './columnTypes.js';
import { badFile } from './byteSource.js';
import { FileLines, textOfLine } from './fileLines.js';
import type { FilePlace } from './filePlace.js';
import { FilesTable, filesKind, type FoundColumns, type RowSource } from './filesTable.js';
import { sourcesOf } from './jsonSource.js';
import { badCell, badRow, tableOptions, type TableOptions } from './table.js';
import type { TableBuilder } from './tableBuilder.js';
import { areTyped, wantedColumns, type ColumnLayout } from './tableLayout.js';
import { TypeInference } from './typeInference.js';
import { rememberArguments } from '../workers/remembered.js';

/** How a file of JSON Lines is read. */
export interface JsonLinesOptions extends TableOptions {
  /** How many rows of the first file tell the columns and their types. Default: 10,000. */
  inferRows?: number;
}

const options: Kinds<JsonLinesOptions> = { inferRows: count, ...tableOptions };

const jsonLinesTakes = signature<JsonLinesOptions>({ files: filesKind }, options);

const INFER_ROWS = 10_000;

/**
 * A table in files of JSON Lines, an object a line; those whose names end in .gz are decompressed. Whole numbers are int64, exact also
 * beyond 2^53, other numbers float64, true and false bool, texts strings, unless `columns` or `schema` says otherwise. An entry that is
 * null or absent is missing. As `pandas.read_json(lines=True)`, some rows at a time.
 *
 * @throws AiforgeError INVALID_ARGUMENT for options that make no sense; from a reading FILE_NOT_FOUND, and FILE_INVALID with the line
 * and column of what is wrong.
 * @example
 * import { data } from 'aiforge';
 * import { writeFileSync } from 'node:fs';
 * writeFileSync('/tmp/aiforge-flights.jsonl', '{"city": "Oslo", "delay": 3}\n{"city": "Rio", "delay": null}\n');
 * const { city, delay } = await new data.JsonLinesReader('/tmp/aiforge-flights.jsonl').read();
 * delay.tolist(); // [3, NaN]
 */
export class JsonLinesReader extends FilesTable {
  readonly #options: JsonLinesOptions;

  constructor(files: string | readonly string[], options: JsonLinesOptions = {}) {
    jsonLinesTakes.check(new.target.name, arguments);
    super(new.target.name, files, options);
    this.#options = options;
    if (new.target === JsonLinesReader) rememberArguments(this, 'JsonLinesReader', arguments);
  }

  protected override part(file: string): JsonLinesReader {
    return new JsonLinesReader(file, this.#options);
  }

  protected override async find(): Promise<FoundColumns> {
    const lines = new FileLines(this.files[0]!);
    try {
      const columns = new JsonInference(this.#options);
      const { inferRows = INFER_ROWS } = this.#options;
      while (columns.rows < inferRows && (await lines.more())) {
        for (let line = lines.take(); line !== undefined && columns.rows < inferRows; line = lines.take()) {
          const row = rowOf(line);
          // What is wrong with a row is told when it is read.
          if (typeof row === 'object') columns.see(row, lines.where);
        }
      }
      const { found } = columns;
      if (found.size === 0) throw badFile(this.files[0]!, 'no line of it holds an object with an entry');
      return found;
    } finally {
      lines.close();
    }
  }

  protected override rowsOf(
    file: string,
    place: FilePlace | undefined,
    layout: readonly ColumnLayout[],
  ): Promise<RowSource> {
    const isAll = wantedColumns(this.#options) === undefined;
    const lines = new FileLines(file, place);
    return Promise.resolve(new JsonRows(lines, layout, isAll, (error) => this.leaveOut(error)));
  }
}

interface JsonRow {
  text: string;
  /** The texts of its values, where one was needed. */
  sources?: Map<string, string>;
  entries: Record<string, unknown>;
}

/** The object in a line; what is wrong where there is none; undefined for a blank line. */
function rowOf(line: Buffer): JsonRow | string | undefined {
  const text = textOfLine(line);
  if (text === undefined) return 'it is not UTF-8';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return text.trim() === '' ? undefined : `it is no JSON: ${(error as Error).message}`;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return `found ${show(value)}, expected an object`;
  return { text, entries: value as Record<string, unknown> };
}

/** An entry's value, exactly; undefined where there is none. */
function valueOf(row: JsonRow, name: string): unknown {
  if (!Object.hasOwn(row.entries, name)) return undefined;
  const value = row.entries[name];
  if (!Number.isInteger(value) || Number.isSafeInteger(value)) return value;
  row.sources ??= sourcesOf(row.text);
  const source = row.sources.get(name)!;
  if (!/^-?\d{1,20}$/.test(source)) return value;
  const whole = BigInt(source);
  return whole < wholeRanges.int64[0] || whole > wholeRanges.int64[1] ? value : whole;
}

// More entries of different names are no columns, and each costs time in every row.
const MOST_COLUMNS = 10_000;

/** Finds the columns of objects, in the order in which they first appear. */
class JsonInference {
  rows = 0;
  readonly #columns = new Map<string, TypeInference>();
  readonly #wanted: readonly string[] | undefined;

  constructor(readonly options: JsonLinesOptions) {
    this.#wanted = wantedColumns(options);
  }

  see(row: JsonRow, where: string): void {
    for (const name of Object.keys(row.entries)) this.#require(name);
    if (!areTyped(this.options)) {
      for (const name of this.#wanted ?? this.#columns.keys()) this.#infer(row, name, where);
    }
    this.rows++;
    if (this.#wanted === undefined && this.#columns.size > MOST_COLUMNS) {
      const problem = `the rows so far have entries of more than ${MOST_COLUMNS} names`;
      throw badFile(where, `${problem}. Name the columns to read as \`columns\``);
    }
  }

  get found(): FoundColumns {
    const isTyped = areTyped(this.options);
    const found = new Map<string, ColumnType | 'unknown'>();
    for (const [name, { type }] of this.#columns) found.set(name, isTyped ? 'unknown' : type);
    // Without rows nothing tells that a name is wrong, and a column of which values may be missing need have none in the first rows.
    const absent = this.rows === 0 ? (this.#wanted ?? []) : mayBeAbsent(this.options);
    for (const name of absent) if (!found.has(name)) found.set(name, isTyped ? 'unknown' : 'float64');
    return found;
  }

  #infer(row: JsonRow, name: string, where: string): void {
    const value = valueOf(row, name);
    const before = this.#columns.get(name)?.see(value);
    const isNested = typeof value === 'object' && value !== null;
    if (before === undefined || (this.options.badRows === 'skip' && !isNested)) return;
    const hint = isNested ? 'Name the columns to read as `columns`' : 'Correct it, or leave such rows out';
    throw badFile(where, `column '${name}': found ${show(value)}, expected ${before}. ${hint}`);
  }

  #require(name: string): void {
    if (this.#columns.has(name)) return;
    const inference = new TypeInference();
    if (this.rows > 0) inference.seeMissing();
    this.#columns.set(name, inference);
  }
}

/** The columns asked for of which options say what stands for a missing value. */
function mayBeAbsent(options: JsonLinesOptions): readonly string[] {
  const { schema, missing = {} } = options;
  const optional = schema === undefined ? [] : columnsOfSchema(schema).filter((column) => column.missing !== undefined);
  const given = wantedColumns(options)?.filter((name) => Object.hasOwn(missing, name)) ?? [];
  return [...optional.map(({ name }) => name), ...given];
}

class JsonRows implements RowSource {
  readonly #values: unknown[];
  #known: ReadonlySet<string> | undefined;

  constructor(
    readonly lines: FileLines,
    readonly layout: readonly ColumnLayout[],
    readonly isAll: boolean,
    readonly leaveOut: (error: AiforgeError) => void,
  ) {
    this.#values = layout.map(() => undefined);
  }

  get place(): FilePlace {
    return this.lines.place;
  }

  async fill(builder: TableBuilder, rows: number): Promise<boolean> {
    while (builder.rows < rows) {
      const line = this.lines.take();
      if (line !== undefined) this.#add(builder, rowOf(line));
      else if (!(await this.lines.more())) return false;
    }
    return true;
  }

  close(): void {
    this.lines.close();
  }

  #add(builder: TableBuilder, row: JsonRow | string | undefined): void {
    if (row === undefined) return;
    if (typeof row === 'string') return this.leaveOut(badRow(this.lines.where, row));
    let found = 0;
    this.layout.forEach(({ name }, i) => {
      this.#values[i] = valueOf(row, name);
      if (this.#values[i] !== undefined) found++;
    });
    const names = Object.keys(row.entries);
    if (this.isAll && names.length > found) return this.leaveOut(badRow(this.lines.where, this.#unknown(names)));
    const bad = builder.add(this.#values);
    if (bad !== undefined) this.leaveOut(badCell(this.lines.where, bad));
  }

  /** An entry that would be lost in silence, since no row had it by which the columns were found. */
  #unknown(names: readonly string[]): string {
    this.#known ??= new Set(this.layout.map(({ name }) => name));
    const name = names.find((each) => !this.#known!.has(each))!;
    return `found '${name}', which is none of the columns that the first rows have; name all columns as \`columns\``;
  }
}
