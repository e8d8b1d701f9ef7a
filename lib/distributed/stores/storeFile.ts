import { constants } from 'node:fs';
import { access, open, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AiforgeError } from '../../errors.js';
import { show } from '../../show.js';

/** How often a file whose end is missing is read again, and after which pause: another process may be writing it. */
const attempts = 50;
const pauseMs = 10;

/** c10d would cut a path at a NUL, and take folders and devices for files. */
export async function requireRegular(path: string): Promise<void> {
  const problem =
    path === '' ? 'names no file' : path.includes('\0') ? 'has a NUL, which no path has' : await problemOf(path);
  if (problem === undefined) return;
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `FileStore: the path ${show(path)} ${problem}; give the path of a file that is not there yet, on a file system that all ranks have.`,
  );
}

async function problemOf(path: string): Promise<string | undefined> {
  try {
    const stats = await stat(resolve(path));
    return stats.isFile() ? undefined : `is ${stats.isDirectory() ? 'a folder' : 'no regular file'}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENAMETOOLONG' ? 'is too long for a name of a file' : undefined;
  }
}

/**
 * Throws where c10d would try for minutes, or for ever, to open a store's file: where its folder is not there or cannot be written, and
 * where something else is there already.
 */
export async function requireStoreFile(path: string): Promise<void> {
  await requireFolder(dirname(path));
  await keysInFile(path);
}

/**
 * The keys that a store's file has, as c10d writes them: each with a slash before it. None where there is no file. Throws `FILE_INVALID`
 * for a file that no store wrote, or not to its end.
 */
export async function keysInFile(path: string): Promise<Set<string>> {
  for (let left = attempts; ; --left) {
    const bytes = await readRegularFile(path);
    const keys = bytes === undefined ? new Set<string>() : keysOf(bytes);
    if (keys !== undefined) return keys;
    if (left === 0) break;
    await delay(pauseMs);
  }
  throw new AiforgeError(
    'FILE_INVALID',
    `FileStore: '${path}' is no store's file, or one that was not written to its end: remove it, or name another.`,
  );
}

/** Says of which file it was that it could not be written; other errors stay as they are. */
export function namingFile(error: unknown, path: string): unknown {
  const [reason] = /No space left on device|Disk quota exceeded|File too large/.exec(String(error)) ?? [];
  if (reason === undefined) return error;
  return new AiforgeError(
    'FILE_NOT_WRITABLE',
    `FileStore: '${path}' cannot be written: ${reason}. Make room there, or name a file on another file system that all ranks have.`,
    { cause: error },
  );
}

async function requireFolder(folder: string): Promise<void> {
  try {
    await access(folder, constants.W_OK);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new AiforgeError(
      'FILE_NOT_FOUND',
      `FileStore: no file can be made in '${folder}' (${code}): make the folder, on a file system that all ranks have.`,
      { cause },
    );
  }
}

async function readRegularFile(path: string): Promise<Buffer | undefined> {
  try {
    // A store must write it too.
    const file = await open(path, 'r+');
    try {
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new AiforgeError(
      'FILE_NOT_WRITABLE',
      `FileStore: '${path}' cannot be opened (${code}): name a file that is not there yet.`,
      { cause },
    );
  }
}

/** A file of c10d's has keys and values by turns, each behind its length of 32 bits; undefined for other bytes. */
function keysOf(bytes: Buffer): Set<string> | undefined {
  const keys = new Set<string>();
  const end = (at: number): number => (at + 4 <= bytes.length ? at + 4 + bytes.readUInt32LE(at) : Infinity);
  for (let at = 0; at < bytes.length;) {
    const keyEnd = end(at);
    const valueEnd = end(keyEnd);
    if (valueEnd > bytes.length) return undefined;
    keys.add(bytes.toString('utf8', at + 4, keyEnd));
    at = valueEnd;
  }
  return keys;
}
