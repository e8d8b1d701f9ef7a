import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';

import { makeFolders } from '../../atomicFile.js';
import { AiforgeError } from '../../errors.js';

/** A file that grows beside its place, as FILE.partial, and is put into it when it is whole; what was there stays until then. */
export class PartialFile {
  readonly partial: string;
  readonly #descriptor: number;
  #isEmpty = true;
  #isOpen = true;

  /** Throws FILE_NOT_WRITABLE where it cannot be made. */
  constructor(readonly file: string) {
    this.partial = `${file}.partial`;
    if (statSync(file, { throwIfNoEntry: false })?.isFile() === false) {
      throw new AiforgeError('FILE_NOT_WRITABLE', `Nothing was written: ${file} is no file, but a folder or a device. Give the path of a file.`); // prettier-ignore
    }
    this.#descriptor = writing(file, () => {
      makeFolders(path.dirname(path.resolve(file)));
      return openSync(this.partial, 'w');
    });
  }

  /** Writes all of a text, or of some bytes; it is with the operating system when the call returns. */
  write(content: string | Uint8Array): void {
    if (content.length === 0) return;
    const bytes = Buffer.from(content);
    this.#isEmpty = false;
    writing(this.partial, () => {
      for (let written = 0; written < bytes.length;) written += writeSync(this.#descriptor, bytes, written);
    });
  }

  /** Puts the file into its place. */
  finish(): void {
    writing(this.file, () => {
      fsyncSync(this.#descriptor);
      this.#close();
      renameSync(this.partial, this.file);
    });
  }

  /** Keeps what there is as FILE.partial, if anything; whether it does. */
  keep(): boolean {
    this.#close();
    if (this.#isEmpty) rmSync(this.partial, { force: true });
    return !this.#isEmpty;
  }

  #close(): void {
    if (this.#isOpen) closeSync(this.#descriptor);
    this.#isOpen = false;
  }
}

function writing<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof AiforgeError) throw cause;
    const { message } = cause as Error;
    throw new AiforgeError('FILE_NOT_WRITABLE', `${file} cannot be written: ${message}. Check the path, its permissions and the space on its disk.`, { cause }); // prettier-ignore
  }
}
