import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fdatasync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';

import { AiforgeError } from './errors.js';

// The system writes no more than 2^31 - 1 bytes at a time.
const MOST_AT_ONCE = 1 << 30;

function writeAll(descriptor: number, chunk: Uint8Array): void {
  for (let written = 0; written < chunk.length;) {
    written += writeSync(descriptor, chunk, written, Math.min(chunk.length - written, MOST_AT_ONCE));
  }
}

// The disk writes what it has while more comes, so that little is left for the last sync.
const SYNC_EVERY = 1 << 27;

function writeChunks(descriptor: number, chunks: Iterable<Uint8Array>): void {
  let waiting = 0;
  for (const chunk of chunks) {
    writeAll(descriptor, chunk);
    waiting += chunk.length;
    if (waiting < SYNC_EVERY) continue;
    waiting = 0;
    // On another thread. Whether it succeeded, the last sync tells.
    fdatasync(descriptor, () => undefined);
  }
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const isFolder = (name: string): boolean => statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false;

/**
 * Makes a folder and those above it. Node's own recursive form tries for ever where the file system has no such folder to make,
 * as in /proc.
 */
export function makeFolders(folder: string): void {
  if (isFolder(folder)) return;
  const parent = path.dirname(path.resolve(folder));
  if (!existsSync(parent)) makeFolders(parent);
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another process was faster.
    if (!isFolder(folder)) throw error;
  }
}

function replace(file: string, content: string | Iterable<Uint8Array>): void {
  const folder = path.dirname(path.resolve(file));
  const beside = path.join(folder, `.${path.basename(file)}.${randomUUID()}.tmp`);
  makeFolders(folder);
  const descriptor = openSync(beside, 'w');
  try {
    try {
      writeChunks(descriptor, typeof content === 'string' ? [Buffer.from(content)] : content);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(beside, file);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
  syncFolder(folder);
}

/**
 * Writes a file beside its place, syncs it and renames it: whatever happens, the path holds the old content or the new, whole.
 * Missing folders are made.
 *
 * @throws AiforgeError FILE_NOT_WRITABLE, with the system's error as its cause.
 */
export function writeFileAtomic(file: string, content: string | Iterable<Uint8Array>): void {
  if (file === '' || isFolder(file)) {
    const problem = file === '' ? 'the path is empty' : `${file} is a folder`;
    throw new AiforgeError('FILE_NOT_WRITABLE', `Nothing was written: ${problem}. Give the path of a file.`);
  }
  try {
    replace(file, content);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === undefined || cause instanceof AiforgeError) throw cause;
    throw new AiforgeError(
      'FILE_NOT_WRITABLE',
      `${file} cannot be written: ${(cause as Error).message}. Check the path, its permissions and the space on its disk.`,
      { cause },
    );
  }
}
