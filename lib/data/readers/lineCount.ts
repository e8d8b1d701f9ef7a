import type { FilePlace } from './filePlace.js';

const [newline, carriageReturn] = [10, 13];

/** Keeps count of lines while a file is read piece by piece: `\n`, `\r\n` and `\r` end one. */
export class LineCount {
  #chunk: Uint8Array = new Uint8Array(0);
  #begin: number;
  #byte: number;
  #line: number;
  /** How many lines end between the place and the piece at hand. */
  #ahead = 0;
  /** Whether the piece before ended with `\r`, of which only the next byte tells whether it ends a line by itself. */
  #isReturnOpen = false;

  constructor({ byte, line }: FilePlace) {
    [this.#begin, this.#byte, this.#line] = [byte, byte, line];
  }

  get place(): FilePlace {
    return { byte: this.#byte, line: this.#line };
  }

  /** The next piece of the file. */
  see(chunk: Uint8Array): void {
    const end = this.#begin + this.#chunk.length;
    if (this.#byte >= this.#begin) {
      this.passBlank();
      this.#ahead = this.#count(this.#byte, end);
    } else this.#ahead += this.#count(this.#begin, end);
    [this.#chunk, this.#begin] = [chunk, end];
    if (this.#isReturnOpen && chunk[0] !== newline) this.#ahead++;
    this.#isReturnOpen = false;
  }

  /** Goes on to a byte of the piece at hand. */
  advance(byte: number): void {
    if (byte <= this.#byte) return;
    this.#line += this.#ahead + this.#count(Math.max(this.#byte, this.#begin), byte);
    [this.#byte, this.#ahead] = [byte, 0];
  }

  /** Goes on over lines without a character. */
  passBlank(): void {
    let byte = this.#byte;
    if (byte < this.#begin) return;
    for (; byte < this.#begin + this.#chunk.length; ++byte) {
      const code = this.#chunk[byte - this.#begin];
      if (code !== newline && code !== carriageReturn) break;
    }
    this.advance(byte);
  }

  #count(from: number, to: number): number {
    let count = 0;
    for (let i = from - this.#begin; i < to - this.#begin; ++i) {
      const code = this.#chunk[i];
      if (code === newline) count++;
      else if (code !== carriageReturn) continue;
      else if (i + 1 === this.#chunk.length) this.#isReturnOpen = true;
      else if (this.#chunk[i + 1] !== newline) count++;
    }
    return count;
  }
}
