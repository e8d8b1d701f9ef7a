import { crc32, inflateSync } from 'node:zlib';

import { expect } from 'chai';

import { encodePng } from '#lib/tracking/png.js';

/** The chunks of a PNG file, whose checksums are right. */
function chunksOf(png: Buffer): Map<string, Buffer> {
  expect(png.subarray(0, 8).toString('latin1')).to.equal('\x89PNG\r\n\x1a\n');
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at);
    const body = png.subarray(at + 4, at + 8 + length);
    expect(png.readUInt32BE(at + 8 + length)).to.equal(crc32(body));
    chunks.set(body.subarray(0, 4).toString('latin1'), body.subarray(4));
    at += 12 + length;
  }
  return chunks;
}

describe('encodePng', () => {
  for (const [channels, colorType] of [
    [1, 0],
    [3, 2],
    [4, 6],
  ] as const) {
    it(`writes ${channels} channels, row by row`, () => {
      const [width, height] = [3, 2];
      const pixels = Uint8Array.from({ length: width * height * channels }, (_, i) => 7 * i);
      const chunks = chunksOf(encodePng({ width, height, channels, pixels }));
      expect([...chunks.keys()]).to.deep.equal(['IHDR', 'IDAT', 'IEND']);
      expect([...chunks.get('IHDR')!]).to.deep.equal([0, 0, 0, 3, 0, 0, 0, 2, 8, colorType, 0, 0, 0]);
      const row = width * channels;
      const expected = [0, ...pixels.subarray(0, row), 0, ...pixels.subarray(row)];
      expect([...inflateSync(chunks.get('IDAT')!)]).to.deep.equal(expected);
    });
  }
});
