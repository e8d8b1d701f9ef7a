import { Buffer } from 'node:buffer';
import { crc32, deflateSync } from 'node:zlib';

import type { TrackedImage } from './image.js';

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** PNG's colour types: greyscale, truecolour, truecolour with alpha. */
const colorTypes = { 1: 0, 3: 2, 4: 6 } as const;

/** An image as a PNG file of 8 bits a channel (W3C, Portable Network Graphics Specification). */
export function encodePng({ width, height, channels, pixels }: TrackedImage): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, colorTypes[channels], 0, 0, 0], 8);
  const stride = width * channels;
  // Each row begins with its filter: 0 is none.
  const rows = Buffer.alloc(height * (stride + 1));
  for (let y = 0; y < height; ++y) rows.set(pixels.subarray(y * stride, (y + 1) * stride), y * (stride + 1) + 1);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
