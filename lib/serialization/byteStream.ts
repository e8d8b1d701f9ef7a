import { Buffer } from 'node:buffer';
import type { OpenFile } from '../tensor/files/openFile.js';

const WINDOW = 1 << 16;
// No name of Python that a pickle may hold is longer.
const LONGEST_LINE = 1024;

/** Bytes that are read one after another, of a file or, from a position on, of what is in memory already. */
export class ByteStream {
  readonly #file: OpenFile;
  #window: Buffer;
  #windowAt = 0;
  readonly #size: number;
  #at = 0;

  constructor(file: OpenFile, content?: Buffer) {
    this.#file = file;
    this.#window = content ?? Buffer.alloc(0);
    this.#size = content?.length ?? file.size;
  }

  /** How many bytes stand before the next. */
  get position(): number {
    return this.#at;
  }

  goTo(position: number): void {
    this.#at = position;
  }

  byte(): number {
    const start = this.#need(1);
    return this.#window[start]!;
  }

  take(length: number): Buffer {
    const start = this.#need(length);
    return this.#window.subarray(start, start + length);
  }

  line(): string {
    const start = this.#at;
    const ahead = this.take(Math.min(LONGEST_LINE, this.#size - start));
    const end = ahead.indexOf(0x0a);
    if (end < 0) throw this.#file.invalid('its pickle has a name without an end');
    this.#at = start + end + 1;
    return ahead.toString('utf8', 0, end);
  }

  skip(length: number): void {
    if (length > this.#size - this.#at) throw this.#file.invalid('its pickle is truncated');
    this.#at += length;
  }

  // Where in the window the next bytes are, which are then passed.
  #need(length: number): number {
    const at = this.#at;
    this.skip(length);
    const isThere = at >= this.#windowAt && this.#at <= this.#windowAt + this.#window.length;
    if (!isThere) {
      this.#window = this.#file.bytes(at, Math.min(Math.max(length, WINDOW), this.#size - at));
      this.#windowAt = at;
    }
    return at - this.#windowAt;
  }
}
