import {
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';

import { makeFolders } from '../../atomicFile.js';
import { AiforgeError } from '../../errors.js';

/**
 * A file that grows beside its place, under a name of this process, and is put into it when it is whole; what was there stays until
 * then. What there is where it never becomes whole is kept as FILE.partial.
 */
export class PartialFile {
  readonly partial: string;
  /** Where it goes: a link stays one. */
  readonly #file: string;
  readonly #growing: string;
  readonly #descriptor: number;
  #isEmpty = true;
  #isOpen = true;

  /** Throws FILE_NOT_WRITABLE where it cannot be made. */
  constructor(readonly file: string) {
    const there = statSync(file, { throwIfNoEntry: false });
    if (there?.isFile() === false) {
      throw new AiforgeError('FILE_NOT_WRITABLE', `Nothing was written: ${file} is no file, but a folder or a device. Give the path of a file.`); // prettier-ignore
    }
    this.#file = there === undefined ? file : realpathSync(file);
    this.partial = `${file}.partial`;
    this.#growing = `${this.#file}.${process.pid}.partial`;
    this.#descriptor = writing(file, () => {
      makeFolders(path.dirname(path.resolve(file)));
      const descriptor = openSync(this.#growing, 'w');
      if (there !== undefined) fchmodSync(descriptor, there.mode);
      return descriptor;
    });
  }

  /** Writes all of a text, or of some bytes; it is with the operating system when the call returns. */
  write(content: string | Uint8Array): void {
    if (content.length === 0) return;
    const bytes = Buffer.from(content);
    this.#isEmpty = false;
    writing(this.#growing, () => {
      for (let written = 0; written < bytes.length;) written += writeSync(this.#descriptor, bytes, written);
    });
  }

  /** Puts the file into its place. */
  finish(): void {
    writing(this.file, () => {
      fsyncSync(this.#descriptor);
      this.#close();
      renameSync(this.#growing, this.#file);
    });
  }

  /** Keeps what there is as FILE.partial, unless it is of no use to anybody; whether it does. */
  keep(isOfUse: boolean): boolean {
    this.#close();
    const isKept = isOfUse && !this.#isEmpty;
    if (isKept) renameSync(this.#growing, this.partial);
    else rmSync(this.#growing, { force: true });
    return isKept;
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
