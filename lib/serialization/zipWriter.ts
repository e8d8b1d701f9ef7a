import { Buffer } from 'node:buffer';
import { crc32 } from 'node:zlib';

// torch.load may map a file into memory, for which tensors begin at a multiple of 64 bytes.
const ALIGNMENT = 64;
const UTF8 = 1 << 11;
// The checksum stands behind the bytes too, and in the header nothing, which is written before they are known.
const SUM_BEHIND = 1 << 3;
const VERSION_64 = 45;
const LOCAL_BYTES = 30;

/** The content of an entry: its pieces are asked for once, when it is its turn, and each is used before the next. */
export interface ZipEntry {
  readonly name: string;
  readonly size: number;
  readonly chunks: () => Iterable<Uint8Array>;
}

interface Written {
  readonly name: Buffer;
  readonly crc: number;
  readonly size: number;
  readonly headerAt: number;
}

/** A zip file of uncompressed entries, aligned as PyTorch writes them; sizes and positions are always of 64 bits. */
export function* zipChunks(entries: Iterable<ZipEntry>): Generator<Uint8Array> {
  const written: Written[] = [];
  let position = 0;
  for (const { name, size, chunks } of entries) {
    const own = { name: Buffer.from(name), crc: 0, size, headerAt: position };
    const header = localHeader(own);
    yield header;
    for (const chunk of chunks()) {
      own.crc = crc32(chunk, own.crc);
      yield chunk;
    }
    const sum = sumOf(own);
    yield sum;
    written.push(own);
    position += header.length + size + sum.length;
  }
  const directory = Buffer.concat(written.map(directoryEntry));
  yield directory;
  yield endOf(position, directory.length, written.length);
}

// The fields that the local header and the directory share: version, flags, method, time and date, checksum, sizes.
function common({ name, crc }: Written, extraLength: number): Buffer {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(VERSION_64, 0);
  fields.writeUInt16LE(UTF8 | SUM_BEHIND, 2);
  fields.writeUInt16LE(0x21, 8); // the first day that the format knows, so that equal content gives equal files
  fields.writeUInt32LE(crc, 10);
  fields.writeUInt32LE(0xffffffff, 14);
  fields.writeUInt32LE(0xffffffff, 18);
  fields.writeUInt16LE(name.length, 22);
  fields.writeUInt16LE(extraLength, 24);
  return fields;
}

function extra64(values: readonly number[]): Buffer {
  const extra = Buffer.alloc(4 + 8 * values.length);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(8 * values.length, 2);
  values.forEach((value, i) => extra.writeBigUInt64LE(BigInt(value), 4 + 8 * i));
  return extra;
}

function localHeader(entry: Written): Buffer {
  const sizes = extra64([entry.size, entry.size]);
  const unpadded = entry.headerAt + LOCAL_BYTES + entry.name.length + sizes.length + 4;
  const padding = Buffer.alloc(4 + ((ALIGNMENT - (unpadded % ALIGNMENT)) % ALIGNMENT), 'Z');
  padding.write('FB');
  padding.writeUInt16LE(padding.length - 4, 2);
  const signature = Buffer.from('PK\x03\x04', 'latin1');
  return Buffer.concat([signature, common(entry, sizes.length + padding.length), entry.name, sizes, padding]);
}

function sumOf({ crc, size }: Written): Buffer {
  const sum = Buffer.from('PK\x07\x08'.padEnd(24, '\0'), 'latin1');
  sum.writeUInt32LE(crc, 4);
  sum.writeBigUInt64LE(BigInt(size), 8);
  sum.writeBigUInt64LE(BigInt(size), 16);
  return sum;
}

function directoryEntry(entry: Written): Buffer {
  const extra = extra64([entry.size, entry.size, entry.headerAt]);
  const rest = Buffer.alloc(14); // no comment, first disk, no attributes, the position
  rest.writeUInt32LE(0xffffffff, 10);
  const start = Buffer.from('PK\x01\x02\x2d\x00', 'latin1');
  return Buffer.concat([start, common(entry, extra.length), rest, entry.name, extra]);
}

function endOf(directoryAt: number, directoryLength: number, count: number): Buffer {
  const end64 = Buffer.alloc(56);
  end64.write('PK\x06\x06', 'latin1');
  end64.writeBigUInt64LE(44n, 4);
  end64.writeUInt16LE(VERSION_64, 12);
  end64.writeUInt16LE(VERSION_64, 14);
  [count, count, directoryLength, directoryAt].forEach((value, i) => end64.writeBigUInt64LE(BigInt(value), 24 + 8 * i));
  const locator = Buffer.alloc(20);
  locator.write('PK\x06\x07', 'latin1');
  locator.writeBigUInt64LE(BigInt(directoryAt + directoryLength), 8);
  locator.writeUInt32LE(1, 16);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.fill(0xff, 8, 20);
  return Buffer.concat([end64, locator, end]);
}
