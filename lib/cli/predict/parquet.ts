import type * as hyparquet from 'hyparquet-writer' with { 'resolution-mode': 'import' };

import type { ColumnType } from '../../core/runs/predictedValues.js';
import { AiforgeError } from '../../errors.js';
import { errorColumn, tooManyErrors, mostErrors, unknownColumn, type Format, type Row } from './format.js';
import { ParquetColumn } from './parquetColumn.js';

/** Rows, and values in them, that make a row group at most. */
const mostRows = 10_000;
const mostValues = 1_000_000;

/**
 * Parquet, by the package hyparquet-writer. The first rows that have a prediction say which columns there are. What does not fit
 * into them is refused with its batch: the rows before are written all the same.
 */
export class Parquet implements Format {
  readonly endsAnywhere = false;
  readonly #library: typeof hyparquet;
  readonly #bytes: hyparquet.ByteWriter;
  readonly #hasErrors: boolean;
  #writer: hyparquet.ParquetWriter | undefined;
  /** Known as soon as an item has a prediction. */
  #columns: Map<string, ParquetColumn> | undefined;
  /** Rows that came before. */
  #refused: Row[] = [];
  #rows = 0;

  private constructor(library: typeof hyparquet, hasErrors: boolean) {
    this.#library = library;
    this.#bytes = new library.ByteWriter();
    this.#hasErrors = hasErrors;
  }

  /** Throws INVALID_ARGUMENT where the package is not installed, or is another one than is expected. */
  static async open(hasErrors: boolean): Promise<Parquet> {
    let library: Partial<typeof hyparquet>;
    try {
      library = await import('hyparquet-writer');
    } catch (cause) {
      throw needsLibrary(`cannot be loaded here (${(cause as Error).message})`, cause);
    }
    if (typeof library.ParquetWriter === 'function' && typeof library.ByteWriter === 'function') {
      return new Parquet(library as typeof hyparquet, hasErrors);
    }
    throw needsLibrary('is of a version that aiforge does not work with');
  }

  write(rows: readonly Row[], types: Readonly<Record<string, ColumnType>>): Uint8Array {
    if (this.#columns === undefined) {
      const first = rows.find((row) => !(errorColumn in row));
      if (first === undefined) return this.#wait(rows);
      this.#begin(Object.keys(first));
    }
    this.#take(rows, types);
    const perRow = [...this.#columns!.values()].reduce((sum, { size }) => sum + size, 1);
    return this.#rows >= Math.min(mostRows, mostValues / perRow) ? this.#writeGroup() : new Uint8Array();
  }

  end(): Uint8Array {
    if (this.#columns === undefined) this.#begin(Object.keys(this.#refused[0] ?? {}));
    const rows = this.#writeGroup();
    void this.#writer!.finish();
    return Buffer.concat([rows, this.#written()]);
  }

  #wait(rows: readonly Row[]): Uint8Array {
    this.#refused = this.#refused.concat(rows);
    if (this.#refused.length > mostErrors) throw tooManyErrors(this.#refused, 'Parquet');
    return new Uint8Array();
  }

  #begin(names: readonly string[]): void {
    const all = this.#hasErrors && !names.includes(errorColumn) ? [...names, errorColumn] : names;
    this.#columns = new Map(all.map((name) => [name, new ParquetColumn(name)]));
    const refused = this.#refused;
    this.#refused = [];
    this.#take(refused, {});
  }

  /** All of the rows, or none of them where one does not fit. */
  #take(rows: readonly Row[], types: Readonly<Record<string, ColumnType>>): void {
    const columns = this.#columns!;
    for (const name of rows.flatMap((row) => Object.keys(row))) {
      if (!columns.has(name)) throw unknownColumn(name, [...columns.keys()], 'Parquet');
    }
    const taken = Array.from(columns, ([name, column]) => column.read(rows.map((row) => row[name]), types[name])); // prettier-ignore
    [...columns.values()].forEach((column, i) => column.add(taken[i]!));
    this.#rows += rows.length;
  }

  #writeGroup(): Uint8Array {
    const columns = [...this.#columns!.values()];
    this.#writer ??= new this.#library.ParquetWriter({
      writer: this.#bytes,
      schema: [{ name: 'root', num_children: columns.length }, ...columns.flatMap((column) => column.elements())],
      createdBy: 'aiforge',
    });
    const columnData = columns.map((column) => column.takeData());
    if (this.#rows > 0) void this.#writer.write({ columnData, rowGroupSize: this.#rows });
    this.#rows = 0;
    return this.#written();
  }

  /** What the library has written since it was asked last. */
  #written(): Uint8Array {
    const bytes = this.#bytes.getBytes().slice();
    this.#bytes.index = 0;
    return bytes;
  }
}

function needsLibrary(problem: string, cause?: unknown): AiforgeError {
  return new AiforgeError('INVALID_ARGUMENT', `--output: Parquet files are written by the package hyparquet-writer, which ${problem}: npm install hyparquet-writer, or write .jsonl or .csv.`, { cause }); // prettier-ignore
}
