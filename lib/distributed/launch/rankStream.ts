import type { Buffer } from 'node:buffer';
import type { Readable } from 'node:stream';

import { LineTee, type RankLog } from './output.js';
import type { Behind } from './sharedOutput.js';

/** Where one stream of a rank goes. */
export interface StreamTarget {
  /** Takes whole lines; undefined: they are not shown. */
  write: ((lines: Buffer) => Behind | void) | undefined;
  log: RankLog | undefined;
}

export interface RankStreamOptions extends StreamTarget {
  prefix: string;
  progress: boolean;
  onLine?: (line: string) => void;
}

/** One stream of a rank on its way; nothing is read from the rank while whoever reads the launcher is behind. */
export class RankStream {
  readonly #source: Readable | null;
  readonly #tee: LineTee;
  readonly #log: RankLog | undefined;
  #isBehind = false;
  #movedAt = performance.now();

  constructor(source: Readable | null, { write, log, ...rest }: RankStreamOptions) {
    this.#source = source;
    this.#log = log;
    this.#tee = new LineTee({ ...rest, write: write ?? (() => undefined) });
    source?.on('data', (chunk: Buffer) => this.#pass(chunk));
  }

  /** For how many ms nothing has come, though it would have been passed on; 0 while the reader is behind. */
  get quietMs(): number {
    return this.#isBehind ? 0 : performance.now() - this.#movedAt;
  }

  /** Stops reading, and passes on a last line that has no end. */
  end(): void {
    this.#source?.destroy();
    this.#tee.end();
  }

  #pass(chunk: Buffer): void {
    this.#log?.write(chunk);
    this.#movedAt = performance.now();
    const behind = this.#tee.push(chunk);
    if (behind === undefined) return;
    this.#isBehind = true;
    this.#source?.pause();
    void behind.then(() => {
      this.#isBehind = false;
      this.#movedAt = performance.now();
      this.#source?.resume();
    });
  }
}
