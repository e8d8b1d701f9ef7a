import { Buffer } from 'node:buffer';
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

import { AiforgeError } from '../../errors.js';

// The system reads no more than 2^31 - 1 bytes at a time.
const MOST_AT_ONCE = 1 << 30;
const CHUNK = 1 << 20;

function open(path: string): number {
  let problem: string;
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isFile()) return openSync(path, 'r');
    if (found === undefined) problem = `There is no file ${path}. Check the path.`;
    else if (found.isDirectory()) problem = `${path} is a folder. Give the path of a file.`;
    else
      problem = `${path} is no regular file: it is read at any place, as no pipe or device can be. Copy it to a file.`;
  } catch (cause) {
    const shown = path.replaceAll('\0', String.raw`\0`);
    const reason = (cause as Error).message;
    throw new AiforgeError(
      'FILE_NOT_FOUND',
      `${shown} cannot be opened: ${reason}. Check the path and its permissions.`,
      { cause },
    );
  }
  throw new AiforgeError('FILE_NOT_FOUND', problem);
}

/** A file that is open for reading, and how its faults are said. */
export class OpenFile {
  readonly size: number;
  readonly #path: string;
  readonly #format: string;
  readonly #descriptor: number;

  /** `format` is what the file should be: 'whole safetensors file'. Throws FILE_NOT_FOUND. */
  constructor(path: string, format: string) {
    this.#path = path;
    this.#format = format;
    this.#descriptor = open(path);
    this.size = fstatSync(this.#descriptor).size;
  }

  /** Reads as many bytes as `target` has. */
  fill(target: Uint8Array, position: number): void {
    if (position + target.length > this.size) throw this.invalid(`it ends at byte ${this.size}`);
    for (let done = 0; done < target.length;) {
      const length = Math.min(target.length - done, MOST_AT_ONCE);
      const count = readSync(this.#descriptor, target, done, length, position + done);
      if (count === 0) throw this.invalid(`it ends at byte ${position + done}`);
      done += count;
    }
  }

  bytes(position: number, length: number): Buffer {
    if (position + length > this.size) throw this.invalid(`it points beyond its end, byte ${this.size}`);
    const bytes = Buffer.allocUnsafeSlow(length);
    this.fill(bytes, position);
    return bytes;
  }

  /** All bytes, in pieces that are each overwritten by the next. */
  *chunks(): Generator<Uint8Array> {
    const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK, this.size));
    for (let at = 0; at < this.size; at += CHUNK) {
      const chunk = buffer.subarray(0, Math.min(CHUNK, this.size - at));
      this.fill(chunk, at);
      yield chunk;
    }
  }

  /** The error for a damaged file, or one of another format. */
  invalid(reason: string, cause?: unknown): AiforgeError {
    return new AiforgeError('FILE_INVALID', `${this.#path} is no ${this.#format}: ${reason}.`, { cause });
  }

  /** The error for a whole file that holds what is not read. */
  unsupported(what: string): AiforgeError {
    return new AiforgeError('FILE_INVALID', `${this.#path} holds ${what}.`);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** Opens a file for `work` alone. */
export function withFile<T>(path: string, format: string, work: (file: OpenFile) => T): T {
  const file = new OpenFile(path, format);
  try {
    return work(file);
  } finally {
    file.close();
  }
}
