import { Buffer } from 'node:buffer';
import { open, type FileHandle } from 'node:fs/promises';

import { AiforgeError } from '../../errors.js';

/** A file that is read at any place, and how large it is. */
export interface LocalFile {
  readonly path: string;
  readonly size: number;
  /** Bytes from a place on. Throws FILE_INVALID where the file has fewer. */
  read(position: number, length: number): Promise<Buffer<ArrayBuffer>>;
  close(): Promise<void>;
}

/** The error for a file that cannot be opened or read. */
export const unreadable = (who: string, path: string, cause: unknown): AiforgeError =>
  new AiforgeError('FILE_NOT_FOUND', `${who}: '${path}' cannot be read: ${(cause as Error).message}.`, { cause });

/** Opens a file to read. Throws FILE_NOT_FOUND for one that there is not, a folder, and what has no size, as a pipe. */
export async function openLocalFile(who: string, path: string): Promise<LocalFile> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const stats = await handle.stat();
    if (!stats.isFile()) throw new Error(stats.isDirectory() ? 'it is a folder' : 'it is no regular file');
    return new OpenFile(who, path, handle, stats.size);
  } catch (cause) {
    await handle?.close();
    throw unreadable(who, path, cause);
  }
}

class OpenFile implements LocalFile {
  readonly #who: string;
  readonly #handle: FileHandle;

  constructor(
    who: string,
    readonly path: string,
    handle: FileHandle,
    readonly size: number,
  ) {
    this.#who = who;
    this.#handle = handle;
  }

  async read(position: number, length: number): Promise<Buffer<ArrayBuffer>> {
    // Before the memory is asked for: what a file says of itself may be any number.
    if (!(position >= 0 && length >= 0 && position + length <= this.size)) throw this.#tooShort(position, length);
    const bytes = Buffer.from(new ArrayBuffer(length));
    let done = 0;
    while (done < length) {
      const { bytesRead } = await this.#handle.read(bytes, done, length - done, position + done);
      if (bytesRead === 0) throw this.#tooShort(position, length);
      done += bytesRead;
    }
    return bytes;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  #tooShort(position: number, length: number): AiforgeError {
    return new AiforgeError(
      'FILE_INVALID',
      `${this.#who}: '${this.path}' has ${this.size} bytes, expected ${length} from byte ${position} on: the file is truncated or damaged.`,
    );
  }
}
