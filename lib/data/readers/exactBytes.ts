import { Buffer } from 'node:buffer';

import { badFile, ByteSource } from './byteSource.js';

/** The bytes of a file from a place on, as many at a time as are asked for. */
export class ExactBytes {
  readonly #file: string;
  readonly #source: ByteSource;
  #chunk = new Uint8Array(0);
  #at: number;

  constructor(file: string, from: number) {
    this.#file = file;
    this.#source = new ByteSource(file, from);
    this.#at = from;
  }

  /** The next bytes, in memory of their own. Throws FILE_INVALID where the file ends before. */
  async take(length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(length);
    for (let done = 0; done < length;) {
      if (!(await this.#require()))
        throw badFile(this.#file, `it ends at byte ${this.#at}, in the middle. Make or copy it anew`);
      const part = this.#chunk.subarray(0, length - done);
      bytes.set(part, done);
      done += part.length;
      this.#at += part.length;
      this.#chunk = this.#chunk.subarray(part.length);
    }
    return bytes;
  }

  /** Throws FILE_INVALID where the file goes on. */
  async requireEnd(): Promise<void> {
    if (await this.#require())
      throw badFile(this.#file, `it goes on after its end, byte ${this.#at}. Make or copy it anew`);
  }

  close(): void {
    this.#source.close();
  }

  /** Whether there is a byte more. */
  async #require(): Promise<boolean> {
    while (this.#chunk.length === 0) {
      const chunk = await this.#source.next();
      if (chunk === undefined) return false;
      this.#chunk = new Uint8Array(chunk.buffer as ArrayBuffer, chunk.byteOffset, chunk.length);
    }
    return true;
  }
}
