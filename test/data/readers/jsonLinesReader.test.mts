import { AiforgeError, data } from 'aiforge';
import { expect } from 'chai';
import { z } from 'zod';
import { gzipSync } from 'node:zlib';

import { sourcesOf } from '#lib/data/readers/jsonSource.js';
import { plain, refusedWith, tablesLeft, temporaryFiles } from './tables.mjs';

const file = temporaryFiles('jsonl');
const read = async (
  content: string | Buffer,
  options?: data.JsonLinesOptions,
  name?: string,
): Promise<Record<string, unknown>> => plain(await new data.JsonLinesReader(file(content, name), options).read());

describe('JsonLinesReader', () => {
  it('reads columns of the types that their values fit, whole numbers beyond 2^53 exactly', async () => {
    const rows = [
      '{"id": 9223372036854775807, "x": 1, "ok": true, "name": "é\\n"}',
      '',
      '{"x": 0.5, "id": -9007199254740993, "name": "\\"id\\": 1", "gap": 3, "ok": false}\r',
    ];
    const expected = {
      id: ['int64', [9223372036854775807n, -9007199254740993n]],
      x: ['float64', [1, 0.5]],
      ok: ['bool', [true, false]],
      name: ['é\n', '"id": 1'],
      gap: ['float64', [NaN, 3]],
    };
    expect(await read(rows.join('\n'))).to.deep.equal(expected);
    expect(await read(gzipSync(`\ufeff${rows.join('\n')}\n`), {}, 'x.jsonl.gz')).to.deep.equal(expected);
    expect(await read('{"a": 1e300, "b": 99999999999999999999}')).to.deep.equal({
      a: ['float64', [1e300]],
      b: ['float64', [1e20]],
    });
    expect(await read('{"__proto__": 1, "toString": "x"}\n{"__proto__": 2, "toString": "y"}')).to.deep.equal(
      Object.fromEntries([['__proto__', ['int64', [1, 2]]], ['toString', ['x', 'y']]]), // prettier-ignore
    );
  });

  it('reads chosen columns, those of a zod object, and values for what is missing', async () => {
    const content = '{"a": 1, "b": [2], "c": "x"}\n{"a": null, "b": {}, "c": "y"}\n';
    expect(await read(content, { columns: ['c', 'a'] })).to.deep.equal({ c: ['x', 'y'], a: ['float64', [1, NaN]] });
    expect(await read(content, { columns: { a: 'int8' }, missing: { a: -1 } })).to.deep.equal({ a: ['int8', [1, -1]] });
    const schema = z.object({ c: z.enum(['x', 'y']), a: z.float32().optional() });
    expect(await read(content, { schema })).to.deep.equal({ c: ['x', 'y'], a: ['float32', [1, NaN]] });
  });

  it('says where what is wrong stands, or counts it and goes on', async () => {
    const options = { columns: { a: 'int64' } } as const;
    for (const [line, message] of [
      ['{"a": 1', /line 2: it is no JSON/],
      ['[1]', /line 2: found \[1\], expected an object/],
      ['{"a": "1"}', /line 2: column 'a': found '1', expected a whole number/],
      ['{"a": 0.5}', /line 2: column 'a': found 0\.5/],
      ['{"a": 9223372036854775808}', /line 2: column 'a': found 9223372036854776000/],
      ['{"b": 1}', /line 2: column 'a': there is no value, .*give what stands for it as `missing`/],
    ] as const) {
      await refusedWith(read(`{"a": 1}\n${line}\n`, options), 'FILE_INVALID', message);
      const reader = new data.JsonLinesReader(file(`{"a": 1}\n${line}\n{"a": 2}`), { ...options, badRows: 'skip' });
      expect([plain(await reader.read()), reader.skipped]).to.deep.equal([{ a: ['int64', [1, 2]] }, 1]);
    }
    await refusedWith(
      read(Buffer.from('{"a": "\xff"}', 'latin1'), { columns: { a: 'string' } }),
      'FILE_INVALID',
      /UTF-8/,
    );
    await refusedWith(read('{"a": 1}\n{"a": "x"}'), 'FILE_INVALID', /line 2: column 'a': found 'x', expected numbers/);
    await refusedWith(read('{"a": [1]}'), 'FILE_INVALID', /column 'a': found \[1\].*`columns`/);
    await refusedWith(read('{"a": 1}\n{"a": 2, "b": 1}', { inferRows: 1 }), 'FILE_INVALID', /line 2: found 'b'/);
    const wide = JSON.stringify(Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`c${i}`, 2 ** 60])));
    await refusedWith(read(wide), 'FILE_INVALID', /more than 10000 names\. Name the columns/);
    expect(await read(wide, { columns: ['c7'] })).to.deep.equal({ c7: ['int64', [1152921504606847000n]] });
    await refusedWith(read('\n\n'), 'FILE_INVALID', /no line of it holds an object/);
    await refusedWith(
      read('x'.repeat((1 << 24) + (1 << 18))),
      'FILE_INVALID',
      /line 1: the line has more than 16777216 bytes/,
    );
  });

  it('gives what was left at every position, of several files and gzip, with rows that are left out', async () => {
    const content = (from: number): string =>
      Array.from({ length: 17 }, (_, i) => (i % 5 === 4 ? '[]' : `{"a": ${from + i}, "b": "é"}\r\n`)).join('\n');
    const names = [file(content(0)), file(gzipSync(content(100)), 'x.jsonl.gz'), file('{"b": "z", "a": 7}')];
    await tablesLeft(new data.JsonLinesReader(names, { batchRows: 4, badRows: 'skip' }));
  });

  it('refuses columns that no row has, but for those that may be missing', async () => {
    const content = '{"delay": 1}\n{"delay": 2}\n';
    for (const columns of [['dealy'], { dealy: 'float64' }] as const) {
      await refusedWith(read(content, { columns }), 'INVALID_ARGUMENT', /no column 'dealy'\. Did you mean 'delay'/);
    }
    await refusedWith(read(content, { missing: { dealy: 0 } }), 'INVALID_ARGUMENT', /missing names 'dealy'/);
    const filled = await read(content, { columns: ['delay', 'gate'], missing: { gate: 0.5 } });
    expect(filled.gate).to.deep.equal(['float64', [0.5, 0.5]]);
    const schema = z.object({ dealy: z.number() });
    await refusedWith(read(content, { schema }), 'INVALID_ARGUMENT', /no column 'dealy'/);
    const optional = z.object({ delay: z.int(), gate: z.string().default('') });
    expect(await read(content, { schema: optional })).to.deep.equal({ delay: ['int64', [1, 2]], gate: ['', ''] });
    expect(await read('', { columns: { delay: 'int8' } })).to.deep.equal({ delay: ['int8', []] });
  });

  it('refuses options that make no sense', () => {
    expect(() => new data.JsonLinesReader('x', { lines: true } as never)).to.throw(AiforgeError, /no option 'lines'/);
  });
});

describe('the texts of the values in JSON', () => {
  it('are found however the object is written', () => {
    expect(sourcesOf('{"a":1,"b":{"c":[2,"}"]},"c" : 3 }').get('c')).to.equal('3');
    expect(sourcesOf('{ "a\\"": "c\\\\", "\\u0063": 4, "c": 5}').get('c')).to.equal('5');
    expect([...sourcesOf(' {"x":":,","c":-12}')]).to.deep.equal([['x', '":,"'], ['c', '-12']]); // prettier-ignore
    expect(sourcesOf('{}').size).to.equal(0);
  });
});
