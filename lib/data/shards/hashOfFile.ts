import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';

const piece = 2 ** 22;

/** The SHA-256 of a file. */
export function hashOfFile(file: string): string {
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(piece);
  const descriptor = openSync(file, 'r');
  try {
    for (let read; (read = readSync(descriptor, buffer, 0, piece, null)) > 0;) hash.update(buffer.subarray(0, read));
  } finally {
    closeSync(descriptor);
  }
  return hash.digest('hex');
}
