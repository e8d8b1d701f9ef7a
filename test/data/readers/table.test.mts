import { AiforgeError, type Tensor } from 'aiforge';
import { expect } from 'chai';
import { z } from 'zod';

import { columnBuilder } from '#lib/data/readers/columnBuilder.js';
import type { ColumnType } from '#lib/data/readers/columnTypes.js';
import { columnsOfSchema } from '#lib/data/readers/schemaColumns.js';
import { TableBuilder } from '#lib/data/readers/tableBuilder.js';
import { layoutOf } from '#lib/data/readers/tableLayout.js';
import { TypeInference } from '#lib/data/readers/typeInference.js';

const texts = (type: ColumnType, ...given: string[]): unknown => {
  const column = columnBuilder(type);
  for (const text of given) expect(column.addText(text), text).to.equal(undefined);
  const taken = column.take();
  return Array.isArray(taken) ? taken : [taken.dtype, taken.tolist()];
};

describe('a column that grows', () => {
  it('holds whole numbers exactly, to the ends of each type', () => {
    expect(
      texts('int64', '9223372036854775807', '-9223372036854775808', '9007199254740993', '-1', '+7', '007'),
    ).to.deep.equal(['int64', [9223372036854775807n, -9223372036854775808n, 9007199254740993n, -1, 7, 7]]);
    expect(texts('int8', '127', '-128')).to.deep.equal(['int8', [127, -128]]);
    for (const [type, text] of [
      ['int64', '9223372036854775808'],
      ['int64', '9'.repeat(1_000_000)],
      ['int8', '128'],
      ['uint8', '-1'],
      ['int32', '1.5'],
      ['int32', '0x10'],
    ] as const) {
      expect(columnBuilder(type).addText(text), text).to.match(/a whole number in .* … /);
    }
    expect(columnBuilder('int64').add(2 ** 53)).to.match(/a whole number/);
  });

  it('reads numbers as decimal notation has them, and nothing else', () => {
    expect(texts('float64', '1e3', ' 2.5 ', '-inf', 'Infinity', 'nan', '.5', '-0')).to.deep.equal([
      'float64',
      [1000, 2.5, -Infinity, Infinity, NaN, 0.5, -0],
    ]);
    for (const text of ['', ' ', '0x1f', '0b1', '1_000', '1,5', 'one', '1e', '0x0', ' 0b0']) {
      expect(columnBuilder('float64').addText(text), text).to.equal('a number (float64)');
    }
    expect(texts('bool', 'TRUE', 'false', '1')).to.deep.equal(['bool', [true, false, true]]);
    expect(columnBuilder('bool').addText('yes')).to.equal('true or false');
  });

  it('tells the value added last, and is empty once taken', () => {
    const column = columnBuilder('int64');
    for (const value of [5n, -(2n ** 60n), -3, 2n ** 53n, -(2n ** 53n)]) {
      column.add(value);
      expect(BigInt(column.last())).to.equal(BigInt(value));
    }
    expect((column.take() as Tensor).shape).to.deep.equal([5]);
    column.add(1);
    expect((column.take() as Tensor).tolist()).to.deep.equal([1]);
  });
});

describe('inference of a type', () => {
  const typeOf = (...given: (string | null)[]): ColumnType => {
    const inference = new TypeInference();
    for (const text of given) if (text === null) inference.seeMissing();
    else inference.seeText(text); // prettier-ignore
    return inference.type;
  };

  it('finds what all values fit', () => {
    expect(typeOf('1', '2')).to.equal('int64');
    expect(typeOf('1', null)).to.equal('float64');
    expect(typeOf('9007199254740993', null)).to.equal('int64');
    expect(typeOf('99999999999999999999')).to.equal('float64');
    expect(typeOf('1', '2.5')).to.equal('float64');
    expect(typeOf('True', 'false')).to.equal('bool');
    expect(typeOf('True', '1')).to.equal('string');
    expect(typeOf('1', 'x')).to.equal('string');
    expect(typeOf(null)).to.equal('float64');
  });

  it('of values of JavaScript says which do not go together', () => {
    const inference = new TypeInference();
    expect([inference.see(1), inference.see(2n), inference.see(0.5)]).to.deep.equal([undefined, undefined, undefined]);
    expect(inference.type).to.equal('float64');
    expect(inference.see('x')).to.equal('numbers');
  });
});

describe('the columns of a table', () => {
  const found = new Map<string, ColumnType>([
    ['delay', 'int64'],
    ['city', 'string'],
  ]);

  it('are those asked for', () => {
    const layout = layoutOf({ columns: { city: 'string', delay: 'float32' } }, found, 'flights');
    expect(layout.map(({ name, type }) => [name, type])).to.deep.equal([
      ['city', 'string'],
      ['delay', 'float32'],
    ]);
    const refused = (options: object, message: RegExp): void => {
      expect(() => layoutOf(options, found, 'flights')).to.throw(AiforgeError, message);
    };
    refused({ columns: ['dealy'] }, /flights: there is no column 'dealy'\. Did you mean 'delay'\?/);
    refused({ missing: { cty: '' } }, /missing names 'cty', which is no column read\. Did you mean 'city'/);
    refused({ missing: { delay: 0.5 } }, /missing gives 0\.5 for column 'delay', expected a whole number/);
  });

  it('take rows, or nothing of a row that is bad', () => {
    const builder = new TableBuilder(layoutOf({ missing: { delay: -1 } }, found, 'flights'));
    const isMissing = (text: string): boolean => text === '';
    expect(builder.addTexts(['3', 'Oslo'], isMissing)).to.equal(undefined);
    expect(builder.addTexts(['', ''], isMissing)).to.equal(undefined);
    expect(builder.addTexts(['x', ''], isMissing)).to.deep.include({ column: 'delay', value: 'x' });
    expect(builder.add([7, null])).to.deep.include({ column: 'city', value: null });
    expect(builder.rows).to.equal(2);
    const { delay, city } = builder.take();
    expect([(delay as Tensor).tolist(), city]).to.deep.equal([[3, -1], ['Oslo', '']]); // prettier-ignore
  });

  it('are those of a schema, with its rules', () => {
    const schema = z.object({
      a: z.int(),
      b: z.number().min(0),
      c: z.enum(['x', 'y']).default('x'),
      d: z.float32().nullable(),
      e: z.bigint(),
      f: z.boolean(),
    });
    const layout = columnsOfSchema(schema);
    expect(layout.map(({ type }) => type)).to.deep.equal(['int64', 'float64', 'string', 'float32', 'int64', 'bool']);
    const builder = new TableBuilder(layout);
    expect(builder.add([1, 0, null, null, 2n ** 60n, true])).to.equal(undefined);
    expect(builder.add([1, -1, 'x', 0, 1, true])).to.deep.include({ column: 'b', value: -1 });
    expect(builder.add([1, NaN, 'x', 0, 1, true])).to.deep.include({ column: 'b' });
    expect(builder.add([1, 1, 'z', 0, 1, true])).to.deep.include({ column: 'c', value: 'z' });
    expect(builder.add([1, 1, 'y', 0, 1, null])?.expected).to.match(/true or false/);
    expect(builder.addTexts(['1', '-2', 'y', '0', '1', 'true'], () => false)).to.deep.include({ column: 'b' });
    expect(builder.rows).to.equal(1);
    for (const [wrong, message] of [
      [z.object({ a: z.date() }), /column 'a': a column is read as z\.number.*, got z\.date/],
      [z.object({ a: z.string().transform(Number) }), /got z\.pipe/],
      [z.strictObject({ a: z.string() }), /neither strict nor loose/],
      [z.object({ a: z.string() }).refine(() => true), /whole rows/],
    ] as const) {
      expect(() => columnsOfSchema(wrong)).to.throw(AiforgeError, message);
    }
  });
});
