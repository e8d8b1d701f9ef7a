import { DuckDBConnection } from '@duckdb/node-api';
import { data, Tensor } from 'aiforge';
import { expect } from 'chai';
import { createRequire } from 'node:module';
import { z } from 'zod';

import { everyPosition } from '../../support/everyPosition.mjs';
import { plainTable } from '../../support/plainTable.mjs';
import { refusalOf, rejectionOf } from '../../support/refusal.mjs';

interface Sqlite {
  run(sql: string, parameters?: unknown[]): void;
  prepare(sql: string): object;
  exec(sql: string): void;
  close(): void;
}

/** A database of SQLite of each kind that can be had here. */
async function databases(): Promise<Record<string, () => Sqlite>> {
  const require = createRequire(import.meta.url);
  const initialise = require('sql.js') as () => Promise<{ Database: new () => Sqlite }>;
  const { Database } = await initialise();
  const made: Record<string, () => Sqlite> = { 'sql.js': () => new Database() };
  try {
    const { DatabaseSync } = require('node:sqlite') as { DatabaseSync: new (file: string) => Sqlite };
    made['node:sqlite'] = () => new DatabaseSync(':memory:');
  } catch {
    console.log('      not tried: node:sqlite, which Node has from 22.5 on');
  }
  return made;
}

const people = `
  CREATE TABLE people (id INTEGER, score REAL, city TEXT, age INTEGER);
  INSERT INTO people VALUES (9007199254740993, 0.5, 'Ulm', 30), (2, 7, 'Köln', NULL), (-9223372036854775808, NULL, '', 50);`;

describe('SqlReader', () => {
  let makers: Record<string, () => Sqlite>;
  let duckDb: DuckDBConnection;
  before(async () => {
    makers = await databases();
    duckDb = await DuckDBConnection.create();
  });
  after(() => duckDb.closeSync());

  const sqlites = (): [string, Sqlite][] =>
    Object.entries(makers).map(([name, make]) => {
      const database = make();
      database.exec(people);
      return [name, database];
    });
  const said = async (connection: data.SqlConnection, query: string, options: data.SqlReaderOptions = {}) => {
    const { code, message } = await rejectionOf(new data.SqlReader(connection, query, options).read());
    return `${code} ${message}`;
  };

  it('reads a query of SQLite, with the types that its first rows tell', async () => {
    for (const [name, database] of sqlites()) {
      const reader = new data.SqlReader(database, 'SELECT * FROM people ORDER BY rowid');
      const types = { id: 'int64', score: 'float64', city: 'string', age: 'float64' };
      expect(await reader.columns(), name).to.deep.equal(types);
      expect(plainTable(await reader.read()), name).to.deep.equal({
        id: [2n ** 53n + 1n, 2, -(2n ** 63n)],
        score: [0.5, 7, NaN],
        city: ['Ulm', 'Köln', ''],
        age: [30, NaN, 50],
      });
      const some = new data.SqlReader(database, 'SELECT age, city FROM people WHERE city <> ? ORDER BY 1', {
        parameters: ["'; DROP TABLE people; --"],
        columns: { age: 'int32' },
        missing: { age: -1 },
      });
      expect(plainTable(await some.read()), name).to.deep.equal({ age: [-1, 30, 50] });
      database.close();
    }
  });

  it('reads a query of DuckDB, with the types that it tells, times as whole numbers', async () => {
    const query = `SELECT 1::TINYINT AS a, 2::USMALLINT AS b, 3::UINTEGER AS c, 9007199254740993 AS d, 0.5::FLOAT AS e, 0.25::DOUBLE AS f,
      true AS g, 'x\u0001ü' AS h, DATE '1970-01-03' AS day, TIMESTAMP '1970-01-01 00:00:01' AS us, TIMESTAMP_MS '1970-01-01 00:00:01' AS ms,
      TIMESTAMP_S '1970-01-01 00:00:01' AS s, TIMESTAMP_NS '1970-01-01 00:00:01' AS ns, TIME '00:00:02' AS clock,
      sum(9007199254740993) AS total, 'p'::ENUM('p', 'q') AS kind, TIMESTAMPTZ '1970-01-01 00:00:01+00' AS tz`;
    const reader = new data.SqlReader(duckDb, query);
    const table = await reader.read();
    const dtypes = Object.values(table).map((column) => (Tensor.isTensor(column) ? column.dtype : 'string'));
    expect(dtypes).to.deep.equal(Object.values(await reader.columns()));
    expect(dtypes.join(' ')).to.equal('int8 int32 int64 int64 float32 float64 bool string int32 int64 int64 int64 int64 int64 int64 string int64'); // prettier-ignore
    expect(Object.values(plainTable(table)).map(([value]) => value)).to.deep.equal([
      ...[1, 2, 3, 2n ** 53n + 1n, 0.5, 0.25, true, 'x\u0001ü', 2, 1e6, 1e3, 1, 1e9, 2e6, 2n ** 53n + 1n, 'p', 1e6],
    ]);
    expect(await reader.units()).to.deep.equal({ day: 'days', us: 'us', ms: 'ms', s: 's', ns: 'ns', clock: 'us', tz: 'us' }); // prettier-ignore
  });

  it('goes on exactly where a reading stood', async () => {
    const query = 'SELECT i, i % 7 AS k FROM range(5000) AS t(i) ORDER BY i';
    const batches = await everyPosition(new data.SqlReader(duckDb, query, { batchRows: 900 }), plainTable);
    expect(batches.map(({ i }) => i!.length)).to.deep.equal([900, 900, 900, 900, 900, 500]);
    expect(batches.flatMap(({ i }) => i)).to.deep.equal(Array.from({ length: 5000 }, (_, i) => i));
    for (const [name, database] of sqlites()) {
      const reader = new data.SqlReader(database, 'SELECT id, city FROM people ORDER BY rowid', { batchRows: 2 });
      expect(
        (await everyPosition(reader, plainTable)).map(({ city }) => city),
        name,
      ).to.deep.equal([['Ulm', 'Köln'], ['']]);
      expect(await everyPosition(reader.rows(), ({ city }) => city), name).to.deep.equal(['Ulm', 'Köln', '']);
      const stopped = reader.open();
      await stopped.next();
      await stopped.return();
      // A statement that still reads would hold the table.
      database.exec('DROP TABLE people');
      database.close();
    }
  });

  it('refuses values that a column cannot hold, or leaves their rows out', async () => {
    for (const [name, database] of sqlites()) {
      database.exec(`INSERT INTO people VALUES ('five', 1, 'Bonn', 1)`);
      const query = 'SELECT id, age FROM people ORDER BY rowid';
      expect(await said(database, query), name).to.match(
        /FILE_INVALID SqlReader, row 3: column 'id': found 'five', expected numbers/,
      );
      expect(await said(database, query, { columns: { id: 'int64' } })).to.match(/row 3: column 'id': found 'five', expected a whole number/); // prettier-ignore
      expect(await said(database, query, { columns: { age: 'int8' } })).to.match(
        /row 1: column 'age': there is no value/,
      );
      const skipping = new data.SqlReader(database, query, { badRows: 'skip', columns: { id: 'int64', age: 'int64' } });
      expect(plainTable(await skipping.read()), name).to.deep.equal({
        id: [2n ** 53n + 1n, -(2n ** 63n)],
        age: [30, 50],
      });
      expect(skipping.skipped, name).to.equal(2);
      expect(await said(database, `SELECT x'00ff' AS b`)).to.match(
        /column 'b': found .*, expected numbers, texts, true or false/,
      );
      database.close();
    }
    expect(await said(duckDb, 'SELECT 18446744073709551615::UBIGINT AS u')).to.match(/FILE_INVALID.*'u': found 18446744073709551615n?, expected a whole number/); // prettier-ignore
    expect(await said(duckDb, 'SELECT NULL::INTEGER AS i')).to.match(/FILE_INVALID.*'i': there is no value/);
    const schema = z.object({ i: z.number().max(2) });
    const kept = new data.SqlReader(duckDb, 'SELECT i::DOUBLE AS i FROM range(5) AS t(i)', { schema, badRows: 'skip' });
    expect([plainTable(await kept.read()), kept.skipped]).to.deep.equal([{ i: [0, 1, 2] }, 2]);
  });

  it('refuses queries, columns and connections that make no sense', async () => {
    expect(await said(duckDb, 'SELEC 1')).to.match(
      /INVALID_ARGUMENT SqlReader: the database refuses the query: .*SELEC/s,
    );
    expect(await said(duckDb, 'SELECT 1 AS a, 2 AS a')).to.match(/INVALID_ARGUMENT.*gives two columns 'a'/);
    expect(await said(duckDb, 'SELECT 0.5::DECIMAL(3, 1) AS d, [1] AS l')).to.match(/INVALID_ARGUMENT.*column 'd' is of DuckDB's type 19; cast it in the query/); // prettier-ignore
    expect(await said(duckDb, 'SELECT 1 AS first', { columns: ['frst'] })).to.match(
      /no column 'frst'. Did you mean 'first'\?/,
    );
    expect(await said(duckDb, 'SELECT ? AS a')).to.match(/INVALID_ARGUMENT/);
    for (const [name, database] of sqlites()) {
      expect(await said(database, 'SELECT * FROM nowhere'), name).to.match(/INVALID_ARGUMENT.*no such table: nowhere/);
      database.close();
    }
    const wrong = (connection: unknown, options: object = {}) => refusalOf(() => new data.SqlReader(connection as never, 'x', options)).message; // prettier-ignore
    expect(wrong({})).to.match(/connection must be a connection of @duckdb\/node-api/);
    expect(wrong(duckDb, { parameters: [{}] })).to.match(/parameters must be an array, each item a string, a number/);
    expect(wrong(duckDb, { parameter: [1] })).to.match(/Did you mean 'parameters'/);
    expect(refusalOf(() => new data.SqlReader(duckDb, 'x').open('x')).message).to.match(
      /a position is the number of a row, got 'x'/,
    );
  });
});
