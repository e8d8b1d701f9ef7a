import {
  Bool,
  Field,
  FixedSizeList,
  Float16,
  Float32,
  Float64,
  Int16,
  Int64,
  Int8,
  Table,
  Uint32,
  Uint64,
  Uint8,
  makeVector,
  tableFromArrays,
  tableFromIPC,
  tableToIPC,
  vectorFromArray,
  type DataType,
} from 'apache-arrow';
import { expect } from 'chai';
import { fromArrow, memory, type DType } from '#lib/tensor/index.js';
import { collectGarbage } from '../support/garbage.mjs';

describe('fromArrow()', () => {
  const kinds: [DataType, DType, unknown[]][] = [
    [new Int8(), 'int8', [-1, 2, 127]],
    [new Uint8(), 'uint8', [1, 2, 255]],
    [new Int16(), 'int16', [-300, 2, 3]],
    [new Uint32(), 'uint32', [2 ** 32 - 1, 2, 3]],
    [new Int64(), 'int64', [2n ** 60n, -2n, 3n]],
    [new Uint64(), 'uint64', [2n ** 64n - 1n, 2n, 3n]],
    [new Float16(), 'float16', [0.5, -2, 3]],
    [new Float32(), 'float32', [0.5, -2, 3]],
    [new Float64(), 'float64', [0.1, -2, 3]],
    [new Bool(), 'bool', [true, false, true]],
  ];
  for (const [type, dtype, values] of kinds) {
    it(`copies a column of ${dtype}, whole, sliced and in chunks`, () => {
      const plain = values.map((value) => (typeof value === 'bigint' && value < 2n ** 53n ? Number(value) : value));
      const vector = vectorFromArray(values, type);
      const made = fromArrow(vector);
      expect(made.dtype).to.equal(dtype);
      expect(made.tolist()).to.deep.equal(plain);
      expect(fromArrow(vector.slice(1, 3)).tolist()).to.deep.equal(plain.slice(1));
      expect(fromArrow(vector.concat(vector.slice(2))).tolist()).to.deep.equal([...plain, plain[2]]);
    });
  }

  it('reads a column of a table that came over the wire', () => {
    const table = tableFromArrays({ x: Float32Array.of(1, 2, 3), y: Int32Array.of(4, 5, 6) });
    const read = tableFromIPC(tableToIPC(table));
    expect(fromArrow(read.getChild('y')!).tolist()).to.deep.equal([4, 5, 6]);
    expect(fromArrow(new Table({ x: makeVector(new Float64Array(4)) }).getChild('x')!).shape).to.deep.equal([4]);
  });

  it('gives lists of a fixed size a dimension', () => {
    const pairs = new FixedSizeList(2, new Field('item', new Float32()));
    const vector = vectorFromArray([[1, 2], [3, 4], [5, 6]], pairs); // prettier-ignore
    expect(fromArrow(vector).tolist()).to.deep.equal([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    expect(fromArrow(vector.slice(1, 3)).tolist()).to.deep.equal([
      [3, 4],
      [5, 6],
    ]);
    const gaps = vectorFromArray([[1, 2], null, [5, 6]], pairs);
    expect(fromArrow(gaps, { nullValue: -1 }).tolist()).to.deep.equal([
      [1, 2],
      [-1, -1],
      [5, 6],
    ]);
  });

  it('refuses nulls, with their count, unless it is told what to put there', () => {
    const gaps = vectorFromArray([1, null, 3, null], new Float32());
    expect(() => fromArrow(gaps)).to.throw(/has 2 nulls.*nullValue/);
    expect(() => fromArrow(gaps.slice(0, 2))).to.throw(/has 1 null,/);
    expect(fromArrow(gaps, { nullValue: NaN }).tolist()).to.deep.equal([1, NaN, 3, NaN]);
    expect(fromArrow(gaps.slice(1, 3), { nullValue: 7 }).tolist()).to.deep.equal([7, 3]);
    expect(fromArrow(gaps.slice(2, 3)).tolist()).to.deep.equal([3]);
    expect(fromArrow(vectorFromArray([true, null], new Bool()), { nullValue: true }).tolist()).to.deep.equal([
      true,
      true,
    ]);
    expect(fromArrow(vectorFromArray([1n, null], new Int64()), { nullValue: 2n ** 60n }).tolist()).to.deep.equal([
      1,
      2n ** 60n,
    ]);
    expect(() => fromArrow(vectorFromArray([1, null], new Int8()), { nullValue: 300 })).to.throw(/overflow/);
  });

  it('copies: later writes to the column do not reach the tensor', () => {
    const values = Float32Array.of(1, 2);
    const made = fromArrow(makeVector(values));
    values[0] = 9;
    expect(made.tolist()).to.deep.equal([1, 2]);
  });

  it('refuses columns without numbers, and what is no column', () => {
    expect(() => fromArrow(vectorFromArray(['a', 'b']))).to.throw(/Dictionary.*holds no numbers/);
    for (const bad of [null, 1, [1], { data: [1] }, { data: [] }, { data: [{ type: { typeId: 2 }, length: -1 }] }]) {
      expect(() => fromArrow(bad as never)).to.throw(/fromArrow: (expected a Vector|the column has no chunks)/);
    }
    const lying = { type: { typeId: 3, precision: 1 }, length: 10, offset: 0, values: new Float32Array(2) };
    expect(() => fromArrow({ length: 10, data: [lying] })).to.throw(/fewer values than it says/);
    const bits = { type: { typeId: 6 }, length: 10, offset: 0, values: new Uint8Array(1) };
    expect(() => fromArrow({ length: 10, data: [bits] })).to.throw(/fewer bits than it says/);
  });

  it('leaves nothing behind when it refuses', () => {
    const gaps = vectorFromArray([1, null], new Float32());
    collectGarbage();
    const before = memory.stats().tensors;
    expect(() => fromArrow(gaps)).to.throw(/null/);
    expect(memory.stats().tensors).to.be.at.most(before);
  });
});
