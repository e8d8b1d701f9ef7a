import { statSync } from 'node:fs';

import { appendWhole, notWritable, openBeside, type Beside } from '../../atomicFile.js';
import { AiforgeError } from '../../errors.js';

/**
 * A file that grows beside its place, and is put into it when it is whole; what was there stays until then. What there is where it
 * never becomes whole is kept as FILE.partial.
 */
export class PartialFile {
  readonly #beside: Beside;
  #isEmpty = true;
  #isBroken = false;

  /** Throws FILE_NOT_WRITABLE where it cannot be made. */
  constructor(readonly file: string) {
    const there = statSync(file, { throwIfNoEntry: false });
    if (there?.isFile() === false) {
      throw new AiforgeError('FILE_NOT_WRITABLE', `Nothing was written: ${file} is no file, but a folder or a device. Give the path of a file.`); // prettier-ignore
    }
    this.#beside = this.#trying(() => openBeside(file, there));
  }

  /** Whether a write was not done: the file ends with the one before. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Writes all of a text, or of some bytes, or nothing; it is with the operating system when the call returns. */
  write(content: string | Uint8Array): void {
    if (content.length === 0) return;
    this.#isBroken = true;
    this.#trying(() => appendWhole(this.#beside.descriptor, Buffer.from(content)));
    this.#isBroken = this.#isEmpty = false;
  }

  /** Puts the file into its place. */
  finish(): void {
    this.#trying(() => this.#beside.finish());
  }

  /** Keeps what there is, unless it is of no use to anybody; gives where. */
  keep(isOfUse: boolean): string | undefined {
    if (isOfUse && !this.#isEmpty) return this.#beside.keep();
    this.#beside.discard();
    return undefined;
  }

  #trying<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw notWritable(this.file, cause);
    }
  }
}
