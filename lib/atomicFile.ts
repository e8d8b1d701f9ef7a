import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';

function writeAll(descriptor: number, chunk: Uint8Array): void {
  for (let written = 0; written < chunk.length;) written += writeSync(descriptor, chunk, written);
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Writes a file beside its place, syncs it and renames it: whatever happens, the path holds the old content or the new, whole.
 * Missing folders are made.
 */
export function writeFileAtomic(file: string, content: string | Iterable<Uint8Array>): void {
  const folder = path.dirname(path.resolve(file));
  const beside = path.join(folder, `.${path.basename(file)}.${randomUUID()}.tmp`);
  mkdirSync(folder, { recursive: true });
  const descriptor = openSync(beside, 'w');
  try {
    try {
      const chunks = typeof content === 'string' ? [Buffer.from(content)] : content;
      for (const chunk of chunks) writeAll(descriptor, chunk);
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
