import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';

import { makeFolders } from '../../atomicFile.js';
import { AiforgeError } from '../../errors.js';

const longestLine = 64 * 1024;

export interface LineTeeOptions {
  prefix: string;
  /** Pass on lines that end in a carriage return, as progress bars draw; else only what a bar last showed remains. */
  progress: boolean;
  write: (text: string) => void;
  onLine?: (line: string) => void;
}

/** Turns the chunks of one stream into whole prefixed lines, so that those of several ranks never mix. */
export class LineTee {
  readonly #options: LineTeeOptions;
  readonly #decoder = new StringDecoder('utf8');
  #pending = '';
  #afterProgress = false;

  constructor(options: LineTeeOptions) {
    this.#options = options;
  }

  push(chunk: Buffer): void {
    this.#drain(this.#decoder.write(chunk));
  }

  /** Writes out a last line that has no end. */
  end(): void {
    this.#drain(this.#decoder.end());
    if (this.#pending !== '' || this.#afterProgress) this.#line(this.#withoutProgress(this.#pending));
    this.#pending = '';
  }

  #drain(text: string): void {
    const lines = (this.#pending + text).split('\n');
    const rest = lines.pop() ?? '';
    for (const line of lines) this.#line(this.#withoutProgress(line));
    this.#pending = this.#options.progress ? this.#withoutProgress(rest) : this.#lastShown(rest);
    if (this.#pending.length > longestLine) {
      this.#line(this.#pending);
      this.#pending = '';
    }
  }

  /** Passes on the parts that end in a carriage return and gives back what is left, or drops them. */
  #withoutProgress(line: string): string {
    if (!this.#options.progress) return this.#lastShown(line).replace(/\r$/, '');
    const parts = line.split('\r');
    const rest = parts.pop() ?? '';
    for (const part of parts) {
      if (part === '') continue;
      this.#options.write(`${this.#options.prefix}${part}\r`);
      this.#options.onLine?.(part);
      this.#afterProgress = true;
    }
    return rest;
  }

  #lastShown(text: string): string {
    // A carriage return at the very end may yet turn out to be half of a line's end.
    return text.slice(text.lastIndexOf('\r', text.length - 2) + 1);
  }

  #line(line: string): void {
    const completesProgress = this.#afterProgress && line === '';
    this.#afterProgress = false;
    this.#options.write(completesProgress ? '\n' : `${this.#options.prefix}${line}\n`);
    if (line !== '') this.#options.onLine?.(line);
  }
}

/** The last lines of a stream, for the report of a rank that recorded no error. */
export class Tail {
  readonly lines: string[] = [];
  readonly #length: number;

  constructor(length: number) {
    this.#length = length;
  }

  push(line: string): void {
    this.lines.push(line);
    if (this.lines.length > this.#length) this.lines.shift();
  }
}

/** One rank's log file: everything it printed, byte for byte, in the order in which it arrived. */
export class RankLog {
  readonly path: string;
  readonly #warn: (message: string) => void;
  #descriptor: number | undefined;

  constructor(folder: string, rank: number, restartCount: number, warn: (message: string) => void) {
    this.path = join(folder, restartCount === 0 ? `rank-${rank}.log` : `rank-${rank}.restart-${restartCount}.log`);
    this.#warn = warn;
    try {
      makeFolders(folder);
      this.#descriptor = openSync(this.path, 'w');
    } catch (error) {
      throw new AiforgeError('LAUNCH_FAILED', `The log file '${this.path}' cannot be written: ${String(error)}`, {
        cause: error,
      });
    }
  }

  write(chunk: Buffer): void {
    if (this.#descriptor === undefined) return;
    try {
      writeFileSync(this.#descriptor, chunk);
    } catch (error) {
      // A full disk is no reason to end the training.
      this.#warn(`the log file '${this.path}' ends here: ${String(error)}`);
      this.close();
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
