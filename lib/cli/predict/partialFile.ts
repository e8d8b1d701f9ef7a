import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';

import { placeOf } from '../../atomicFile.js';
import { AiforgeError } from '../../errors.js';

/**
 * A file that grows beside its place, under a name of its own, and is put into it when it is whole; what was there stays until then.
 * What there is where it never becomes whole is kept as FILE.partial.
 */
export class PartialFile {
  /** Where it goes: a link stays one. */
  readonly #place: string;
  readonly #growing: string;
  readonly #descriptor: number;
  /** Bytes of the writes that were done. */
  #length = 0;
  #isBroken = false;
  #isOpen = true;

  /** Throws FILE_NOT_WRITABLE where it cannot be made. */
  constructor(readonly file: string) {
    const there = statSync(file, { throwIfNoEntry: false });
    if (there?.isFile() === false) {
      throw new AiforgeError('FILE_NOT_WRITABLE', `Nothing was written: ${file} is no file, but a folder or a device. Give the path of a file.`); // prettier-ignore
    }
    this.#place = writing(file, () => placeOf(file));
    this.#growing = `${this.#place}.${process.pid}.${randomUUID().slice(0, 8)}.partial`;
    this.#descriptor = writing(file, () => {
      const descriptor = openSync(this.#growing, 'wx');
      if (there !== undefined) fchmodSync(descriptor, there.mode);
      return descriptor;
    });
  }

  /** Whether a write was not done: the file ends with the one before. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Writes all of a text, or of some bytes, or nothing; it is with the operating system when the call returns. */
  write(content: string | Uint8Array): void {
    const bytes = Buffer.from(content);
    try {
      writing(this.file, () => {
        for (let written = 0; written < bytes.length;) written += writeSync(this.#descriptor, bytes, written);
      });
      this.#length += bytes.length;
    } catch (error) {
      this.#isBroken = true;
      ftruncateSync(this.#descriptor, this.#length);
      throw error;
    }
  }

  /** Puts the file into its place. */
  finish(): void {
    writing(this.file, () => {
      fsyncSync(this.#descriptor);
      this.#close();
      renameSync(this.#growing, this.#place);
    });
  }

  /** Keeps what there is, unless it is of no use to anybody; gives where. */
  keep(isOfUse: boolean): string | undefined {
    this.#close();
    if (!isOfUse || this.#length === 0) {
      rmSync(this.#growing, { force: true });
      return undefined;
    }
    const partial = `${this.#place}.partial`;
    try {
      renameSync(this.#growing, partial);
      return partial;
    } catch {
      // A folder is there, or the disk is gone: the error that is on its way says more.
      return this.#growing;
    }
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
