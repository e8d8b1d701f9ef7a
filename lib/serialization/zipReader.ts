import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { crc32 } from 'node:zlib';

import { AiforgeError } from '../errors.js';

// PKWARE's APPNOTE.TXT: uncompressed entries, with the 64-bit extension.
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

interface Entry {
  readonly method: number;
  readonly crc: number;
  readonly size: number;
  readonly headerAt: number;
}

/** The uncompressed entries of a zip file, read when they are asked for. */
export class ZipReader {
  readonly #file: string;
  readonly #descriptor: number;
  readonly #size: number;
  readonly #entries: Map<string, Entry>;

  /** Throws FILE_NOT_FOUND, or FILE_INVALID for what is no zip file. */
  constructor(file: string) {
    if (!(statSync(file, { throwIfNoEntry: false })?.isFile() ?? false)) {
      throw new AiforgeError('FILE_NOT_FOUND', `There is no file ${file}. Check the path.`);
    }
    this.#file = file;
    this.#descriptor = openSync(file, 'r');
    try {
      this.#size = fstatSync(this.#descriptor).size;
      this.#entries = this.#readDirectory();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  names(): IterableIterator<string> {
    return this.#entries.keys();
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** The size of an entry in bytes. */
  sizeOf(name: string): number {
    return this.#entry(name).size;
  }

  read(name: string): Buffer {
    const bytes = Buffer.allocUnsafeSlow(this.sizeOf(name));
    this.readInto(name, bytes);
    return bytes;
  }

  /** Reads an entry into memory of its size, and checks its checksum. */
  readInto(name: string, target: Uint8Array): void {
    const { method, crc, headerAt } = this.#entry(name);
    if (method !== 0) throw this.invalid(`its entry '${name}' is compressed`);
    const header = this.#bytes(headerAt, LOCAL_BYTES);
    if (header.readUInt32LE(0) !== LOCAL) throw this.invalid(`its entry '${name}' has no header`);
    this.#fill(target, headerAt + LOCAL_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28));
    if (crc32(target) !== crc) throw this.invalid(`the checksum of its entry '${name}' is wrong`);
  }

  invalid(reason: string): AiforgeError {
    return new AiforgeError('FILE_INVALID', `${this.#file} is no whole file of torch.save: ${reason}.`);
  }

  /** The error for a whole file that holds what is not read. */
  unsupported(what: string): AiforgeError {
    return new AiforgeError('FILE_INVALID', `${this.#file} holds ${what}.`);
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw this.invalid(`it has no entry '${name}'`);
    return entry;
  }

  #fill(target: Uint8Array, position: number): void {
    if (position + target.length > this.#size) throw this.invalid(`it ends at byte ${this.#size}`);
    for (let done = 0; done < target.length;) {
      const count = readSync(this.#descriptor, target, done, target.length - done, position + done);
      if (count === 0) throw this.invalid(`it ends at byte ${position + done}`);
      done += count;
    }
  }

  #bytes(position: number, length: number): Buffer {
    if (position + length > this.#size) throw this.invalid(`it points beyond its end, byte ${this.#size}`);
    const bytes = Buffer.alloc(length);
    this.#fill(bytes, position);
    return bytes;
  }

  // Where the directory of the entries is. It stands at the end, behind it a comment of any length.
  #findDirectory(): { position: number; length: number; count: number } {
    const tailAt = Math.max(0, this.#size - END_BYTES - MAX_COMMENT);
    const tail = this.#bytes(tailAt, this.#size - tailAt);
    let at = tail.length - END_BYTES;
    while (at >= 0 && tail.readUInt32LE(at) !== END) --at;
    if (at < 0) throw this.invalid('it is no zip file (the format of PyTorch before 1.6 is not read)');
    const locatorAt = tailAt + at - LOCATOR_64_BYTES;
    const locator = locatorAt >= 0 ? this.#bytes(locatorAt, LOCATOR_64_BYTES) : undefined;
    if (locator?.readUInt32LE(0) !== LOCATOR_64) {
      return {
        count: tail.readUInt16LE(at + 10),
        length: tail.readUInt32LE(at + 12),
        position: tail.readUInt32LE(at + 16),
      };
    }
    const end = this.#bytes(Number(locator.readBigUInt64LE(8)), 56);
    if (end.readUInt32LE(0) !== END_64) throw this.invalid('its directory is missing');
    const field = (offset: number): number => Number(end.readBigUInt64LE(offset));
    return { count: field(32), length: field(40), position: field(48) };
  }

  #readDirectory(): Map<string, Entry> {
    const { position, length, count } = this.#findDirectory();
    if (length > MAX_DIRECTORY_BYTES) throw this.invalid(`its directory should have ${length} bytes`);
    const directory = this.#bytes(position, length);
    const entries = new Map<string, Entry>();
    for (let at = 0, i = 0; i < count; ++i) {
      if (at + DIRECTORY_BYTES > length || directory.readUInt32LE(at) !== DIRECTORY) {
        throw this.invalid('its directory is damaged');
      }
      const nameEnd = at + DIRECTORY_BYTES + directory.readUInt16LE(at + 28);
      const extraEnd = nameEnd + directory.readUInt16LE(at + 30);
      if (extraEnd > length) throw this.invalid('its directory is damaged');
      const name = directory.toString('utf8', at + DIRECTORY_BYTES, nameEnd);
      entries.set(name, this.#entryOf(directory, at, directory.subarray(nameEnd, extraEnd)));
      at = extraEnd + directory.readUInt16LE(at + 32);
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
    if (size > this.#size) throw this.invalid(`an entry should have ${size} bytes`);
    wide(20);
    return {
      method: directory.readUInt16LE(at + 10),
      crc: directory.readUInt32LE(at + 16),
      size,
      headerAt: wide(42),
    };
  }

  #extra64(extra: Buffer): number[] {
    for (let at = 0; at + 4 <= extra.length;) {
      const length = extra.readUInt16LE(at + 2);
      if (at + 4 + length > extra.length) throw this.invalid('its directory is damaged');
      if (extra.readUInt16LE(at) === EXTRA_64) {
        return Array.from({ length: Math.floor(length / 8) }, (_, i) => Number(extra.readBigUInt64LE(at + 4 + 8 * i)));
      }
      at += 4 + length;
    }
    return [];
  }
}
