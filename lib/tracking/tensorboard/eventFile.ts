import { Buffer } from 'node:buffer';
import { closeSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { makeFolders } from '../../atomicFile.js';
import { maskedCrc32c } from './crc32c.js';
import { versionEvent } from './event.js';

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
    const host = hostname().replace(/[^\w.-]/g, '_');
    const name = `events.out.tfevents.${String(Math.floor(time / 1000)).padStart(10, '0')}.${host}.${process.pid}`;
    const others = new Set(filesIn(folder));
    // TensorBoard reads the files in the order of their names.
    let number = 0;
    while (others.has(`${name}.${number}`)) ++number;
    this.path = join(folder, `${name}.${number}`);
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

/** Removes the folder's other event files. */
export function removeOthers(folder: string, kept: EventFile): void {
  for (const name of filesIn(folder)) {
    if (join(folder, name) !== kept.path) rmSync(join(folder, name), { force: true });
  }
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder).filter((name) => name.startsWith('events.out.tfevents.'));
