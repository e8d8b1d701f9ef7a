import { TextDecoder } from 'node:util';
import { Buffer } from 'node:buffer';
import type { HybridRuns } from './hybrid.js';

/** Values of a page. */
export interface Values {
  /** Puts the next `count` values behind those that are there. */
  fill(into: Target, count: number): void;
}

/** Where values go. */
export interface Target {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly texts: string[] | undefined;
  /** How many there are. */
  length: number;
}

/** A length of 32 bits, and what it says is there. */
export function lengthAt(page: Uint8Array, at: number): number {
  if (at + 4 > page.length) throw new RangeError('a page is truncated');
  const length = new DataView(page.buffer, page.byteOffset).getUint32(at, true);
  if (at + 4 + length > page.length) throw new RangeError('a page is truncated');
  return length;
}

/** Values of one width, one after the other. */
export class Plain implements Values {
  constructor(
    readonly page: Uint8Array,
    public at: number,
    readonly width: number,
  ) {}

  fill(into: Target, count: number): void {
    const end = this.at + count * this.width;
    if (end > this.page.length) throw new RangeError('a page has fewer values than it says');
    into.bytes.set(this.page.subarray(this.at, end), into.length * this.width);
    into.length += count;
    this.at = end;
  }
}

/** Booleans, a bit each. */
export class Bits implements Values {
  #bit = 0;

  constructor(
    readonly page: Uint8Array,
    readonly at: number,
  ) {}

  fill(into: Target, count: number): void {
    if (this.at + Math.ceil((this.#bit + count) / 8) > this.page.length)
      throw new RangeError('a page has fewer values than it says');
    for (let i = 0; i < count; ++i, ++this.#bit) {
      into.bytes[into.length++] = (this.page[this.at + (this.#bit >> 3)]! >> (this.#bit & 7)) & 1;
    }
  }
}

/** Booleans in runs. */
export class RepeatedBits implements Values {
  constructor(readonly runs: HybridRuns) {}

  fill(into: Target, count: number): void {
    const bits = new Int32Array(count);
    this.runs.read(bits, count);
    into.bytes.set(bits, into.length);
    into.length += count;
  }
}

/** Texts with their lengths. */
export class Texts implements Values {
  readonly #page: Buffer;

  constructor(
    page: Uint8Array,
    public at: number,
  ) {
    this.#page = Buffer.from(page.buffer, page.byteOffset, page.length);
  }

  fill(into: Target, count: number): void {
    for (let i = 0; i < count; ++i) {
      const start = this.at + 4;
      const end = start + lengthAt(this.#page, this.at);
      into.texts![into.length++] = textOf(this.#page, start, end);
      this.at = end;
    }
  }
}

const strict = new TextDecoder('utf-8', { fatal: true });

/** A text of UTF-8. Throws a RangeError for what is none. */
export function textOf(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end);
  if (!text.includes('\ufffd')) return text;
  try {
    return strict.decode(bytes.subarray(start, end));
  } catch (cause) {
    throw new RangeError('a value is no UTF-8 text', { cause });
  }
}

/** The values of a dictionary page. */
export class Dictionary {
  readonly target: Target;

  constructor(
    page: Uint8Array,
    readonly count: number,
    readonly width: number,
  ) {
    const least = width === 0 ? 4 * count : width === -1 ? count / 8 : width * count;
    if (least > page.length) throw new RangeError('a dictionary has fewer values than it says');
    const buffer = new ArrayBuffer(Math.ceil((count * Math.abs(width)) / 4) * 4);
    this.target = {
      bytes: new Uint8Array(buffer),
      words: new Int32Array(buffer),
      texts: width === 0 ? [] : undefined,
      length: 0,
    };
    const values = width === 0 ? new Texts(page, 0) : width === -1 ? new Bits(page, 0) : new Plain(page, 0, width);
    values.fill(this.target, count);
  }
}

/** Indices of a dictionary's values. */
export class Indexed implements Values {
  #indices = new Int32Array(0);

  constructor(
    readonly runs: HybridRuns,
    readonly bits: number,
    readonly dictionary: Dictionary,
  ) {}

  fill(into: Target, count: number): void {
    if (this.#indices.length < count) this.#indices = new Int32Array(count);
    const indices = this.#indices;
    if (this.bits === 0) indices.fill(0, 0, count);
    else this.runs.read(indices, count);
    this.#checkIndices(indices, count);
    const { target, width } = this.dictionary;
    if (width === 0) gatherTexts(into, target.texts!, indices, count);
    else if (width === 4) gather4(into, target.words, indices, count);
    else if (width === 8) gather8(into, target.words, indices, count);
    else gatherBytes(into, target.bytes, Math.abs(width), indices, count);
    into.length += count;
  }

  #checkIndices(indices: Int32Array, count: number): void {
    const known = this.dictionary.count;
    for (let i = 0; i < count; ++i) {
      if (indices[i]! >>> 0 >= known)
        throw new RangeError(`a page has the index ${indices[i]! >>> 0} of a dictionary of ${known} values`);
    }
  }
}

function gatherTexts({ texts, length }: Target, from: readonly string[], indices: Int32Array, count: number): void {
  for (let i = 0; i < count; ++i) texts![length + i] = from[indices[i]!]!;
}

function gather4({ words, length }: Target, from: Int32Array, indices: Int32Array, count: number): void {
  for (let i = 0; i < count; ++i) words[length + i] = from[indices[i]!]!;
}

// As halves: a number of 64 bits for each would be an object, and as a float could lose bits.
function gather8({ words, length }: Target, from: Int32Array, indices: Int32Array, count: number): void {
  for (let i = 0, to = 2 * length; i < count; ++i, to += 2) {
    const at = 2 * indices[i]!;
    words[to] = from[at]!;
    words[to + 1] = from[at + 1]!;
  }
}

function gatherBytes(
  { bytes, length }: Target,
  from: Uint8Array,
  width: number,
  indices: Int32Array,
  count: number,
): void {
  for (let i = 0; i < count; ++i) {
    const at = indices[i]! * width;
    bytes.set(from.subarray(at, at + width), (length + i) * width);
  }
}
