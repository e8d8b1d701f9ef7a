import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline, type Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';

import { AiforgeError } from '../../errors.js';

// How much of a file is read at a time.
const CHUNK = 1 << 17;

const noop = (): void => undefined;

const isCompressed = (file: string): boolean => /\.gz$/i.test(file);

/** The error for a file of the user's that is not what it should be. */
export const badFile = (where: string, problem: string, cause?: unknown): AiforgeError =>
  new AiforgeError('FILE_INVALID', `${where}: ${problem}.`, { cause });

function notReadable(file: string, cause: unknown): AiforgeError {
  const shown = file.replaceAll('\0', String.raw`\0`);
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT') return new AiforgeError('FILE_NOT_FOUND', `There is no file ${shown}. Check the path.`);
  if (code?.startsWith('Z_'))
    return badFile(shown, `it is no whole gzip file (${message}). Make or copy it anew`, cause);
  return new AiforgeError('FILE_NOT_FOUND', `${shown} cannot be read: ${message}. Check the path.`, { cause });
}

async function checkFile(file: string, from: number): Promise<void> {
  let handle;
  try {
    handle = await open(file, 'r');
    const found = await handle.stat();
    if (found.isDirectory()) throw new AiforgeError('FILE_NOT_FOUND', `${file} is a folder. Give the path of a file.`);
    if (!isCompressed(file) && found.isFile() && found.size < from) throw tooShort(file, found.size, from);
  } catch (error) {
    throw error instanceof AiforgeError ? error : notReadable(file, error);
  } finally {
    await handle?.close();
  }
}

const tooShort = (file: string, size: number, from: number): AiforgeError =>
  badFile(file, `it ends at byte ${size}, before the position to go on from, byte ${from}; it was changed meanwhile`);

/** The bytes of a file from a place on, piece by piece; those of a file whose name ends in .gz as they were before compression. */
export class ByteSource {
  readonly #file: string;
  readonly #from: number;
  #stream: Readable | undefined;
  #chunks: AsyncIterator<Buffer> | undefined;
  #isClosed = false;

  constructor(file: string, from: number) {
    this.#file = file;
    this.#from = from;
  }

  /** The next piece; undefined at the end. Throws FILE_NOT_FOUND and, for a damaged gzip file, FILE_INVALID. */
  async next(): Promise<Buffer | undefined> {
    try {
      this.#chunks ??= await this.#begin();
      // It may be closed while the file is opened.
      if (this.#isClosed) return void this.#stream?.destroy();
      const result = await this.#chunks.next();
      // Pieces that were read ahead are there at once, and would leave the event loop no turn.
      await setImmediate();
      return result.done === true ? undefined : result.value;
    } catch (error) {
      throw error instanceof AiforgeError ? error : notReadable(this.#file, error);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#stream?.destroy();
  }

  async #begin(): Promise<AsyncIterator<Buffer>> {
    await checkFile(this.#file, this.#from);
    if (!isCompressed(this.#file)) {
      const stream = createReadStream(this.#file, { start: this.#from, highWaterMark: CHUNK });
      this.#stream = stream;
      return stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    }
    // What is wrong with the file, the one that is iterated over tells.
    this.#stream = pipeline(createReadStream(this.#file), createGunzip({ chunkSize: CHUNK }), noop);
    return this.#after(this.#stream as AsyncIterable<Buffer>);
  }

  async *#after(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let left = this.#from;
    let size = 0;
    for await (const chunk of chunks) {
      size += chunk.length;
      if (chunk.length > left) yield left === 0 ? chunk : chunk.subarray(left);
      left = Math.max(0, left - chunk.length);
    }
    if (left > 0) throw tooShort(this.#file, size, this.#from);
  }
}

/** The longest row or line that is taken into memory, in bytes. */
export const MOST_ROW_BYTES = 1 << 24;

/** How many bytes a byte order mark takes at the beginning of a file. Throws FILE_INVALID for one of UTF-16 or UTF-32. */
export function markLength(file: string, beginning: Buffer): number {
  if (beginning[0] === 0xef && beginning[1] === 0xbb && beginning[2] === 0xbf) return 3;
  const first = beginning.length < 2 ? 0 : beginning.readUInt16BE(0);
  if (first === 0xfffe || first === 0xfeff) {
    throw badFile(file, 'it begins as a file in UTF-16, expected UTF-8. Convert it, as by: iconv -f UTF-16 -t UTF-8');
  }
  return 0;
}
