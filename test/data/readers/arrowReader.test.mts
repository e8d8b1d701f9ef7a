import { data, Tensor } from 'aiforge';
import { tableFromArrays, tableToIPC, Utf8, vectorFromArray, type Table } from 'apache-arrow';
import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { decompressLz4 } from '#lib/data/readers/arrow/lz4.js';
import { everyPosition } from '../../support/everyPosition.mjs';
import { mutations } from '../../support/mutations.mjs';
import { plainTable } from '../../support/plainTable.mjs';
import { reference } from '../../support/reference.mjs';
import { refusalOf, rejectionOf } from '../../support/refusal.mjs';

const people = (start = 0, rows = 3): Table => {
  const of = <T,>(make: (i: number) => T): T[] => Array.from({ length: rows }, (_, i) => make(start + i));
  return tableFromArrays({
    id: BigInt64Array.from(of((i) => 2n ** 53n + BigInt(i))),
    score: Float64Array.from(of((i) => (i === 1 ? NaN : i / 2))),
    small: Uint8Array.from(of((i) => 255 - i)),
    isNew: of((i) => i % 2 === 0),
    city: vectorFromArray(
      of((i) => ['Ulm', 'Köln\0', ''][i % 3]!),
      new Utf8(),
    ) as never,
  });
};

describe('ArrowReader', () => {
  let folder: string;
  let made = 0;
  before(() => (folder = mkdtempSync(path.join(tmpdir(), 'aiforge-arrow-'))));
  after(() => rmSync(folder, { recursive: true }));

  const file = (bytes: Uint8Array): string => {
    const name = path.join(folder, `${++made}.arrow`);
    writeFileSync(name, bytes);
    return name;
  };
  const said = async (bytes: Uint8Array, options: data.ArrowReaderOptions = {}) => {
    const { code, message } = await rejectionOf(new data.ArrowReader(file(bytes), options).read());
    return `${code} ${message}`;
  };

  for (const format of ['file', 'stream'] as const) {
    it(`reads the columns of a ${format} into tensors of their own types, and texts`, async () => {
      const reader = new data.ArrowReader(file(tableToIPC(people(), format)));
      const types = { id: 'int64', score: 'float64', small: 'uint8', isNew: 'bool', city: 'string' };
      expect(await reader.columns()).to.deep.equal(types);
      const table = await reader.read();
      expect(Object.values(table).map((column) => (Tensor.isTensor(column) ? column.dtype : 'string'))).to.deep.equal(Object.values(types)); // prettier-ignore
      expect(plainTable(table)).to.deep.equal({
        id: [2n ** 53n, 2n ** 53n + 1n, 2n ** 53n + 2n],
        score: [0, NaN, 1],
        small: [255, 254, 253],
        isNew: [true, false, true],
        city: ['Ulm', 'Köln\0', ''],
      });
    });

    it(`goes on exactly where a reading stood, in the batches of a ${format} and in files`, async () => {
      const batches = people().concat(people(3, 7)).concat(people(10, 1));
      const reader = new data.ArrowReader([file(tableToIPC(batches, format)), file(tableToIPC(people(11, 2), format))], { batchRows: 4 }); // prettier-ignore
      const given = await everyPosition(reader, plainTable);
      expect(given.map(({ id }) => id!.length)).to.deep.equal([3, 4, 3, 1, 2]);
      expect(given.flatMap(({ id }) => id)).to.deep.equal(Array.from({ length: 13 }, (_, i) => 2n ** 53n + BigInt(i)));
      expect(given.flatMap(({ isNew }) => isNew)).to.deep.equal(Array.from({ length: 13 }, (_, i) => i % 2 === 0));
      expect(await Promise.all(reader.parts().map(async (part) => plainTable(await part.read()).small!.length))).to.deep.equal([11, 2]); // prettier-ignore
      expect(reader.parts()[0]!.parts()).to.be.empty;
    });
  }

  it('has tensors stand on the memory that a batch was read into', async () => {
    const table = await new data.ArrowReader(file(tableToIPC(people())), { columns: ['id', 'score'] }).read();
    const [id, score] = [table.id as Tensor, table.score as Tensor].map((column) => Number(column.dataPtr())) as [
      number,
      number,
    ];
    // Three numbers of 8 bytes, the mask of nulls and what aligns them lie between.
    expect(Math.abs(score - id)).to.be.lessThan(200);
  });

  it('puts NaN where floats are missing, and asks what else is to stand for other missing values', async () => {
    const bytes = tableToIPC(tableFromArrays({ x: [0.5, null, 2], s: ['a', null, 'c'], b: [null, true, false] }));
    expect(plainTable(await new data.ArrowReader(file(bytes), { columns: ['x'] }).read())).to.deep.equal({
      x: [0.5, NaN, 2],
    });
    const options = { missing: { s: '-', b: false } };
    expect(plainTable(await new data.ArrowReader(file(bytes), options).read())).to.deep.equal({ x: [0.5, NaN, 2], s: ['a', '-', 'c'], b: [false, true, false] }); // prettier-ignore
    expect(await said(bytes)).to.match(
      /FILE_INVALID.*record batch 0, row 0: column 'b': there is no value, expected true or false/,
    );
    const skipping = new data.ArrowReader(file(bytes), { badRows: 'skip' });
    expect([plainTable(await skipping.read()), skipping.skipped]).to.deep.equal([{ x: [2], s: ['c'], b: [false] }, 2]);
  });

  it('reads texts that are in dictionaries, from files and streams', async () => {
    const words = tableFromArrays({ word: ['b', 'a', 'b'], i: [0, 1, 2] });
    for (const format of ['file', 'stream'] as const) {
      const given = await everyPosition(
        new data.ArrowReader(file(tableToIPC(words, format)), { batchRows: 2 }),
        plainTable,
      );
      expect(given.flatMap(({ word }) => word)).to.deep.equal(['b', 'a', 'b']);
    }
  });

  it('refuses what is truncated, of another format or nested', async () => {
    const [ipc, stream] = [tableToIPC(people(), 'file'), tableToIPC(people(), 'stream')];
    const names = tableToIPC(tableFromArrays({ aa: Int32Array.of(1), ab: Int32Array.of(2) }), 'stream');
    const twice = Buffer.from(Buffer.from(names).toString('latin1').replaceAll('ab', 'aa'), 'latin1');
    expect(await said(twice)).to.match(/FILE_INVALID.*has two columns 'aa'/);
    expect(await said(ipc.subarray(0, -3))).to.match(/FILE_INVALID.*does not end with 'ARROW1': it is truncated/);
    expect(await said(stream.subarray(0, -8))).to.match(/FILE_INVALID.*ends without the mark of its end/);
    expect(await said(stream.subarray(0, -100))).to.match(/FILE_INVALID.*truncated/);
    expect(await said(Buffer.from('id,score\n1,2\n3,4\n'))).to.match(/FILE_INVALID.*no Arrow file, or truncated/);
    expect(await said(Buffer.from('FEA1 and more'))).to.match(/Feather version 1/);
    expect(await said(Buffer.alloc(0))).to.match(/FILE_INVALID/);
    const nested = tableToIPC(tableFromArrays({ list: [[1], [2, 3]], fine: [1, 2] }));
    expect(await said(nested)).to.match(
      /INVALID_ARGUMENT.*column 'list' is of the type List<.*leave it out of `columns`/,
    );
    expect(plainTable(await new data.ArrowReader(file(nested), { columns: ['fine'] }).read())).to.deep.equal({
      fine: [1, 2],
    });
    expect(await rejectionOf(new data.ArrowReader('none.arrow').columns())).to.include({ code: 'FILE_NOT_FOUND' });
    expect(refusalOf(() => new data.ArrowReader('x').open([1])).message).to.match(/a position is { file, batch, row }/);
    expect(refusalOf(() => new data.ArrowReader('x', { badRow: 'skip' } as never)).message).to.match(
      /Did you mean 'badRows'/,
    );
  });

  it('gives a table or FILE_INVALID for whatever bytes', async function () {
    this.timeout(20_000);
    let refused = 0;
    for (const format of ['file', 'stream'] as const) {
      const words = tableToIPC(tableFromArrays({ word: ['b', 'a', 'b'] }), format);
      for (const bytes of [...mutations(tableToIPC(people(), format), 150), ...mutations(words, 100)]) {
        try {
          const reader = new data.ArrowReader(file(bytes), { badRows: 'skip' });
          let batches = 0;
          for await (const _ of reader) if (++batches > 5) break;
        } catch (error) {
          expect(['FILE_INVALID', 'INVALID_ARGUMENT'], String((error as Error).stack)).to.include((error as data.TableRow).code); // prettier-ignore
          ++refused;
        }
      }
    }
    expect(refused).to.be.greaterThan(80);
  });

  it('gives pyarrow’s values of every type, compressed too', async function () {
    this.timeout(60_000);
    interface Column {
      dtype: string;
      values: string[];
      unit?: string;
    }
    const files = JSON.parse(reference(this, 'arrow.py', folder)) as Record<string, Record<string, Column>>;
    for (const [name, columns] of Object.entries(files)) {
      const reader = new data.ArrowReader(path.join(folder, name), {
        batchRows: 70,
        missing: { text: '<null>', few: '<null>' },
      });
      const table = await reader.read();
      expect(Object.keys(table), name).to.deep.equal(Object.keys(columns));
      for (const [column, { dtype, values }] of Object.entries(columns)) {
        const found = table[column]!;
        expect(Tensor.isTensor(found) ? found.dtype : 'string', `${name} ${column}`).to.equal(dtype);
        expect(
          (Tensor.isTensor(found) ? found.tolist<number[]>() : found).map(String),
          `${name} ${column}`,
        ).to.deep.equal(values);
      }
      const wanted = Object.entries(columns).flatMap(([column, { unit }]) =>
        unit === undefined ? [] : [[column, unit]],
      );
      expect(await reader.units(), name).to.deep.equal(Object.fromEntries(wanted));
    }
  });

  it('refuses LZ4 that is damaged, whatever it says', () => {
    const whole = Buffer.from('04224d1860405e0b00000018610100' + '506161616161' + '00000000', 'hex');
    let refused = 0;
    for (const bytes of mutations(whole, 200)) {
      try {
        expect(decompressLz4(bytes).length).to.be.lessThan(1e6);
      } catch (error) {
        expect((error as Error).message).to.match(/LZ4 data are damaged/);
        ++refused;
      }
    }
    expect(refused).to.be.greaterThan(50);
  });
});
