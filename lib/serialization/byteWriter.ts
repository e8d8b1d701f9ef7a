import { Buffer } from 'node:buffer';
import { encodeText } from './text.js';

const BLOCK = 1 << 20;

// What is longer is encoded by Node, and not letter by letter.
const SHORT = 48;

/** Bytes that grow by blocks, so that no more memory is held than they take. */
export class ByteWriter {
  readonly #full: Buffer[] = [];
  #block = Buffer.allocUnsafeSlow(1 << 12);
  #length = 0;

  /** All that was written, in pieces. */
  get blocks(): readonly Buffer[] {
    return [...this.#full, this.#block.subarray(0, this.#length)];
  }

  /** Where so many bytes are to be written. */
  #reserve(count: number): number {
    const at = this.#length;
    if (at + count <= this.#block.length) {
      this.#length = at + count;
      return at;
    }
    this.#full.push(this.#block.subarray(0, at));
    this.#block = Buffer.allocUnsafeSlow(Math.max(BLOCK, count));
    this.#length = count;
    return 0;
  }

  byte(value: number): void {
    const at = this.#reserve(1);
    this.#block[at] = value;
  }

  /** Letters that are a byte each. */
  latin1(text: string): void {
    const at = this.#reserve(text.length);
    for (let i = 0; i < text.length; ++i) this.#block[at + i] = text.charCodeAt(i);
  }

  uint16(value: number): void {
    const at = this.#reserve(2);
    this.#block.writeUInt16LE(value, at);
  }

  int32(value: number): void {
    const at = this.#reserve(4);
    this.#block.writeInt32LE(value, at);
  }

  uint32(value: number): void {
    const at = this.#reserve(4);
    this.#block.writeUInt32LE(value, at);
  }

  float64(value: number): void {
    const at = this.#reserve(8);
    this.#block.writeDoubleBE(value, at);
  }

  bytes(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#block.set(bytes, at);
  }

  /** A text in UTF-8 after its length. */
  text(text: string): void {
    if (text.length <= SHORT && this.#ascii(text)) return;
    const bytes = encodeText(text);
    this.uint32(bytes.length);
    this.bytes(bytes);
  }

  #ascii(text: string): boolean {
    const { length } = text;
    const at = this.#reserve(4 + length);
    const block = this.#block;
    let seen = 0;
    for (let i = 0; i < length; ++i) {
      const code = text.charCodeAt(i);
      seen |= code;
      block[at + 4 + i] = code;
    }
    if (seen < 0x80) block.writeUInt32LE(length, at);
    else this.#length = at;
    return seen < 0x80;
  }
}
