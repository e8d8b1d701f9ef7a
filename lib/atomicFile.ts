import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fdatasync,
  fstatSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  write as writeToDescriptor,
  writeSync,
  type Stats,
} from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import { AiforgeError } from './errors.js';

// The system writes no more than 2^31 - 1 bytes at a time.
const MOST_AT_ONCE = 1 << 30;

function writeAll(descriptor: number, chunk: Uint8Array): void {
  for (let written = 0; written < chunk.length;) {
    written += writeSync(descriptor, chunk, written, Math.min(chunk.length - written, MOST_AT_ONCE));
  }
}

/** Writes all of some bytes at the end of a file, or, where the disk is full, none of them: no half a line is left. */
export function appendWhole(descriptor: number, bytes: Uint8Array): void {
  const before = fstatSync(descriptor);
  try {
    writeAll(descriptor, bytes);
  } catch (error) {
    if (before.isFile()) ftruncateSync(descriptor, before.size);
    throw error;
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

/** The same for a folder of the user's. Throws FILE_NOT_WRITABLE. */
export function requireFolders(folder: string): void {
  try {
    if (folder === '') throw new AiforgeError('FILE_NOT_WRITABLE', 'The path of the folder is empty.');
    makeFolders(folder);
  } catch (cause) {
    throw notWritable(folder, cause);
  }
}

// Short enough for a file's longest name, of 255 bytes, whatever letters the file's own name has.
const NAMED_AFTER = 60;

/** The place that writing to a path changes: links are followed, to a file that is not there yet as well. Its folders are made. */
function placeOf(file: string): string {
  const link = lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(file) : null;
  const parent = path.dirname(file);
  makeFolders(parent);
  // By the system: what `..` means behind a link, no text tells.
  const folder = realpathSync.native(parent);
  if (link === null) return path.join(folder, path.basename(file));
  return placeOf(path.isAbsolute(link) ? link : `${folder}${path.sep}${link}`);
}

function keepOwner(descriptor: number, { uid, gid, mode }: Stats): void {
  const own = fstatSync(descriptor);
  if (own.uid !== uid || own.gid !== gid) {
    try {
      fchownSync(descriptor, uid, gid);
    } catch {
      // Few may give files away: then it is the writer's.
    }
  }
  fchmodSync(descriptor, mode & 0o7777);
}

/** A file beside a place, to be written and put into it. */
export interface Beside {
  descriptor: number;
  /** Syncs it and puts it into its place. */
  finish(): void;
  /** Takes it away. */
  discard(): void;
  /** Keeps it as it is, as PLACE.partial where that can be; gives where. */
  keep(): string;
}

/** `old` is the file that stands there: the new one gets its owner and its mode. */
export function openBeside(file: string, old: Stats | undefined): Beside {
  const place = placeOf(file);
  const folder = path.dirname(place);
  const beside = path.join(folder, `.${path.basename(place).slice(0, NAMED_AFTER)}.${randomUUID()}.tmp`);
  const descriptor = openSync(beside, 'wx', old === undefined ? 0o666 : old.mode & 0o777);
  let isOpen = true;
  const close = (): void => {
    if (isOpen) closeSync(descriptor);
    isOpen = false;
  };
  if (old !== undefined) keepOwner(descriptor, old);
  return {
    descriptor,
    finish: () => {
      fsyncSync(descriptor);
      close();
      renameSync(beside, place);
      syncFolder(folder);
    },
    discard: () => {
      close();
      rmSync(beside, { force: true });
    },
    keep: () => {
      close();
      try {
        renameSync(beside, `${place}.partial`);
        return `${place}.partial`;
      } catch {
        // A folder of that name is there, or the disk is gone.
        return beside;
      }
    },
  };
}

function replace(file: string, chunks: Iterable<Uint8Array>, old: Stats | undefined): void {
  const beside = openBeside(file, old);
  try {
    writeChunks(beside.descriptor, chunks);
    beside.finish();
  } catch (error) {
    beside.discard();
    throw error;
  }
}

/** Pipes and devices take what is written; nothing may stand in their place, and there is nothing to sync. */
function writeInto(file: string, chunks: Iterable<Uint8Array>): void {
  const descriptor = openSync(file, 'w');
  try {
    for (const chunk of chunks) writeAll(descriptor, chunk);
  } finally {
    closeSync(descriptor);
  }
}

// Nothing, `.` or `..` after the last separator.
const NAMES_FOLDER = /(^|\/)\.{0,2}$/;

function requireFile(file: string): void {
  if (file === '') {
    throw new AiforgeError('FILE_NOT_WRITABLE', 'Nothing was written: the path is empty. Give the path of a file.');
  }
  if (NAMES_FOLDER.test(file) || isFolder(file)) {
    throw new AiforgeError('FILE_NOT_WRITABLE', `Nothing was written: ${file} is a folder. Give the path of a file.`);
  }
}

function write(file: string, chunks: Iterable<Uint8Array>): void {
  requireFile(file);
  const old = statSync(file, { throwIfNoEntry: false });
  if (old === undefined || old.isFile()) replace(file, chunks, old);
  else writeInto(file, chunks);
}

/**
 * Writes a file beside its place, syncs it and renames it: whatever happens, the path holds the old content or the new, whole.
 * Missing folders are made, links followed, and the mode of the file that was there is kept. Pipes and devices are written into.
 *
 * @throws AiforgeError FILE_NOT_WRITABLE, with the system's error as its cause.
 */
export function writeFileAtomic(file: string, content: string | Iterable<Uint8Array>): void {
  try {
    write(file, typeof content === 'string' ? [Buffer.from(content)] : content);
  } catch (cause) {
    throw notWritable(file, cause);
  }
}

const writeAsync = promisify(writeToDescriptor);

/** As `writeFileAtomic`, for a file; the disk is waited for on other threads. */
export async function writeFileInBackground(file: string, chunks: Iterable<Uint8Array>): Promise<void> {
  try {
    requireFile(file);
    const beside = openBeside(file, statSync(file, { throwIfNoEntry: false }));
    try {
      for (const chunk of chunks) {
        for (let written = 0; written < chunk.length;) {
          written += (await writeAsync(beside.descriptor, chunk, written, chunk.length - written, null)).bytesWritten;
        }
      }
      await promisify(fsync)(beside.descriptor);
      beside.finish();
    } catch (error) {
      beside.discard();
      throw error;
    }
  } catch (cause) {
    throw notWritable(file, cause);
  }
}

/** The error for one of the system's, FILE_NOT_WRITABLE; others are as they are. */
export function notWritable(file: string, cause: unknown): unknown {
  if ((cause as NodeJS.ErrnoException).code === undefined || cause instanceof AiforgeError) return cause;
  return new AiforgeError(
    'FILE_NOT_WRITABLE',
    `${file.replaceAll('\0', String.raw`\0`)} cannot be written: ${(cause as Error).message}. Check the path, its permissions and the space on its disk.`,
    { cause },
  );
}
