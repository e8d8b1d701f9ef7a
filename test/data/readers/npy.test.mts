import { AiforgeError, data } from 'aiforge';
import { expect } from 'chai';
import { deflateRawSync, crc32 } from 'node:zlib';

import { temporaryFiles } from './tables.mjs';

const file = temporaryFiles('npy');

/** A .npy file with a header of one's own. */
function npy(header: string, elements: Uint8Array = new Uint8Array(0), version = 1): Buffer {
  const text = Buffer.from(`${header}\n`, version === 3 ? 'utf8' : 'latin1');
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  length.writeUIntLE(text.length, 0, length.length);
  return Buffer.concat([Buffer.from('\x93NUMPY', 'latin1'), Buffer.of(version, 0), length, text, elements]);
}

const headerOf = (descr: string, shape: string, order = 'False'): string =>
  `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`;

function refused(attempt: () => unknown, message: RegExp, code = 'FILE_INVALID'): void {
  expect(attempt).to.throw(AiforgeError, message).with.property('code', code);
}

/** A zip file of one entry, with what its directory says of it. */
function zip(name: string, packed: Buffer, said: { method: number; size: number; crc: number }): Buffer {
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(name.length, 26);
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50, 0);
  entry.writeUInt16LE(said.method, 10);
  entry.writeUInt32LE(said.crc, 16);
  entry.writeUInt32LE(packed.length, 20);
  entry.writeUInt32LE(said.size, 24);
  entry.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(46 + name.length, 12);
  end.writeUInt32LE(30 + name.length + packed.length, 16);
  return Buffer.concat([local, Buffer.from(name), packed, entry, Buffer.from(name), end]);
}

describe('.npy files', () => {
  it('are read whole and by rows, in either order', () => {
    const elements = Uint8Array.of(1, 2, 3, 4, 5, 6);
    const rows = file(npy(headerOf("'|u1'", '(3, 2)'), elements));
    const columns = file(npy(headerOf("'|u1'", '(3, 2)', 'True'), elements));
    expect(data.readNpy(rows).tolist()).to.deep.equal([[1, 2], [3, 4], [5, 6]]); // prettier-ignore
    expect(data.readNpy(columns).tolist()).to.deep.equal([[1, 4], [2, 5], [3, 6]]); // prettier-ignore
    const reader = new data.NpyReader(columns);
    expect([reader.length, reader.dtype, reader.shape]).to.deep.equal([3, 'uint8', [3, 2]]);
    expect(reader.get(1).tolist()).to.deep.equal([2, 5]);
    refused(() => reader.get(3), /index 3 is outside the samples/, 'INVALID_ARGUMENT');
    reader.close();
    reader.close();
    refused(() => reader.get(0), /was closed/, 'INVALID_ARGUMENT');
    expect(
      data.readNpy(file(npy(headerOf("'?'".replace('?', '|b1'), '(3,)'), Uint8Array.of(0, 1, 2)))).tolist(),
    ).to.deep.equal([false, true, true]);
    expect(data.readNpy(file(npy(headerOf("'>i2'", '()'), Uint8Array.of(1, 2), 3))).item()).to.equal(258);
  });

  it('that are none, or not whole, or hold code are refused', () => {
    for (const [content, message] of [
      ['', /no \.npy file/],
      ['\x93NUMPY\x01\0', /no \.npy file/],
      [npy(headerOf("'<f4'", '(1,)'), new Uint8Array(4), 4), /no \.npy file of version 1, 2 or 3/],
      [npy(headerOf("'|O'", '(1,)'), new Uint8Array(8)), /Python's objects, which only running code can read/],
      [npy(headerOf("[('a', '<f4')]", '(1,)'), new Uint8Array(4)), /records of several fields/],
      [npy(headerOf("'<U3'", '(1,)'), new Uint8Array(12)), /NumPy's dtype '<U3'/],
      [npy(headerOf("'<f4'", '(2,)'), new Uint8Array(7)), /has \d+ bytes, and by its header/],
      [npy(headerOf("'<f4'", '(2,)'), new Uint8Array(9)), /has \d+ bytes, and by its header/],
      [npy(headerOf("'<f8'", '(99999999999,)')), /and by its header/],
      [npy(headerOf("'<f8'", '(9007199254740993, 0)')), /a shape that no tensor has/],
      [npy(headerOf("'<f8'", `(${'1, '.repeat(65)})`)), /a shape that no tensor has/],
      [npy("{'descr': '<f4', 'shape': (1,), }"), /none that NumPy writes/],
      [npy(headerOf("__import__('os')", '(1,)')), /none that NumPy writes/],
      [npy(headerOf("'<f4'", '(1,)'), new Uint8Array(4)).subarray(0, 40), /header should have/],
    ] as const) {
      refused(() => data.readNpy(file(content)), message);
      refused(() => new data.NpyReader(file(content)), message);
    }
    refused(() => new data.NpyReader(file(npy(headerOf("'|u1'", '()'), new Uint8Array(1)))), /a single number/);
    refused(() => data.readNpy('/nowhere/x.npy'), /There is no file/, 'FILE_NOT_FOUND');
  });
});

describe('.npz files', () => {
  const array = npy(headerOf("'|u1'", '(3,)'), Uint8Array.of(1, 2, 3));
  const packed = deflateRawSync(array);
  const said = { method: 8, size: array.length, crc: crc32(array) };

  it('are read, stored and deflated', () => {
    expect(data.readNpz(file(zip('x.npy', packed, said))).x!.tolist()).to.deep.equal([1, 2, 3]);
    expect(data.readNpz(file(zip('../x.npy', array, { ...said, method: 0 })))['../x']!.tolist()).to.deep.equal([
      1, 2, 3,
    ]);
  });

  it('that say more than they have, or would fill memory, are refused', () => {
    const zeros = deflateRawSync(Buffer.alloc(1 << 20));
    for (const [content, message] of [
      [zip('x.npy', packed, { ...said, size: said.size - 1 }), /cannot be decompressed to/],
      [zip('x.npy', packed, { ...said, size: said.size + 1 }), /has not the \d+ bytes/],
      [zip('x.npy', packed, { ...said, size: 0xfffffff0 }), /an entry should have 4294967280 bytes/],
      [zip('x.npy', packed, { ...said, crc: 1 }), /checksum/],
      [zip('x.npy', packed, { ...said, method: 12 }), /compressed in a way that is not known/],
      [zip('x.npy', zeros, { ...said, size: 100 }), /cannot be decompressed to 100 bytes/],
      [zip('x.txt', packed, said), /'x\.txt': it is no array/],
      [zip('x.npy', Buffer.from('x'), { ...said, method: 0, size: 1, crc: crc32('x') }), /no \.npy file/],
      ['PK', /directory is missing/],
    ] as const) {
      refused(() => data.readNpz(file(content)), message);
    }
    refused(() => data.readNpz(file(zip('x.npy', packed, said)), { maxBytes: 10 }), /more than the 10 of maxBytes/);
  });
});
