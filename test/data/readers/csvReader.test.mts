import { AiforgeError, data, tensor, type Tensor } from 'aiforge';
import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { z } from 'zod';

import type { Position } from '#lib/data/stream.js';
import { plain, refusedWith, tablesLeft, temporaryFiles } from './tables.mjs';

const file = temporaryFiles('csv', 'table.csv');

const read = async (
  content: string | Buffer,
  options?: data.CsvOptions,
  name?: string,
): Promise<Record<string, unknown>> => plain(await new data.CsvReader(file(content, name), options).read());

describe('CsvReader', () => {
  it('reads very many columns in time that grows with their number, and has a limit to all of them', async () => {
    const wide = (columns: number): string => {
      const names = Array.from({ length: columns }, (_, i) => `c${i}`);
      return file(`${names.join(',')}\n${names.map((_, i) => i).join(',')}\n`);
    };
    const found = await new data.CsvReader(wide(50_000)).read();
    expect((found.c49999 as Tensor).tolist()).to.deep.equal([49_999]);
    const beyond = wide(100_001);
    const [refused, { c7 }] = [
      new data.CsvReader(beyond).read(),
      await new data.CsvReader(beyond, { columns: ['c7'] }).read(),
    ];
    expect((c7 as Tensor).tolist()).to.deep.equal([7]);
    await refusedWith(
      refused,
      'FILE_INVALID',
      /100001 columns, more than 100000\. Name the columns to read as `columns`/,
    );
  });

  it('refuses positions of other readers', () => {
    const reader = new data.CsvReader(['a', 'b']);
    const positions: Position[] = [{ file: 1, group: 3, row: 5 }, { file: 0, batch: 1, row: 0 }]; // prettier-ignore
    for (const position of positions) expect(() => reader.open(position)).to.throw(/is no position in 2 files/);
    expect(() => new (data.TableReader as never as new () => unknown)()).to.throw(/name must be given/);
  });

  it('reads columns of the types that their values fit', async () => {
    const reader = new data.CsvReader(
      file('id,x,ok,name,gap\n1,0.5,true,a,\n9007199254740993,-1e3,False,"b ""c"", d\ne",3\n'),
    );
    expect(await reader.columns()).to.deep.equal({
      id: 'int64',
      x: 'float64',
      ok: 'bool',
      name: 'string',
      gap: 'float64',
    });
    expect(plain(await reader.read())).to.deep.equal({
      id: ['int64', [1, 9007199254740993n]],
      x: ['float64', [0.5, -1000]],
      ok: ['bool', [true, false]],
      name: ['a', 'b "c", d\ne'],
      gap: ['float64', [NaN, 3]],
    });
  });

  it('reads TSV, other delimiters and quotes, byte order marks, every line end, gzip', async () => {
    const expected = { a: ['int64', [1, 3]], b: ['é', 'ü,"x"'] };
    expect(await read('a\tb\n1\té\n3\t"ü,""x"""\n', {}, 'x.tsv')).to.deep.equal(expected);
    expect(await read('a::b\r\n1::é\r\n\r\n3::\'ü,"x"\'', { delimiter: '::', quote: "'" })).to.deep.equal(expected);
    expect(await read('\ufeffa→b\r1→é\r3→ü,"x"\r', { delimiter: '→', quote: null })).to.deep.equal(expected);
    expect(await read(gzipSync('\ufeffa,b\n1,é\n3,"ü,""x"""\n'), {}, 'x.csv.gz')).to.deep.equal(expected);
  });

  it('takes names in place of a header, chosen columns, and types', async () => {
    expect(await read('1,2\n3,4', { names: ['a', 'b'] })).to.deep.equal({ a: ['int64', [1, 3]], b: ['int64', [2, 4]] });
    expect(await read('x,y\n1,2', { names: ['a', 'b'], header: true })).to.deep.equal({
      a: ['int64', [1]],
      b: ['int64', [2]],
    });
    expect(await read('a,b,c\n1,2,x\n', { columns: ['c', 'a'] })).to.deep.equal({ c: ['x'], a: ['int64', [1]] });
    expect(await read('a,b\n1,2\n', { columns: { b: 'float32', a: 'string' } })).to.deep.equal({
      b: ['float32', [2]],
      a: ['1'],
    });
    expect(await read('a,b\n', { columns: { b: 'uint8', a: 'string' } })).to.deep.equal({ b: ['uint8', []], a: [] });
  });

  it('reads what a zod object says', async () => {
    const schema = z.object({ b: z.number().max(5), a: z.int().default(-1), c: z.string().min(1) });
    const content = 'a,b,c,d\n1,2.5,x,?\n,3,y,?\n';
    expect(await read(content, { schema })).to.deep.equal({
      b: ['float64', [2.5, 3]],
      a: ['int64', [1, -1]],
      c: ['x', 'y'],
    });
    await refusedWith(
      read('a,b,c\n1,6,x\n', { schema }),
      'FILE_INVALID',
      /line 2: column 'b': found '6', expected .*5/,
    );
    await refusedWith(read('a,b,c\n1,5,\n', { schema }), 'FILE_INVALID', /line 2: column 'c': found ''/);
  });

  it('says where what is wrong stands, or counts it and goes on', async () => {
    const content = 'a,b\n1,2\n\n"3\r\n",4\nx,5\n6\n7,8,9\n"u"v,1\n2,"w\n';
    const options = { columns: { a: 'int8', b: 'string' } } as const;
    await refusedWith(
      read('a,b\n1,2\n\n"q\r\n",4\n', options),
      'FILE_INVALID',
      /line 4: column 'a': found 'q\\r\\n', expected a whole/,
    );
    await refusedWith(read('a,b\n1,"\r\n\n\r"\nx,5\n', options), 'FILE_INVALID', /line 6: column 'a': found 'x'/);
    await refusedWith(read('a,b\n6\n', options), 'FILE_INVALID', /line 2: found 1 fields, expected 2/);
    await refusedWith(
      read('a,b\n"u"v,1\n', options),
      'FILE_INVALID',
      /line 2: a field goes on after its closing quote/,
    );
    await refusedWith(read('a,b\n1,u"v\n', options), 'FILE_INVALID', /line 2: a field has a quote but does not/);
    await refusedWith(read('a,b\n1,1\n2,"w\n', options), 'FILE_INVALID', /line 3: a quote is not closed/);
    await refusedWith(
      read('a,b\n1,\n,2', options),
      'FILE_INVALID',
      /line 3: column 'a': .*'float64' or give what stands for it as `missing`/,
    );
    await refusedWith(read(Buffer.from('a,b\n1,\xff\n', 'latin1')), 'FILE_INVALID', /line 2: column 'b': .* UTF-8/);
    await refusedWith(read(Buffer.from('\xff\xfea\0', 'latin1')), 'FILE_INVALID', /UTF-16/);
    await refusedWith(read(''), 'FILE_INVALID', /is empty, expected a header/);
    await refusedWith(read('a,a\n'), 'FILE_INVALID', /line 1: the header names two columns 'a'/);
    const reader = new data.CsvReader(file(content), { ...options, badRows: 'skip' });
    expect(plain(await reader.read())).to.deep.equal({ a: ['int8', [1, 3]], b: ['2', '4'] });
    expect(reader.skipped).to.equal(5);
  });

  it('refuses a row without an end, and files that are none', async () => {
    await refusedWith(
      read(`a,b\n1,"${'x'.repeat(17 << 20)}`),
      'FILE_INVALID',
      /line 2: a row has more than 16777216 bytes/,
    );
    await refusedWith(new data.CsvReader(`${file('')}.none`).read(), 'FILE_NOT_FOUND', /There is no file/);
    await refusedWith(new data.CsvReader(path.dirname(file(''))).read(), 'FILE_NOT_FOUND', /is a folder/);
    const broken = file(gzipSync('a\n1\n').subarray(0, 20), 'x.gz');
    await refusedWith(new data.CsvReader(broken).read(), 'FILE_INVALID', /no whole gzip file/);
  });

  it('has parts that know what the columns of the whole are', async () => {
    const [whole, fractions, less] = [file('a,b\n1,x'), file('a,b\n0.5,y'), file('a\n1')];
    const parts = new data.CsvReader([whole, fractions, less]).parts();
    await refusedWith(parts[1]!.read(), 'FILE_INVALID', /line 2: column 'a': found '0\.5', expected a whole number/);
    await refusedWith(parts[2]!.read(), 'FILE_INVALID', /it has no column 'b', which .*table\.csv has/);
    const [first, second] = new data.CsvReader([less, fractions], { columns: ['a'], badRows: 'skip' }).parts();
    expect(plain(await second!.read())).to.deep.equal({ a: ['int64', []] });
    expect([first!.skipped, second!.skipped]).to.deep.equal([1, 1]);
  });

  it('says what to install without csv-parse', () => {
    const hook =
      "export const resolve = (name, context, next) => { if (name === 'csv-parse') throw new Error('not here'); return next(name, context); };";
    const script = `import { register } from 'node:module';
      register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hook)}));
      const { data } = await import('aiforge');
      await new data.CsvReader(${JSON.stringify(file('a\n1'))}).read().catch(({ code, message }) => console.log(code, message));`;
    const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(printed).to.match(/^MISSING_DEPENDENCY CsvReader needs the package csv-parse, .*npm install csv-parse/);
  });

  it('refuses options that make no sense', () => {
    const refused = (options: object, message: RegExp): void => {
      expect(() => new data.CsvReader('x', options)).to.throw(AiforgeError, message);
    };
    refused({ sep: ';' }, /`delimiter`/);
    refused({ header: false }, /without a header the columns need `names`/);
    refused({ columns: ['a', 'a'] }, /each once/);
    refused({ columns: { a: 'int' } }, /'int64'/);
    refused({ columns: ['a'], schema: z.object({}) }, /either columns or schema/);
    refused({ delimiter: "'", quote: "'" }, /both/);
    expect(() => new data.CsvReader([])).to.throw(AiforgeError, /one or more/);
  });

  it('gives what was left at every position, of several files and gzip, with rows that are left out', async () => {
    const content = (from: number): string =>
      `a,b\n${Array.from({ length: 23 }, (_, i) => (i % 5 === 4 ? 'bad,row,x' : `${from + i},"t\r\n${i}"`)).join('\n\n')}\n`;
    const names = [file(content(0)), file(gzipSync(content(100)), 'x.csv.gz'), file('b,a\nz,7')];
    const reader = new data.CsvReader(names, { batchRows: 4, badRows: 'skip' });
    await tablesLeft(reader);
    expect(reader.parts()).to.have.length(3);
    const whole = await new data.CsvReader(names, { badRows: 'skip' }).read();
    expect((whole.a as Tensor).numel()).to.equal(2 * 19 + 1);
    expect((whole.a as Tensor).equal(tensor([...Array(23).keys()].filter((i) => i % 5 !== 4).flatMap((i) => [i]).concat([...Array(23).keys()].filter((i) => i % 5 !== 4).map((i) => 100 + i), 7)))).to.equal(true); // prettier-ignore
  });
});
