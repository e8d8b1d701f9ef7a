import { data, Tensor } from 'aiforge';
import { expect } from 'chai';
import { parquetWriteBuffer, type ColumnSource } from 'hyparquet-writer';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { z } from 'zod';

import { everyPosition } from '../../support/everyPosition.mjs';
import { mutations } from '../../support/mutations.mjs';
import { reference } from '../../support/reference.mjs';
import { refusalOf, rejectionOf } from '../../support/refusal.mjs';
import { plainTable } from '../../support/plainTable.mjs';

type Written = Omit<Parameters<typeof parquetWriteBuffer>[0], 'columnData'>;

const bytesOf = (columnData: ColumnSource[], options: Written = {}): Uint8Array<ArrayBuffer> =>
  new Uint8Array(parquetWriteBuffer({ columnData, ...options }));

const people = (): ColumnSource[] => [
  { name: 'id', data: [1n, 2n ** 53n + 1n, -(2n ** 63n), 4n, 5n], type: 'INT64' },
  { name: 'small', data: [1, -2, 3, 4, 2 ** 31 - 1], type: 'INT32' },
  { name: 'score', data: [0.5, NaN, -Infinity, 1e300, 5], type: 'DOUBLE' },
  { name: 'isNew', data: [true, false, true, true, false], type: 'BOOLEAN' },
  { name: 'city', data: ['Ulm', 'Bonn', 'Köln\0', 'Ulm', ''], type: 'STRING' },
];

describe('ParquetReader', () => {
  let folder: string;
  let made = 0;
  before(() => (folder = mkdtempSync(path.join(tmpdir(), 'aiforge-parquet-'))));
  after(() => rmSync(folder, { recursive: true }));

  const file = (bytes: Uint8Array): string => {
    const name = path.join(folder, `${++made}.parquet`);
    writeFileSync(name, bytes);
    return name;
  };
  const said = async (bytes: Uint8Array, options: data.ParquetReaderOptions = {}) => {
    const { code, message } = await rejectionOf(new data.ParquetReader(file(bytes), options).read());
    return `${code} ${message}`;
  };
  const rowsOf = async (columns: ColumnSource[], options: data.ParquetReaderOptions = {}, written: Written = {}) =>
    plainTable(await new data.ParquetReader(file(bytesOf(columns, written)), options).read());

  it('reads columns into tensors of their own types, and texts', async () => {
    const reader = new data.ParquetReader(file(bytesOf(people())));
    const types = { id: 'int64', small: 'int32', score: 'float64', isNew: 'bool', city: 'string' };
    expect(await reader.columns()).to.deep.equal(types);
    const table = await reader.read();
    expect(Object.values(table).map((column) => (Tensor.isTensor(column) ? column.dtype : 'string'))).to.deep.equal(Object.values(types)); // prettier-ignore
    expect(plainTable(table)).to.deep.equal({
      id: [1, 2n ** 53n + 1n, -(2n ** 63n), 4, 5],
      small: [1, -2, 3, 4, 2 ** 31 - 1],
      score: [0.5, NaN, -Infinity, 1e300, 5],
      isNew: [true, false, true, true, false],
      city: ['Ulm', 'Bonn', 'Köln\0', 'Ulm', ''],
    });
  });

  it('reads the columns asked for alone, in their order, as other types where their values fit', async () => {
    expect(await rowsOf(people(), { columns: ['city', 'small'] })).to.have.keys(['city', 'small']);
    expect(await rowsOf(people(), { columns: { small: 'float32', isNew: 'uint8' } })).to.deep.equal({
      small: [1, -2, 3, 4, 2 ** 31],
      isNew: [1, 0, 1, 1, 0],
    });
    const bytes = bytesOf(people());
    expect(await said(bytes, { columns: { small: 'int8' } })).to.match(/FILE_INVALID.*row group 0, row 4: column 'small': found 2147483647, expected a whole number in -128 … 127/); // prettier-ignore
    expect(await said(bytes, { columns: { score: 'int64' } })).to.match(
      /row 0: column 'score': found 0.5, expected a whole number/,
    );
    expect(await said(bytes, { columns: ['cty'] })).to.match(
      /INVALID_ARGUMENT.*no column 'cty'. Did you mean 'city'\?/,
    );
    expect(await said(bytes, { columns: { city: 'int64' } })).to.match(/INVALID_ARGUMENT.*'city' is string in the file and cannot be read as int64/); // prettier-ignore
    expect(await said(bytes, { columns: { id: 'string' } })).to.match(
      /'id' is int64 in the file and cannot be read as string/,
    );
  });

  const nulls = (): ColumnSource[] => [
    { name: 'n', data: [1n, null, 3n, null], type: 'INT64', nullable: true },
    { name: 'x', data: [null, 0.5, null, 2], type: 'DOUBLE', nullable: true },
    { name: 's', data: ['a', null, null, 'd'], type: 'STRING', nullable: true },
  ];

  it('puts NaN where floats are missing, and asks what else is to stand for other missing values', async () => {
    expect(await rowsOf(nulls(), { columns: ['x'] })).to.deep.equal({ x: [NaN, 0.5, NaN, 2] });
    expect(await rowsOf(nulls(), { columns: { n: 'float64' } })).to.deep.equal({ n: [1, NaN, 3, NaN] });
    const missing = { n: -1, s: 'none', x: 0 };
    expect(await rowsOf(nulls(), { missing })).to.deep.equal({ n: [1, -1, 3, -1], x: [0, 0.5, 0, 2], s: ['a', 'none', 'none', 'd'] }); // prettier-ignore
    expect(await said(bytesOf(nulls()), { columns: ['n'] })).to.match(/FILE_INVALID.*row group 0, row 1: column 'n': there is no value, expected a whole number.*read the column as 'float64' or give/); // prettier-ignore
    expect(await said(bytesOf(nulls()), { columns: ['s'] })).to.match(/row 1: column 's': there is no value/);
    const skipping = new data.ParquetReader(file(bytesOf(nulls())), { badRows: 'skip' });
    expect(plainTable(await skipping.read())).to.deep.equal({ n: [1], x: [NaN], s: ['a'] });
    expect(skipping.skipped).to.equal(3);
  });

  it('reads a column that misses all values, of which a compressed page holds none', async () => {
    const none = [null, null, null];
    for (const codec of ['SNAPPY', 'UNCOMPRESSED'] as const) {
      const columnData: ColumnSource[] = [
        { name: 'x', data: none, type: 'DOUBLE', nullable: true },
        { name: 's', data: none, type: 'STRING', nullable: true },
      ];
      const reader = new data.ParquetReader(file(bytesOf(columnData, { codec })), { missing: { s: '?' } });
      expect(plainTable(await reader.read()), codec).to.deep.equal({ x: [NaN, NaN, NaN], s: ['?', '?', '?'] });
    }
  });

  it('keeps the rules of a schema', async () => {
    const schema = z.object({ small: z.int().min(-2), score: z.number().nullable(), id: z.bigint().positive() });
    const reader = new data.ParquetReader(file(bytesOf(people())), { schema, badRows: 'skip' });
    expect(plainTable(await reader.read())).to.deep.equal({
      small: [1, 4, 2 ** 31 - 1],
      score: [0.5, 1e300, 5],
      id: [1, 4, 5],
    });
    expect(await said(bytesOf(people()), { schema })).to.match(/FILE_INVALID.*row 1: column 'score': found NaN/);
  });

  const numbered = (rows: number): ColumnSource[] => [
    { name: 'i', data: Array.from({ length: rows }, (_, i) => i), type: 'INT32' },
    { name: 'k', data: Array.from({ length: rows }, (_, i) => BigInt(i % 3)), type: 'INT64' },
    { name: 's', data: Array.from({ length: rows }, (_, i) => (i % 5 === 0 ? null : `t${i % 7}`)), type: 'STRING' },
  ];

  it('goes on exactly where a reading stood, in row groups and files; these are its parts', async () => {
    const first = file(bytesOf(numbered(25), { rowGroupSize: 10, pageSize: 16 }));
    const second = file(bytesOf(numbered(4)));
    const options = { batchRows: 4, missing: { s: '-' } };
    const reader = new data.ParquetReader([first, second], options);
    const batches = await everyPosition(reader, plainTable);
    const whole = Array.from({ length: 25 }, (_, i) => i);
    expect(batches.map(({ i }) => i!.length)).to.deep.equal([4, 4, 2, 4, 4, 2, 4, 1, 4]);
    expect(batches.flatMap(({ i }) => i)).to.deep.equal([...whole, 0, 1, 2, 3]);
    expect(batches.flatMap(({ k }) => k).slice(0, 25)).to.deep.equal(whole.map((i) => i % 3));
    expect(batches.flatMap(({ s }) => s).slice(0, 25)).to.deep.equal(
      whole.map((i) => (i % 5 === 0 ? '-' : `t${i % 7}`)),
    );
    expect(reader.parts()).to.have.length(2);
    const groups = reader.parts()[0]!.parts();
    expect(groups.map((group) => group.parts())).to.deep.equal([[], [], []]);
    const parts = await Promise.all(groups.map(async (group) => plainTable(await group.read()).i));
    expect(parts).to.deep.equal([whole.slice(0, 10), whole.slice(10, 20), whole.slice(20)]);
    const rows = await everyPosition(groups[1]!.rows(), (row) => row.i);
    expect(rows).to.deep.equal(whole.slice(10, 20));
  });

  it('tells what whole numbers of times count', async () => {
    const columns: ColumnSource[] = [{ name: 'at', data: [new Date(1e12), new Date(-5)], type: 'TIMESTAMP' }];
    const reader = new data.ParquetReader(file(bytesOf(columns)));
    const units = await reader.units();
    const scale = { ms: 1, us: 1e3, ns: 1e6 }[units.at as 'ms'];
    expect(plainTable(await reader.read())).to.deep.equal({ at: [1e12 * scale, -5 * scale] });
  });

  it('refuses nested columns, and those of kinds that no tensor holds, by name, unless they are left out', async () => {
    const odd: ColumnSource[] = [
      { name: 'list', data: [[1], [2, 3]] },
      { name: 'id', data: ['00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000001'], type: 'UUID' }, // prettier-ignore
      { name: 'fine', data: [1, 2], type: 'INT32' },
    ];
    expect(await said(bytesOf(odd))).to.match(/INVALID_ARGUMENT.*column '(list|id)' has /);
    expect(await said(bytesOf(odd), { columns: ['id'] })).to.match(
      /column 'id' has values of the kind UUID; or leave it out/,
    );
    expect(await rowsOf(odd, { columns: ['fine'] })).to.deep.equal({ fine: [1, 2] });
  });

  it('refuses two columns of one name, of which nothing tells which is meant', async () => {
    const bytes = parquetWriteBuffer({ columnData: [{ name: 'aa', data: [1] }, { name: 'ab', data: [2] }] }); // prettier-ignore
    const twice = Buffer.from(Buffer.from(bytes).toString('latin1').replaceAll('ab', 'aa'), 'latin1');
    expect(await said(twice)).to.match(/FILE_INVALID.*has two columns 'aa'/);
  });

  it('refuses what is truncated or no Parquet file', async () => {
    const good = bytesOf(people());
    expect(await said(good.subarray(0, -4))).to.match(/FILE_INVALID.*ends with ".*", expected 'PAR1': it is truncated/);
    expect(await said(good.subarray(0, 5))).to.match(/FILE_INVALID.*has 5 bytes/);
    expect(await said(Buffer.from('id,score\n1,2\n3,4\n'))).to.match(
      /begins with "id,s", expected 'PAR1': it is no Parquet/,
    );
    const long = Buffer.from(good);
    long.writeUInt32LE(2 ** 31, long.length - 8);
    expect(await said(long)).to.match(/says to have 2147483648 bytes of metadata/);
    expect((await rejectionOf(new data.ParquetReader('none.parquet').columns())).code).to.equal('FILE_NOT_FOUND');
    expect(refusalOf(() => new data.ParquetReader('none.parquet').parts()).code).to.equal('FILE_NOT_FOUND');
    expect(refusalOf(() => new data.ParquetReader(file(long)).parts()).code).to.equal('FILE_INVALID');
    expect(refusalOf(() => new data.ParquetReader(file(good)).open(3)).message).to.match(
      /a position is { file, group, row }/,
    );
    expect(refusalOf(() => new data.ParquetReader('x', { batch_rows: 1 } as never)).message).to.match(
      /Did you mean 'batchRows'/,
    );
  });

  it('decompresses what Node can, and names the package for the rest', async () => {
    const codecs = { GZIP: (bytes: Uint8Array) => gzipSync(bytes), LZO: (bytes: Uint8Array) => bytes };
    const written = (codec: 'GZIP' | 'LZO' | 'UNCOMPRESSED'): Written => ({ codec, compressors: codecs });
    for (const codec of ['GZIP', 'UNCOMPRESSED'] as const) {
      expect((await rowsOf(people(), { columns: ['small'] }, written(codec))).small).to.deep.equal([
        1,
        -2,
        3,
        4,
        2 ** 31 - 1,
      ]);
    }
    expect(await said(bytesOf(people(), written('LZO')))).to.match(/MISSING_DEPENDENCY.*compressed with LZO, which needs the package hyparquet-compressors. Write the file with snappy or zstd/); // prettier-ignore
    const bomb = { codec: 'GZIP', compressors: { GZIP: () => gzipSync(new Uint8Array(1 << 24)) } } as const;
    expect(await said(bytesOf(people(), bomb))).to.match(/FILE_INVALID.*row group 0, column 'id'/);
  });

  it('reads three million flights, compressed with zstd, as pyarrow does', async function () {
    this.timeout(60_000);
    const flights = 'node_modules/vega-datasets/data/flights-3m.parquet';
    const table = await new data.ParquetReader(flights, { columns: ['delay', 'distance', 'origin'] }).read();
    const origins = table.origin as string[];
    expect([origins.length, origins[0], origins.at(-1)]).to.deep.equal([3_000_000, 'LAS', 'ATL']);
    const sums = [table.delay, table.distance].map((column) => (column as Tensor).sum().item());
    expect(sums).to.deep.equal([20_003_603, 2_194_861_208]);
  });

  it('gives a table or FILE_INVALID for whatever bytes', async function () {
    this.timeout(20_000);
    const originals = [bytesOf([...people(), ...nulls().map((each) => ({ ...each, data: [...each.data, null] }))]), bytesOf(numbered(30), { pageSize: 40 })]; // prettier-ignore
    let refused = 0;
    for (const original of originals) {
      for (const bytes of mutations(original, 150)) {
        try {
          const reader = new data.ParquetReader(file(bytes), { missing: {}, badRows: 'skip' });
          let batches = 0;
          for await (const _ of reader) if (++batches > 5) break;
        } catch (error) {
          expect(['FILE_INVALID', 'INVALID_ARGUMENT', 'MISSING_DEPENDENCY'], String(error)).to.include((error as data.TableRow).code); // prettier-ignore
          ++refused;
        }
      }
    }
    expect(refused).to.be.greaterThan(80);
  });

  it('gives pyarrow’s values, of every encoding and page that it writes', async function () {
    this.timeout(60_000);
    interface Column {
      dtype: string;
      values: unknown[];
      unit?: string;
    }
    const files = JSON.parse(reference(this, 'parquet.py', folder)) as Record<string, Record<string, Column>>;
    for (const [name, columns] of Object.entries(files)) {
      const reader = new data.ParquetReader(path.join(folder, name), { batchRows: 700, missing: { text: '<null>', plain: '<null>', whole: -7 } }); // prettier-ignore
      const table = await reader.read();
      expect(Object.keys(table), name).to.deep.equal(Object.keys(columns));
      for (const [column, { dtype, values }] of Object.entries(columns)) {
        const found = table[column]!;
        expect(Tensor.isTensor(found) ? found.dtype : 'string', `${name} ${column}`).to.equal(dtype);
        const shown = (Tensor.isTensor(found) ? found.tolist<number[]>() : found).map((each) => (typeof each === 'string' ? each : String(each))); // prettier-ignore
        expect(shown, `${name} ${column}`).to.deep.equal(values);
      }
      const wanted = Object.entries(columns).flatMap(([column, { unit }]) =>
        unit === undefined ? [] : [[column, unit]],
      );
      expect(await reader.units(), name).to.deep.equal(Object.fromEntries(wanted));
    }
  });
});
