import { existsSync } from 'node:fs';
import path from 'node:path';

import { AiforgeError } from '../../errors.js';

/**
 * Writes a file of a run's folder. Throws TRAINING_FAILED where the folder is gone or the disk is full; the file that was there
 * before is still there, whole.
 */
export function saving<T>(file: string, write: () => T): T {
  requireFolder(file);
  try {
    return write();
  } catch (error) {
    throw unsaved(file, error);
  }
}

/** The same for what is written while the run goes on; it must open the file at once. */
export async function savingInBackground<T>(file: string, write: () => Promise<T>): Promise<T> {
  requireFolder(file);
  try {
    return await write();
  } catch (error) {
    throw unsaved(file, error);
  }
}

function requireFolder(file: string): void {
  const folder = path.dirname(file);
  if (existsSync(folder)) return;
  throw new AiforgeError(
    'TRAINING_FAILED',
    `The run's folder ${folder} is gone: somebody removed or moved it while the run went on. Put it back and resume the run, or begin a new one.`,
  );
}

function unsaved(file: string, error: unknown): unknown {
  const isWrapped = error instanceof AiforgeError && error.code === 'FILE_NOT_WRITABLE';
  const aFolder = { code: 'EISDIR', message: 'a folder has its name' };
  const { code, message } = (isWrapped ? (error.cause ?? aFolder) : error) as NodeJS.ErrnoException;
  if ((error instanceof AiforgeError && !isWrapped) || code === undefined) return error;
  return new AiforgeError(
    'TRAINING_FAILED',
    `${file} cannot be written: ${message}. ${code === 'ENOSPC' ? 'Free space on its disk' : 'Make it writable'} and go on from the last checkpoint, if there is one.`,
    { cause: error },
  );
}
