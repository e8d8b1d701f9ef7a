import { AiforgeError } from '../../errors.js';
import { firstRepeated } from '../../repeated.js';
import { count, kind, listOf, size, string, type Kind, type Kinds } from '../../kinds.js';
import { isUint8Array } from '../../realms.js';
import { show } from '../../show.js';
import { nothing, signature } from '../../signature.js';
import { openTakes, type Position, type SampleReader } from '../stream.js';
import type { ColumnType } from './columnTypes.js';
import { sampleSteps, type Step } from './sampleSteps.js';
import {
  duckDbRows,
  sqliteRows,
  type DuckDbConnection,
  type SqliteDatabase,
  type SqlParameter,
  type SqlRows,
} from './sql/sqlRows.js';
import { badCell, BATCH_ROWS, tableOptions, TableReader, type TableColumns, type TableOptions } from './table.js';
import { TableBuilder } from './tableBuilder.js';
import { areTyped, layoutOf, wantedColumns, type ColumnLayout } from './tableLayout.js';
import { TypeInference } from './typeInference.js';
import type { TimeUnit } from './wholeNumbers.js';

export type { SqlParameter } from './sql/sqlRows.js';

/** A connection of the user's: of `@duckdb/node-api`, or a database of sql.js or node:sqlite. */
export type SqlConnection = DuckDbConnection | SqliteDatabase;

export interface SqlReaderOptions extends TableOptions {
  /** What stands for the placeholders (`?`) of the query, in their order. */
  parameters?: readonly SqlParameter[];
  /** How many rows tell the types of columns, where the database (SQLite) does not. Default: 10,000. */
  inferRows?: number;
}

const has = (value: unknown, method: string): boolean =>
  typeof value === 'object' && value !== null && typeof (value as Record<string, unknown>)[method] === 'function';

const connectionKind = kind<SqlConnection>(
  'a connection of @duckdb/node-api, or a database of sql.js or node:sqlite',
  (value) => has(value, 'stream') || has(value, 'prepare'),
);

const parameterKind: Kind<SqlParameter> = kind(
  'a string, a number, a bigint, true, false, null or bytes',
  (value) => value === null || ['string', 'number', 'bigint', 'boolean'].includes(typeof value) || isUint8Array(value),
);

const options: Kinds<SqlReaderOptions> = { parameters: listOf(parameterKind), inferRows: count, ...tableOptions };
const sqlReaderTakes = signature<SqlReaderOptions>({ connection: connectionKind, query: string }, options);

const INFER_ROWS = 10_000;

/**
 * The rows of a query as a table, some rows at a time as the database gives them: over a connection of `@duckdb/node-api`, or a database
 * of sql.js or node:sqlite. Values go into the query by `parameters`, never by its text. A position is the number of the
 * next row: to go on, the query runs again and rows are passed over, so that it must give them in one order (`ORDER BY`).
 * DuckDB says what columns are; of SQLite the first `inferRows` rows tell it.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a query that the database refuses, and columns that are not read; FILE_INVALID for
 * a value that its column cannot hold.
 * @example
 * import { data } from 'aiforge';
 * import { DuckDBConnection } from '@duckdb/node-api';
 * const connection = await DuckDBConnection.create();
 * const query = 'SELECT i, i / 2 AS half FROM range(?) AS t(i) ORDER BY i';
 * const { i, half } = await new data.SqlReader(connection, query, { parameters: [3] }).read();
 * i.tolist(); // [0, 1, 2]
 * half.tolist(); // [0, 0.5, 1]
 */
export class SqlReader extends TableReader {
  readonly query: string;
  readonly #connection: SqlConnection;
  readonly #options: SqlReaderOptions;

  constructor(connection: SqlConnection, query: string, options: SqlReaderOptions = {}) {
    sqlReaderTakes.check(new.target.name, arguments);
    super('SqlReader', options);
    this.query = query;
    this.#connection = connection;
    this.#options = options;
  }

  async columns(): Promise<Record<string, ColumnType>> {
    nothing.check('columns', arguments);
    const layout = await this.#withRows((rows) => this.#layout(rows));
    return Object.fromEntries(layout.map(({ name, type }) => [name, type]));
  }

  /** What the whole numbers of columns of dates and times count, where the database has such: `'days'`, `'s'`, `'ms'`, `'us'` or `'ns'`. */
  async units(): Promise<Record<string, TimeUnit>> {
    nothing.check('units', arguments);
    const found = await this.#withRows(({ columns }) => columns);
    return Object.fromEntries(found.flatMap(({ name, unit }) => (unit === undefined ? [] : [[name, unit]])));
  }

  open(position: Position = 0): SampleReader<TableColumns> {
    openTakes.check('open', arguments);
    if (size.accepts(position)) return sampleSteps(this.#batches(position as number), position);
    throw new AiforgeError('INVALID_ARGUMENT', `SqlReader: a position is the number of a row, got ${show(position)}.`);
  }

  async #rows(): Promise<SqlRows> {
    const { parameters = [] } = this.#options;
    const connection = this.#connection;
    return this.#told(async () =>
      'stream' in connection
        ? duckDbRows(connection, this.query, parameters)
        : sqliteRows(connection, this.query, parameters),
    );
  }

  async #withRows<T>(work: (rows: SqlRows) => T | Promise<T>): Promise<T> {
    const rows = await this.#rows();
    try {
      return await work(rows);
    } finally {
      rows.close();
    }
  }

  /** What each column is read as; takes rows where these must tell it. */
  async #layout(rows: SqlRows): Promise<ColumnLayout[]> {
    const names = rows.columns.map(({ name }) => name);
    const twice = firstRepeated(names);
    if (twice !== undefined)
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `SqlReader: the query gives two columns '${twice}'; give one another name by AS.`,
      );
    const isFound =
      areTyped(this.#options) || rows.columns.every(({ type, problem }) => type !== 'unknown' || problem !== undefined);
    const found = isFound ? rows.columns.map(({ name, type }) => [name, type] as const) : await this.#infer(rows);
    const layout = layoutOf(this.#options, new Map(found), 'SqlReader');
    const problems = new Map(rows.columns.map(({ name, problem }) => [name, problem]));
    for (const { name } of layout) {
      const problem = problems.get(name);
      if (problem !== undefined) throw new AiforgeError('INVALID_ARGUMENT', `SqlReader: column '${name}' ${problem}.`);
    }
    return layout;
  }

  async #infer(rows: SqlRows): Promise<[string, ColumnType][]> {
    const { inferRows = INFER_ROWS, badRows } = this.#options;
    const asked = wantedColumns(this.#options);
    const wanted = asked && new Set(asked);
    const seen = rows.columns.map(() => new TypeInference());
    for (let done = 0; done < inferRows;) {
      const chunk = await this.#told(() => rows.next());
      if (chunk === undefined) break;
      for (const row of chunk.slice(0, inferRows - done)) {
        for (const [i, inference] of seen.entries()) {
          const { name } = rows.columns[i]!;
          if (wanted !== undefined && !wanted.has(name)) continue;
          const before = inference.see(row[i]);
          if (before !== undefined && badRows !== 'skip')
            throw badCell(`SqlReader, row ${done}`, { column: name, value: row[i], expected: before });
        }
        ++done;
      }
    }
    return rows.columns.map(({ name }, i) => [name, seen[i]!.type]);
  }

  async *#batches(first: number): AsyncGenerator<Step<TableColumns>, void, undefined> {
    const layout = await this.#withRows((rows) => this.#layout(rows));
    const rows = await this.#rows();
    try {
      const placeOf = new Map(rows.columns.map(({ name }, place) => [name, place]));
      const places = layout.map(({ name }) => placeOf.get(name)!);
      const builder = new TableBuilder(layout);
      const { batchRows = BATCH_ROWS } = this.#options;
      let row = 0;
      for (
        let chunk = await this.#told(() => rows.next());
        chunk !== undefined;
        chunk = await this.#told(() => rows.next())
      ) {
        for (const values of chunk) {
          if (++row <= first) continue;
          const bad = builder.add(places.map((place) => values[place]));
          if (bad !== undefined) this.leaveOut(badCell(`SqlReader, row ${row - 1}`, bad));
          if (builder.rows === batchRows) yield [builder.take(), row];
        }
      }
      if (builder.rows > 0) yield [builder.take(), row];
    } finally {
      rows.close();
    }
  }

  async #told<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof AiforgeError) throw cause;
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `SqlReader: the database refuses the query: ${(cause as Error).message}`,
        { cause },
      );
    }
  }
}
