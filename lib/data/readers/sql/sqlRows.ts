import { AiforgeError } from '../../../errors.js';
import type { ColumnType } from '../columnTypes.js';
import type { TimeUnit } from '../wholeNumbers.js';

/** A column of a result: `type` is unknown where a database does not say it. */
export interface SqlColumn {
  readonly name: string;
  readonly type: ColumnType | 'unknown';
  readonly unit?: TimeUnit;
  /** Why it cannot be read. */
  readonly problem?: string;
}

/** The rows of a result, some at a time. */
export interface SqlRows {
  readonly columns: readonly SqlColumn[];
  /** The next rows, each a value a column; undefined at the end. */
  next(): Promise<unknown[][] | undefined>;
  close(): void;
}

/** A value that is given for a placeholder of a query. */
export type SqlParameter = string | number | bigint | boolean | null | Uint8Array;

/** What is needed of a DuckDB connection (`@duckdb/node-api`). */
export interface DuckDbConnection {
  stream(sql: string, values?: never): Promise<object>;
}

/** What is needed of a database of SQLite: sql.js's or node:sqlite's. */
export interface SqliteDatabase {
  prepare(sql: string): object;
}

interface DuckDbResult {
  columnNames(): string[];
  columnTypeId(column: number): number;
  fetchChunk(): Promise<{ readonly rowCount: number; getRows(): unknown[][] } | null>;
}

const types: Readonly<Record<number, ColumnType>> = {
  ...{ 1: 'bool', 2: 'int8', 3: 'int16', 4: 'int32', 5: 'int64', 6: 'uint8', 7: 'int32', 8: 'int64', 9: 'int64' },
  // Sums of whole numbers are HUGEINT; those that int64 cannot hold are refused one by one.
  ...{ 10: 'float32', 11: 'float64', 16: 'int64', 17: 'string', 23: 'string' },
};

/** Times, as whole numbers: their field and unit. */
const times: Readonly<Record<number, readonly [field: string, unit: TimeUnit, type?: 'int32']>> = {
  ...{ 12: ['micros', 'us'], 13: ['days', 'days', 'int32'], 14: ['micros', 'us'], 20: ['seconds', 's'] },
  ...{ 21: ['millis', 'ms'], 22: ['nanos', 'ns'], 31: ['micros', 'us'], 39: ['nanos', 'ns'] },
};

/** Runs a query on DuckDB, which gives its rows in chunks. */
export async function duckDbRows(
  connection: DuckDbConnection,
  sql: string,
  parameters: readonly SqlParameter[],
): Promise<SqlRows> {
  const given = parameters.length === 0 ? [] : [parameters as never];
  const result = (await connection.stream(sql, ...given)) as DuckDbResult;
  const ids = result.columnNames().map((_, i) => result.columnTypeId(i));
  const columns = result.columnNames().map((name, i): SqlColumn => {
    const time = times[ids[i]!];
    if (time !== undefined) return { name, type: time[2] ?? 'int64', unit: time[1] };
    const type = types[ids[i]!];
    if (type !== undefined) return { name, type };
    return {
      name,
      type: 'unknown',
      problem: `is of DuckDB's type ${ids[i]!}; cast it in the query, as to DOUBLE or VARCHAR`,
    };
  });
  const fields = ids.map((id) => times[id]?.[0]);
  const plain = (value: unknown, column: number): unknown => {
    const field = fields[column];
    return field === undefined || value === null ? value : (value as Record<string, unknown>)[field];
  };
  return {
    columns,
    async next() {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) return undefined;
      const rows = chunk.getRows();
      return fields.some((field) => field !== undefined) ? rows.map((row) => row.map(plain)) : rows;
    },
    close: () => undefined,
  };
}

interface SqlJsStatement {
  bind(values: readonly unknown[]): boolean;
  step(): boolean;
  get(params: null, config: { useBigInt: boolean }): unknown[];
  getColumnNames(): string[];
  free(): boolean;
}

interface IteratingStatement {
  iterate(...values: unknown[]): Iterator<Record<string, unknown>>;
  columns(): { name: string }[];
  setReadBigInts?(enabled: boolean): void;
}

const chunkRows = 1024;

/** Runs a query on SQLite, row by row; its values have types, and its columns none. */
export function sqliteRows(database: SqliteDatabase, sql: string, parameters: readonly SqlParameter[]): SqlRows {
  const statement = database.prepare(sql);
  if ('step' in statement) return sqlJsRows(statement as SqlJsStatement, parameters);
  if ('iterate' in statement) return iteratedRows(statement as IteratingStatement, parameters);
  const expected = 'sql.js or node:sqlite';
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `SqlReader: what the connection prepares has neither step nor iterate, expected a database of ${expected}.`,
  );
}

const column = (name: string): SqlColumn => ({ name, type: 'unknown' });

/** Whole numbers come as bigints, so that they are exact; those that are numbers are easier to handle. */
const value = (given: unknown): unknown => {
  if (typeof given !== 'bigint') return given;
  const number = Number(given);
  return Number.isSafeInteger(number) ? number : given;
};

function sqlJsRows(statement: SqlJsStatement, parameters: readonly SqlParameter[]): SqlRows {
  if (parameters.length > 0) statement.bind(parameters);
  let isOpen = true;
  const close = (): void => {
    if (isOpen) statement.free();
    isOpen = false;
  };
  return {
    columns: statement.getColumnNames().map(column),
    next() {
      const rows: unknown[][] = [];
      while (isOpen && rows.length < chunkRows) {
        if (statement.step()) rows.push(statement.get(null, { useBigInt: true }).map(value));
        // Another step would begin the query anew.
        else close();
      }
      return Promise.resolve(rows.length === 0 ? undefined : rows);
    },
    close,
  };
}

function iteratedRows(statement: IteratingStatement, parameters: readonly SqlParameter[]): SqlRows {
  statement.setReadBigInts?.(true);
  const names = statement.columns().map(({ name }) => name);
  const rows = statement.iterate(...parameters);
  let isOver = false;
  return {
    columns: names.map(column),
    next() {
      const found: unknown[][] = [];
      // Asked once more after its end, node:sqlite begins anew.
      while (!isOver && found.length < chunkRows) {
        const next = rows.next();
        if (next.done === true) isOver = true;
        else found.push(names.map((name) => value(next.value[name])));
      }
      return Promise.resolve(found.length === 0 ? undefined : found);
    },
    close() {
      isOver = true;
      rows.return?.();
    },
  };
}
