import { Buffer, isUtf8 } from 'node:buffer';

import { badFile, ByteSource, markLength, MOST_ROW_BYTES } from './byteSource.js';
import type { FilePlace } from './filePlace.js';

const [newline, carriageReturn] = [10, 13];

/** The lines of a file from a place on; `\n` and `\r\n` end one. */
export class FileLines {
  readonly #file: string;
  readonly #source: ByteSource;
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;
  /** The beginning of a line that the chunks before had. */
  #pieces: Buffer[] = [];
  #waiting = 0;
  #place: FilePlace;
  #taken = 0;
  #isOver = false;

  constructor(file: string, place: FilePlace = { byte: 0, line: 1 }) {
    this.#file = file;
    this.#source = new ByteSource(file, place.byte);
    this.#place = place;
  }

  /** Where the next line begins. */
  get place(): FilePlace {
    return this.#place;
  }

  /** The file and the line that was taken last. */
  get where(): string {
    return `${this.#file}, line ${this.#taken}`;
  }

  /** The next of the lines that are in memory, without its end. */
  take(): Buffer | undefined {
    const end = this.#chunk.indexOf(newline, this.#at);
    if (end >= 0) {
      const rest = this.#chunk.subarray(this.#at, end);
      this.#at = end + 1;
      return this.#finish(rest, 1);
    }
    if (!this.#isOver) return undefined;
    const rest = this.#chunk.subarray(this.#at);
    this.#at = this.#chunk.length;
    return this.#waiting + rest.length > 0 ? this.#finish(rest, 0) : undefined;
  }

  /** Reads on, once all lines in memory were taken; false at the end of the file. */
  async more(): Promise<boolean> {
    if (this.#isOver) return false;
    const rest = this.#chunk.subarray(this.#at);
    if (rest.length > 0) this.#pieces.push(rest);
    this.#waiting += rest.length;
    if (this.#waiting > MOST_ROW_BYTES) {
      const where = `${this.#file}, line ${this.#place.line}`;
      throw badFile(where, `the line has more than ${MOST_ROW_BYTES} bytes. Is this a file of another kind?`);
    }
    const chunk = await this.#source.next();
    const isFirst = this.#place.byte === 0 && this.#waiting === 0;
    [this.#chunk, this.#at] = [chunk ?? Buffer.alloc(0), 0];
    this.#isOver = chunk === undefined;
    if (isFirst && chunk !== undefined) this.#passMark(chunk);
    return chunk !== undefined || this.#waiting > 0;
  }

  close(): void {
    this.#isOver = true;
    [this.#chunk, this.#at, this.#pieces, this.#waiting] = [Buffer.alloc(0), 0, [], 0];
    this.#source.close();
  }

  #passMark(chunk: Buffer): void {
    this.#at = markLength(this.#file, chunk);
    this.#place = { byte: this.#at, line: 1 };
  }

  /** `ends` is how many bytes end the line, but for a `\r` before them. */
  #finish(rest: Buffer, ends: number): Buffer {
    const line = this.#pieces.length === 0 ? rest : Buffer.concat([...this.#pieces, rest]);
    [this.#pieces, this.#waiting] = [[], 0];
    this.#taken = this.#place.line;
    this.#place = { byte: this.#place.byte + line.length + ends, line: this.#taken + 1 };
    return line.at(-1) === carriageReturn ? line.subarray(0, -1) : line;
  }
}

/** The text of a line; undefined where it is not UTF-8. */
export const textOfLine = (line: Buffer): string | undefined => (isUtf8(line) ? line.toString() : undefined);
