import { Buffer } from 'node:buffer';
import { crc32, inflateRawSync } from 'node:zlib';

import type { OpenFile } from './openFile.js';

// PKWARE's APPNOTE.TXT: entries as they are or deflated, with the 64-bit extension.
const END = 0x06054b50;
const END_BYTES = 22;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const LOCATOR_64_BYTES = 20;
const DIRECTORY = 0x02014b50;
const DIRECTORY_BYTES = 46;
const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
const EXTRA_64 = 1;
const IN_EXTRA = 0xffffffff;
const MAX_COMMENT = 0xffff;
const MAX_DIRECTORY_BYTES = 1 << 28;

const [STORED, DEFLATED] = [0, 8];
// What deflate makes of a byte at most.
const MOST_INFLATION = 1032;

/** Reads what an entry has from a place on. */
type Read = (piece: Uint8Array, at: number) => void;

interface Entry {
  readonly method: number;
  readonly crc: number;
  readonly size: number;
  /** How many bytes of the file it takes. */
  readonly packed: number;
  readonly headerAt: number;
  /** Where the next entry begins, or the directory. */
  endAt: number;
}

/** The entries of a zip file, read when they are asked for. */
export class ZipReader {
  readonly #file: OpenFile;
  readonly #entries: Map<string, Entry>;

  /** Throws FILE_INVALID for what is no zip file. */
  constructor(file: OpenFile) {
    this.#file = file;
    this.#entries = this.#readDirectory();
  }

  names(): IterableIterator<string> {
    return this.#entries.keys();
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** The size of an uncompressed entry in bytes. */
  sizeOf(name: string): number {
    return this.#stored(name).size;
  }

  /** The size of an entry in bytes, once it is inflated. */
  inflatedSizeOf(name: string): number {
    return this.#entry(name).size;
  }

  read(name: string): Buffer {
    const bytes = Buffer.allocUnsafeSlow(this.sizeOf(name));
    this.copy(name, (read) => read(bytes, 0));
    return bytes;
  }

  /** All of an entry, which may be deflated. */
  inflate(name: string): Buffer {
    const { method, crc, size, packed } = this.#entry(name);
    if (method === STORED) return this.read(name);
    if (method !== DEFLATED) throw this.#file.invalid(`its entry '${name}' is compressed in a way that is not known`);
    const bytes = this.#file.bytes(this.#startOf(name), packed);
    let content: Buffer;
    try {
      content = inflateRawSync(bytes, { maxOutputLength: Math.max(size, 1) });
    } catch (cause) {
      throw this.#file.invalid(`its entry '${name}' cannot be decompressed to ${size} bytes`, cause);
    }
    if (content.length !== size)
      throw this.#file.invalid(`its entry '${name}' has not the ${size} bytes it should have`);
    if (crc32(content) !== crc) throw this.#file.invalid(`the checksum of its entry '${name}' is wrong`);
    return content;
  }

  /** Lets `use` read an uncompressed entry piece by piece, in order, and checks its checksum. */
  copy(name: string, use: (read: Read) => void): void {
    const { crc, size } = this.#stored(name);
    const start = this.#startOf(name);
    let sum = 0;
    let seen = 0;
    use((piece, at) => {
      this.#file.fill(piece, start + at);
      sum = crc32(piece, sum);
      seen += piece.length;
    });
    if (seen === size && sum !== crc) throw this.#file.invalid(`the checksum of its entry '${name}' is wrong`);
  }

  #stored(name: string): Entry {
    const entry = this.#entry(name);
    if (entry.method !== STORED) throw this.#file.invalid(`its entry '${name}' is compressed`);
    return entry;
  }

  #startOf(name: string): number {
    const { packed, headerAt, endAt } = this.#entry(name);
    const header = this.#file.bytes(headerAt, LOCAL_BYTES);
    if (header.readUInt32LE(0) !== LOCAL) throw this.#file.invalid(`its entry '${name}' has no header`);
    const start = headerAt + LOCAL_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
    if (start + packed > endAt) throw this.#file.invalid(`its entry '${name}' reaches into the next`);
    return start;
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw this.#file.invalid(`it has no entry '${name}'`);
    return entry;
  }

  // Where the directory of the entries is. It stands at the end, behind it a comment of any length.
  #findDirectory(): { position: number; length: number; count: number } {
    const tailAt = Math.max(0, this.#file.size - END_BYTES - MAX_COMMENT);
    const tail = this.#file.bytes(tailAt, this.#file.size - tailAt);
    let at = tail.length - END_BYTES;
    while (at >= 0 && tail.readUInt32LE(at) !== END) --at;
    if (at < 0) throw this.#file.invalid('its directory is missing');
    const locatorAt = tailAt + at - LOCATOR_64_BYTES;
    const locator = locatorAt >= 0 ? this.#file.bytes(locatorAt, LOCATOR_64_BYTES) : undefined;
    if (locator?.readUInt32LE(0) !== LOCATOR_64) {
      return {
        count: tail.readUInt16LE(at + 10),
        length: tail.readUInt32LE(at + 12),
        position: tail.readUInt32LE(at + 16),
      };
    }
    const end = this.#file.bytes(Number(locator.readBigUInt64LE(8)), 56);
    if (end.readUInt32LE(0) !== END_64) throw this.#file.invalid('its directory is missing');
    const field = (offset: number): number => Number(end.readBigUInt64LE(offset));
    return { count: field(32), length: field(40), position: field(48) };
  }

  #readDirectory(): Map<string, Entry> {
    const { position, length, count } = this.#findDirectory();
    if (length > MAX_DIRECTORY_BYTES) throw this.#file.invalid(`its directory should have ${length} bytes`);
    const directory = this.#file.bytes(position, length);
    const entries = new Map<string, Entry>();
    for (let at = 0, i = 0; i < count; ++i) {
      if (at + DIRECTORY_BYTES > length || directory.readUInt32LE(at) !== DIRECTORY) {
        throw this.#file.invalid('its directory is damaged');
      }
      const nameEnd = at + DIRECTORY_BYTES + directory.readUInt16LE(at + 28);
      const extraEnd = nameEnd + directory.readUInt16LE(at + 30);
      if (extraEnd > length) throw this.#file.invalid('its directory is damaged');
      const name = directory.toString('utf8', at + DIRECTORY_BYTES, nameEnd);
      if (entries.has(name)) throw this.#file.invalid(`it has the entry '${name}' twice`);
      entries.set(name, this.#entryOf(directory, at, directory.subarray(nameEnd, extraEnd)));
      at = extraEnd + directory.readUInt16LE(at + 32);
    }
    // None begins within another, so that a file holds no more than its size.
    let next = position;
    for (const entry of [...entries.values()].sort((a, b) => b.headerAt - a.headerAt)) {
      if (entry.headerAt >= next) throw this.#file.invalid('its entries overlap');
      entry.endAt = next;
      next = entry.headerAt;
    }
    return entries;
  }

  #entryOf(directory: Buffer, at: number, extra: Buffer): Entry {
    const large = this.#extra64(extra);
    // The order in the extra field is fixed; what fits into 32 bits is not there.
    const wide = (offset: number): number => {
      const value = directory.readUInt32LE(at + offset);
      return value === IN_EXTRA ? (large.shift() ?? value) : value;
    };
    const size = wide(24);
    const method = directory.readUInt16LE(at + 10);
    const compressed = wide(20);
    const packed = method === STORED ? size : compressed;
    if (packed > this.#file.size || size > packed * MOST_INFLATION) {
      throw this.#file.invalid(`an entry should have ${size} bytes`);
    }
    return {
      method,
      crc: directory.readUInt32LE(at + 16),
      size,
      packed,
      headerAt: wide(42),
      endAt: 0,
    };
  }

  #extra64(extra: Buffer): number[] {
    for (let at = 0; at + 4 <= extra.length;) {
      const length = extra.readUInt16LE(at + 2);
      if (at + 4 + length > extra.length) throw this.#file.invalid('its directory is damaged');
      if (extra.readUInt16LE(at) === EXTRA_64) {
        return Array.from({ length: Math.floor(length / 8) }, (_, i) => Number(extra.readBigUInt64LE(at + 4 + 8 * i)));
      }
      at += 4 + length;
    }
    return [];
  }
}
