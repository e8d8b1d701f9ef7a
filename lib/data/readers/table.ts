import type { z } from 'zod';

import { AiforgeError } from '../../errors.js';
import {
  anything,
  boolean,
  count,
  either,
  isListOf,
  kind,
  number,
  oneOf,
  optional,
  string,
  type Kind,
  type Kinds,
} from '../../kinds.js';
import { isOptions, nothing, signature } from '../../signature.js';
import { show } from '../../show.js';
import { bytesOf, typedArrayOver } from '../../tensor/dtype.js';
import { fromTypedArray, Tensor } from '../../tensor/index.js';
import { StreamDataset, type Position, type SampleReader } from '../stream.js';
import { columnTypeKind, type ColumnType } from './columnTypes.js';
import type { BadCell } from './tableBuilder.js';
import { TableBuilder } from './tableBuilder.js';
import { RowStream, type TableRow } from './tableRows.js';

export type { ColumnType } from './columnTypes.js';
export type { TableRow } from './tableRows.js';

/** Columns of equal length: tensors of numbers, lists of strings. */
export type TableColumns = Record<string, Tensor | string[]>;

/** What may stand for a missing value. */
export type MissingValue = number | bigint | string | boolean;

/** How a table is read. */
export interface TableOptions {
  /** The columns to read, in this order: their names, or what each is read as by its name. Default: all, with types that fit. */
  columns?: readonly string[] | Readonly<Record<string, ColumnType>>;
  /** The columns to read as an object of zod, whose rules each value must keep; excludes `columns`. */
  schema?: z.ZodObject;
  /** How many rows one item has. Default: 65,536. */
  batchRows?: number;
  /** What stands where a value is missing, by column. Default: NaN in columns of float32 and float64, an error in others. */
  missing?: Readonly<Record<string, MissingValue>>;
  /** Whether a bad row is an error, or is left out and counted. Default: 'error'. */
  badRows?: 'error' | 'skip';
}

const recordOf = <T>(what: string, item: Kind<T>): Kind<Readonly<Record<string, T>>> =>
  kind(what, (value) => isOptions(value) && Object.values(value).every((each) => item.accepts(each)));

const bigint = kind<bigint>('a bigint', (value) => typeof value === 'bigint');
const nan = kind<number>('NaN', Number.isNaN);

/** The options of every table, for the signatures of readers. */
export const tableOptions: Kinds<TableOptions> = {
  columns: kind(
    `an array of names, each once, or an object of types by name, each ${columnTypeKind.expected}`,
    (value) =>
      (isListOf(value, string) && new Set(value).size === value.length) || recordOf('', columnTypeKind).accepts(value),
  ),
  schema: kind('an object of zod 4', (value) => typeof value === 'object' && value !== null && '_zod' in value),
  batchRows: count,
  missing: recordOf(
    'an object of values by column',
    either(either(either(number, nan), bigint), either(string, boolean)),
  ),
  badRows: oneOf('error', 'skip'),
};

export const BATCH_ROWS = 65_536;

const baseTakes = signature({
  name: string,
  options: kind('an object of options', isOptions),
  leftOut: optional(anything),
});

/** Rows that were left out, counted for a reader and its parts together. */
export interface LeftOut {
  rows: number;
}

/** The error for a value that a column cannot hold. `where` is the file and the line or row. */
export function badCell(where: string, { column, value, expected }: BadCell): AiforgeError {
  const found = value === undefined || value === null ? 'there is no value' : `found ${show(value)}`;
  return badRow(where, `column '${column}': ${found}, expected ${expected}`);
}

/** The error for a row that is no row of its table. */
export const badRow = (where: string, problem: string): AiforgeError =>
  new AiforgeError('FILE_INVALID', `${where}: ${problem}. Correct it, or leave such rows out with badRows: 'skip'.`);

/**
 * A table that is read some rows at a time: an item has up to `batchRows` rows, as columns. It is never whole in memory unless
 * `read()` is asked for.
 *
 * @example
 * import { data } from 'aiforge';
 * import { writeFileSync } from 'node:fs';
 * writeFileSync('/tmp/aiforge-table.jsonl', '{"x": 1}\n{"x": 2}\n{"x": 3}\n');
 * const table = new data.JsonLinesReader('/tmp/aiforge-table.jsonl', { batchRows: 2 });
 * for await (const { x } of table) x.shape; // [2], then [1]
 * (await table.columns()).x; // 'int64'
 */
export abstract class TableReader extends StreamDataset<TableColumns> {
  readonly #badRows: 'error' | 'skip';
  #leftOut: LeftOut;

  /** @param leftOut Where parts of a table count together. */
  protected constructor(name: string, options: TableOptions, leftOut: LeftOut = { rows: 0 }) {
    baseTakes.check('TableReader', arguments);
    super();
    if (options.columns !== undefined && options.schema !== undefined) {
      throw new AiforgeError('INVALID_ARGUMENT', `${name}: give either columns or schema, not both.`);
    }
    this.#badRows = options.badRows ?? 'error';
    this.#leftOut = leftOut;
  }

  /** What each column is read as, in their order: as options say, or as the values fit. */
  abstract columns(): Promise<Record<string, ColumnType>>;

  abstract override open(position?: Position): SampleReader<TableColumns>;

  override parts(): readonly TableReader[] {
    nothing.check('parts', arguments);
    return [];
  }

  /** How many bad rows were left out so far, in all readings of this and of its parts. */
  get skipped(): number {
    return this.#leftOut.rows;
  }

  /** All rows as one. Throws FILE_INVALID for a bad row. */
  async read(): Promise<TableColumns> {
    nothing.check('read', arguments);
    const pieces: TableColumns[] = [];
    for await (const piece of this) pieces.push(piece);
    if (pieces.length === 1) return pieces[0]!;
    if (pieces.length === 0) return emptyTable(await this.columns());
    return Object.fromEntries(Object.keys(pieces[0]!).map((name) => [name, joined(pieces, name)]));
  }

  /** An object a row, for tables that are small, or read a row at a time. */
  rows(): StreamDataset<TableRow> {
    nothing.check('rows', arguments);
    return new RowStream(this);
  }

  /** Has a part of this count what it leaves out together with this. */
  protected countTogether(part: TableReader): void {
    part.#leftOut = this.#leftOut;
  }

  /** Counts a bad row where these are left out; throws the error else. */
  protected leaveOut(error: AiforgeError): void {
    if (this.#badRows === 'error') throw error;
    this.#leftOut.rows++;
  }
}

function emptyTable(columns: Record<string, ColumnType>): TableColumns {
  const layout = Object.entries(columns).map(([name, type]) => ({ name, type, missing: undefined, check: undefined }));
  return new TableBuilder(layout).take();
}

/** One column of several tables, as one; the pieces are let go. */
function joined(pieces: readonly TableColumns[], name: string): Tensor | string[] {
  const columns = pieces.map((piece) => piece[name]!);
  if (!Tensor.isTensor(columns[0])) return (columns as string[][]).flat();
  return joinedTensors(columns as Tensor[]);
}

// By one copy each on this thread: `cat` has others help, and waits for those that do not run yet.
function joinedTensors(pieces: readonly Tensor[]): Tensor {
  const { dtype } = pieces[0]!;
  const rows = pieces.reduce((sum, piece) => sum + piece.size(0), 0);
  const whole = typedArrayOver(new ArrayBuffer(rows * bytesOf(dtype)), dtype);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece.viewTypedArray() as never, at);
    at += piece.size(0);
    piece.dispose();
  }
  return fromTypedArray(whole, { dtype, transfer: true });
}
