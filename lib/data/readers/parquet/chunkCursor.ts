import { show } from '../../../show.js';
import { HybridRuns } from './hybrid.js';
import type { Decompress } from './codecs.js';
import {
  Bits,
  Dictionary,
  Indexed,
  lengthAt,
  Plain,
  RepeatedBits,
  Texts,
  type Target,
  type Values,
} from './pageValues.js';
import { ThriftReader, type ThriftStruct } from './thrift.js';

/** How values of a column lie in the file. */
export interface PhysicalColumn {
  /** Bytes of a value; 0: as many as each says (texts); -1: bits. */
  readonly width: number;
  readonly isOptional: boolean;
}

/** Some rows of a column: the bytes of values of one width, or texts; nulls have 1 in `nulls`. */
export interface RawRows {
  readonly bytes?: Uint8Array<ArrayBuffer>;
  readonly texts?: string[];
  readonly nulls?: Uint8Array;
}

/** A page that says to become more is not decompressed. */
const mostPageBytes = 2 ** 30;

const PLAIN = 0;
const RLE = 3;
const dictionaryEncodings: readonly unknown[] = [2, 8];

const pageTypes = { data: 0, index: 1, dictionary: 2, dataV2: 3 } as const;

interface Page {
  /** Rows that are left. */
  rows: number;
  levels: HybridRuns | undefined;
  values: Values;
}

/** Reads the pages of a column in a row group, as many rows as are asked for at a time. */
export class ChunkCursor {
  readonly #bytes: Uint8Array;
  readonly #column: PhysicalColumn;
  readonly #decompress: Decompress;
  #at = 0;
  #dictionary: Dictionary | undefined;
  #page: Page | undefined;
  #scratch = new Int32Array(0);

  constructor(bytes: Uint8Array, column: PhysicalColumn, decompress: Decompress) {
    this.#bytes = bytes;
    this.#column = column;
    this.#decompress = decompress;
  }

  /** The next rows. Throws a RangeError where the pages have fewer or are damaged. */
  read(count: number): RawRows {
    const width = Math.abs(this.#column.width);
    const buffer = new ArrayBuffer(Math.ceil((count * width) / 4) * 4);
    const texts = width === 0 ? new Array<string>(count) : undefined;
    const into: Target = { bytes: new Uint8Array(buffer), words: new Int32Array(buffer), texts, length: 0 };
    let nulls: Uint8Array | undefined;
    for (let row = 0; row < count;) {
      const page = (this.#page ??= this.#nextPage());
      const some = Math.min(count - row, page.rows);
      const found = this.#readRows(page, into, some);
      if (found !== undefined) (nulls ??= new Uint8Array(count)).set(found, row);
      row += some;
      page.rows -= some;
      if (page.rows === 0) this.#page = undefined;
    }
    return texts === undefined ? { bytes: new Uint8Array(buffer, 0, count * width), nulls } : { texts, nulls };
  }

  /** Rows of one page; gives which are null where some are. */
  #readRows({ levels, values }: Page, into: Target, count: number): Uint8Array | undefined {
    const level = levels === undefined ? 1 : levels.repeated(count);
    if (level === 1) {
      values.fill(into, count);
      return undefined;
    }
    if (level !== undefined) {
      this.#leaveOut(into, count);
      return new Uint8Array(count).fill(1);
    }
    if (this.#scratch.length < count) this.#scratch = new Int32Array(count);
    const found = this.#scratch;
    levels!.read(found, count);
    let areNull = 0;
    for (let i = 0; i < count; ++i) areNull += found[i] === 1 ? 0 : 1;
    if (areNull === 0) {
      values.fill(into, count);
      return undefined;
    }
    const nulls = new Uint8Array(count);
    for (let i = 0; i < count;) {
      const isNull = found[i] !== 1;
      let end = i + 1;
      while (end < count && (found[end] === 1) !== isNull) ++end;
      if (isNull) {
        nulls.fill(1, i, end);
        this.#leaveOut(into, end - i);
      } else values.fill(into, end - i);
      i = end;
    }
    return nulls;
  }

  #leaveOut(into: Target, count: number): void {
    into.texts?.fill('', into.length, into.length + count);
    into.length += count;
  }

  #nextPage(): Page {
    for (;;) {
      if (this.#at >= this.#bytes.length) throw new RangeError('its pages have fewer rows than its row group');
      const reader = new ThriftReader(this.#bytes, this.#at);
      const header = reader.struct();
      const [size, compressed] = [sizeIn(header, 2), sizeIn(header, 3)];
      if (compressed > this.#bytes.length - reader.at) throw new RangeError('a page is longer than its column');
      if (size > mostPageBytes) throw new RangeError(`a page says to become ${size} bytes, more than ${mostPageBytes}`);
      const bytes = this.#bytes.subarray(reader.at, reader.at + compressed);
      this.#at = reader.at + compressed;
      if (header[1] === pageTypes.dictionary) this.#readDictionary(header, bytes, size);
      else if (header[1] === pageTypes.data) return this.#dataPage(header, bytes, size);
      else if (header[1] === pageTypes.dataV2) return this.#dataPageV2(header, bytes, size);
      else if (header[1] !== pageTypes.index)
        throw new RangeError(`it has a page of the unknown type ${show(header[1])}`);
    }
  }

  /** The bytes of a page in memory that goes on for 8 bytes after them. */
  #page8(bytes: Uint8Array, size: number, isCompressed = true): Uint8Array {
    // Where all rows are null no value is there, and what a codec makes of nothing may have bytes of its own.
    const page = !isCompressed ? bytes : size > 0 ? this.#decompress(bytes, size) : new Uint8Array(0);
    if (page.length !== size) throw new RangeError(`a page says to become ${size} bytes and becomes ${page.length}`);
    const roomy = new Uint8Array(new ArrayBuffer(size + 8), 0, size);
    roomy.set(page);
    return roomy;
  }

  #readDictionary(header: ThriftStruct, bytes: Uint8Array, size: number): void {
    const count = sizeIn(structIn(header, 7), 1);
    this.#dictionary = new Dictionary(this.#page8(bytes, size), count, this.#column.width);
  }

  #dataPage(header: ThriftStruct, bytes: Uint8Array, size: number): Page {
    const own = structIn(header, 5);
    const page = this.#page8(bytes, size);
    let at = 0;
    let levels: HybridRuns | undefined;
    if (this.#column.isOptional) {
      if (own[3] !== RLE)
        throw new RangeError(`its definition levels are of the encoding ${show(own[3])}, expected RLE`);
      const end = 4 + lengthAt(page, 0);
      levels = new HybridRuns(page, 4, end, 1);
      at = end;
    }
    return { rows: rowsIn(own), levels, values: this.#values(page, at, own[2]) };
  }

  #dataPageV2(header: ThriftStruct, bytes: Uint8Array, size: number): Page {
    const own = structIn(header, 8);
    const [levelBytes, repetitions] = [sizeIn(own, 5), sizeIn(own, 6)];
    if (repetitions > 0 || levelBytes > size || levelBytes > bytes.length)
      throw new RangeError('a page has levels that it cannot have');
    // The levels are not compressed.
    const page = this.#page8(bytes.subarray(levelBytes), size - levelBytes, own[7] !== false);
    const before = this.#page8(bytes.subarray(0, levelBytes), levelBytes, false);
    const levels = this.#column.isOptional ? new HybridRuns(before, 0, levelBytes, 1) : undefined;
    return { rows: rowsIn(own), levels, values: this.#values(page, 0, own[4]) };
  }

  #values(page: Uint8Array, at: number, encoding: unknown): Values {
    const { width } = this.#column;
    if (encoding === PLAIN)
      return width === -1 ? new Bits(page, at) : width === 0 ? new Texts(page, at) : new Plain(page, at, width);
    if (encoding === RLE && width === -1) {
      const end = at + 4 + lengthAt(page, at);
      return new RepeatedBits(new HybridRuns(page, at + 4, end, 1));
    }
    if (!dictionaryEncodings.includes(encoding))
      throw new RangeError(`a page has the encoding ${show(encoding)}, which is not in its header`);
    if (this.#dictionary === undefined) throw new RangeError('a page needs a dictionary that there is not');
    // A page of nulls only may have nothing at all.
    const bits = page[at] ?? 0;
    if (bits > 32) throw new RangeError(`a page has indices of ${bits} bits`);
    return new Indexed(new HybridRuns(page, at + 1, page.length, bits), bits, this.#dictionary);
  }
}

function sizeIn(struct: ThriftStruct, field: number): number {
  const value = struct[field];
  if (typeof value === 'number' && value >= 0 && value < 2 ** 31) return value;
  throw new RangeError(`a page's header has ${show(value)} where a size is expected`);
}

function structIn(struct: ThriftStruct, field: number): ThriftStruct {
  const value = struct[field];
  if (typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array)) return value;
  throw new RangeError("a page's header has no header of its kind");
}

function rowsIn(struct: ThriftStruct): number {
  const rows = sizeIn(struct, 1);
  if (rows === 0) throw new RangeError('a page has no rows');
  return rows;
}
