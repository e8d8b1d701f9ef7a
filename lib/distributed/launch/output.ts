import { Buffer } from 'node:buffer';
import { closeSync, fstatSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { makeFolders } from '../../atomicFile.js';
import { AiforgeError } from '../../errors.js';
import type { Behind } from './sharedOutput.js';

/** In bytes; what is longer is passed on in several lines. */
const longestLine = 16 * 1024 * 1024;

export interface LineTeeOptions {
  prefix: string;
  /** Pass on lines that end in a carriage return, as progress bars draw; else only what a bar last showed remains. */
  progress: boolean;
  write: (lines: Buffer) => Behind | void;
  onLine?: (line: string) => void;
}

/**
 * Turns the chunks of one stream into whole prefixed lines, so that those of several ranks never mix. Bytes are kept in strings of one
 * character each, so that they pass unchanged, whatever encoding they are in and wherever a chunk ends.
 */
export class LineTee {
  readonly #options: LineTeeOptions;
  readonly #prefix: string;
  readonly #pieces: string[] = [];
  #length = 0;
  #afterProgress = false;
  #out = '';

  constructor(options: LineTeeOptions) {
    this.#options = options;
    this.#prefix = Buffer.from(options.prefix).toString('latin1');
  }

  /** Resolves when the reader takes more; undefined where it does already. */
  push(chunk: Buffer): Behind {
    const text = chunk.toString('latin1');
    if (/[\n\r]/.test(text) || this.#length + text.length > longestLine) this.#drain(this.#taken() + text);
    else this.#keep(text);
    return this.#flush();
  }

  /** Writes out a last line that has no end. */
  end(): void {
    const rest = this.#taken();
    if (rest !== '' || this.#afterProgress) this.#line(this.#withoutProgress(rest));
    void this.#flush();
  }

  #keep(text: string): void {
    if (text === '') return;
    this.#pieces.push(text);
    this.#length += text.length;
  }

  #taken(): string {
    this.#length = 0;
    return this.#pieces.splice(0).join('');
  }

  #flush(): Behind {
    if (this.#out === '') return undefined;
    const lines = Buffer.from(this.#out, 'latin1');
    this.#out = '';
    return this.#options.write(lines) ?? undefined;
  }

  #drain(text: string): void {
    const lines = text.split('\n');
    const rest = lines.pop() ?? '';
    for (const line of lines) this.#line(this.#withoutProgress(line));
    const kept = this.#options.progress ? this.#withoutProgress(rest) : this.#lastShown(rest);
    if (kept.length > longestLine) this.#line(kept);
    else this.#keep(kept);
  }

  /** Passes on the parts that end in a carriage return and gives back what is left, or drops them. */
  #withoutProgress(line: string): string {
    if (!this.#options.progress) return this.#lastShown(line).replace(/\r$/, '');
    const parts = line.split('\r');
    const rest = parts.pop() ?? '';
    for (const part of parts) {
      if (part === '') continue;
      this.#out += `${this.#prefix}${part}\r`;
      this.#tell(part);
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
    this.#out += completesProgress ? '\n' : `${this.#prefix}${line}\n`;
    if (line !== '') this.#tell(line);
  }

  #tell(line: string): void {
    this.#options.onLine?.(Buffer.from(line, 'latin1').toString());
  }
}

/** Characters that are shown of a line in a report. */
const longestOfTail = 2000;

/** The last lines of a stream, for the report of a rank that recorded no error. */
export class Tail {
  readonly lines: string[] = [];
  readonly #length: number;

  constructor(length: number) {
    this.#length = length;
  }

  push(line: string): void {
    this.lines.push(line.length > longestOfTail ? `${line.slice(0, longestOfTail)}…` : line);
    if (this.lines.length > this.#length) this.lines.shift();
  }
}

export interface RankLogOptions {
  folder: string;
  rank: number;
  /** How often the ranks had been started before. */
  round: number;
  /** Which of the rank's streams the file has; undefined: both. */
  stream: 'stdout' | 'stderr' | undefined;
  warn: (message: string) => void;
}

const lookEveryMs = 1000;

/** A log file of one rank: what it printed, byte for byte, in the order in which it arrived. */
export class RankLog {
  readonly path: string;
  readonly #warn: (message: string) => void;
  #descriptor: number | undefined;
  #seenAt = performance.now();
  #isRemoved = false;

  constructor({ folder, rank, round, stream, warn }: RankLogOptions) {
    const parts = [
      `rank-${rank}`,
      ...(round === 0 ? [] : [`restart-${round}`]),
      ...(stream === undefined ? [] : [stream]),
    ];
    this.path = join(folder, `${parts.join('.')}.log`);
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

  get isRemoved(): boolean {
    return this.#isRemoved;
  }

  write(chunk: Buffer): void {
    if (this.#descriptor === undefined) return;
    try {
      writeFileSync(this.#descriptor, chunk);
      if (performance.now() - this.#seenAt > lookEveryMs) this.#look(this.#descriptor);
    } catch (error) {
      // A full disk is no reason to end the training.
      this.#warn(`the log file '${this.path}' ends here: ${String(error)}`);
      this.#end();
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) this.#look(this.#descriptor);
    this.#end();
  }

  /** What is written to a file that was removed is nowhere, and no write fails for it. */
  #look(descriptor: number): void {
    this.#seenAt = performance.now();
    if (fstatSync(descriptor).nlink > 0) return;
    this.#isRemoved = true;
    this.#warn(`the log file '${this.path}' was removed, and what the rank prints goes to none any more`);
    this.#end();
  }

  #end(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
