import { Buffer } from 'node:buffer';
import { closeSync, openSync, readdirSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { makeFolders } from '../../atomicFile.js';
import { maskedCrc32c } from './crc32c.js';
import { versionEvent } from './event.js';

const beginning = 'events.out.tfevents.';

/** An event as a record: its length, the length's checksum, the event, its checksum. */
export function recordOf(event: Uint8Array): Buffer {
  const header = Buffer.alloc(12);
  header.writeBigUInt64LE(BigInt(event.length));
  header.writeUInt32LE(maskedCrc32c(header.subarray(0, 8)), 8);
  const footer = Buffer.alloc(4);
  footer.writeUInt32LE(maskedCrc32c(event));
  return Buffer.concat([header, event, footer]);
}

/** A file of events, as TensorBoard reads them while it grows. */
export class EventFile {
  readonly path: string;
  readonly #descriptor: number;

  /** Makes a file of its own in the folder. */
  constructor(folder: string, time = Date.now()) {
    makeFolders(folder);
    // TensorBoard reads the files in the order of their names, which begin with their second.
    const last = Math.max(
      0,
      ...filesIn(folder)
        .map((name) => Number(name.split('.')[3]))
        .filter(Number.isSafeInteger),
    );
    const second = Math.max(Math.floor(time / 1000), last + 1);
    const host = hostname().replace(/[^\w.-]/g, '_');
    const name = `${beginning}${String(second).padStart(10, '0')}.${host}.${process.pid}.0`;
    this.path = join(folder, name);
    this.#descriptor = openSync(this.path, 'wx');
    this.write(versionEvent(time));
  }

  /** The event is with the operating system when this returns. */
  write(event: Uint8Array): void {
    const record = recordOf(event);
    for (let written = 0; written < record.length;) written += writeSync(this.#descriptor, record, written);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/**
 * Empties the folder's other event files. A TensorBoard that has read from one stays at it where it is gone, and goes on to the next
 * one where it is empty; those that were empty before are removed.
 */
export function emptyOthers(folder: string, kept: EventFile): void {
  for (const file of filesIn(folder).map((name) => join(folder, name))) {
    if (file === kept.path) continue;
    if (statSync(file).size === 0) rmSync(file, { force: true });
    else truncateSync(file);
  }
}

const filesIn = (folder: string): string[] => readdirSync(folder).filter((name) => name.startsWith(beginning));
