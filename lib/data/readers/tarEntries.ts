import { Buffer } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

import type { Extract } from 'tar-stream';

import { AiforgeError } from '../../errors.js';
import { optionalLibrary } from '../optionalLibrary.js';
import { unreadable } from './localFile.js';

/** A file in an archive: its bytes may be read until the next one is asked for. */
export interface TarEntry {
  readonly name: string;
  /** What it is: `'file'`, `'symlink'` and the like; null for what has no name. */
  readonly type: string | null;
  readonly size: number;
  /** Where its headers begin, in the archive without compression. */
  readonly start: number;
  bytes(): Promise<Buffer>;
  skip(): void;
}

const block = 512;
const padded = (size: number): number => Math.ceil(size / block) * block;

export const isCompressed = (file: string): boolean => /\.(gz|tgz)$/i.test(file);

/** The error for a damaged archive. */
export const invalidTar = (file: string, at: number, problem: string, cause?: unknown): AiforgeError =>
  new AiforgeError('FILE_INVALID', `TarReader: '${file}', byte ${at}: ${problem}.`, { cause });

const damaged = (file: string, at: number, cause: unknown): AiforgeError =>
  invalidTar(file, at, `it is truncated or damaged: ${(cause as Error).message}`, cause);

/** The size of an archive that is not compressed, Infinity of one that is. */
async function sizeOf(file: string, first: number): Promise<number> {
  let stats: Awaited<ReturnType<typeof stat>>;
  try {
    stats = await stat(file);
    if (!stats.isFile()) throw new Error(stats.isDirectory() ? 'it is a folder' : 'it is no regular file');
  } catch (cause) {
    throw unreadable('TarReader', file, cause);
  }
  if (isCompressed(file)) return Infinity;
  if (first > stats.size)
    throw invalidTar(file, first, `it ends at byte ${stats.size}: it is another file than before`);
  return stats.size;
}

/** The bytes of an archive from one on. Of a compressed one those before it are decompressed as well, but not looked at. */
async function* bytesFrom(file: string, first: number, source: Readable): AsyncGenerator<Buffer, void, undefined> {
  let toSkip = isCompressed(file) ? first : 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    if (toSkip < chunk.length) yield chunk.subarray(toSkip);
    toSkip = Math.max(0, toSkip - chunk.length);
  }
  if (toSkip > 0) throw new Error(`it ends ${toSkip} bytes before byte ${first}: it is another file than before`);
}

function openSource(file: string, first: number): Readable {
  if (!isCompressed(file)) return createReadStream(file, { start: first, highWaterMark: 1 << 18 });
  const compressed = createReadStream(file, { highWaterMark: 1 << 16 });
  const source = createGunzip();
  compressed.on('error', (error) => source.destroy(error));
  source.on('close', () => compressed.destroy());
  return compressed.pipe(source);
}

/** Resolves when more may be written, or never will. */
const drained = async (into: Extract): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      into.off('drain', done).off('close', done);
      resolve();
    };
    into.on('drain', done).on('close', done);
  });

const loadTar = async () => optionalLibrary<typeof import('tar-stream')>('TarReader', 'tar-stream', ['extract']);

/** The files of an archive, in order, from the headers at a byte on. Throws FILE_INVALID for one that is truncated or damaged. */
export async function* tarEntries(file: string, first: number): AsyncGenerator<TarEntry, void, undefined> {
  const size = await sizeOf(file, first);
  const { extract } = await loadTar();
  const source = openSource(file, first);
  // Archives of before ustar have no name of their format; their headers have checksums as well.
  const entries = extract({ allowUnknownFormat: true } as never);
  let [read, end] = [first, first];
  const feed = async (): Promise<void> => {
    for await (const chunk of bytesFrom(file, first, source)) {
      read += chunk.length;
      if (!entries.write(chunk)) await drained(entries);
      if (entries.destroyed) return;
    }
    entries.end(null);
  };
  const feeding = feed().catch((error: unknown) => entries.destroy(error as Error));
  try {
    for await (const entry of entries) {
      const { name, type, size: length = 0, byteOffset } = entry.header as typeof entry.header & { byteOffset: number };
      const start = end;
      end = first + byteOffset + padded(length);
      if (first + byteOffset + length > size) {
        throw invalidTar(
          file,
          start,
          `'${name}' says to have ${length} bytes, and the file ends before: it is truncated`,
        );
      }
      const bytes = async (): Promise<Buffer> => {
        const chunks: Uint8Array[] = [];
        try {
          for await (const chunk of entry as AsyncIterable<Uint8Array>) chunks.push(chunk);
        } catch (error) {
          throw damaged(file, start, error);
        }
        return Buffer.concat(chunks, length);
      };
      yield { name, type: type, size: length, start, bytes, skip: () => void entry.resume() };
    }
  } catch (error) {
    if (error instanceof AiforgeError) throw error;
    throw damaged(file, end, error);
  } finally {
    (entries as { destroy(): void }).destroy();
    source.destroy();
    await feeding;
  }
  // Where the end mark is missing, files may be missing too.
  if (read - end < block)
    throw invalidTar(file, read, 'it ends without the block of zeros that ends an archive: it is truncated');
}
