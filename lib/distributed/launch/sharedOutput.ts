import { Buffer } from 'node:buffer';
import { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

import type { TextSink } from './options.js';
import type { Patience } from './patience.js';

const pollMs = 50;
/** How long a reader for whom there is no patience left has to take the rest. */
const lastWaitMs = 2000;

/** Resolves when a reader that was behind takes more; undefined where it is not behind. */
export type Behind = Promise<void> | undefined;

/** A sink that several ranks write whole lines to. What it throws is kept, and ends the launch rather than this process. */
export class SharedOutput {
  readonly #sink: TextSink;
  readonly #onError: (error: unknown) => void;
  readonly #write: (lines: Buffer) => unknown;
  #behind: Behind;
  #isBroken = false;

  constructor(sink: TextSink, onError: (error: unknown) => void) {
    this.#sink = sink;
    this.#onError = onError;
    const takesBytes = sink instanceof Writable && !sink.writableObjectMode;
    this.#write = takesBytes ? (lines) => sink.write(lines) : (lines) => sink.write(lines.toString());
  }

  write(lines: Buffer): Behind {
    if (this.#isBroken) return undefined;
    try {
      if (this.#write(lines) === false) this.#behind ??= this.#untilDrained();
    } catch (error) {
      this.#isBroken = true;
      this.#onError(error);
    }
    return this.#behind;
  }

  say(text: string): void {
    void this.write(Buffer.from(text));
  }

  /** Resolves when all has been written, with true, or is given up as nobody reads it. */
  async written(patience: Patience): Promise<boolean> {
    const sink = this.#sink;
    const isWritten =
      sink instanceof Writable
        ? new Promise<boolean>((resolve) => void sink.write('', () => resolve(true)))
        : Promise.resolve(this.#behind).then(() => true);
    const start = performance.now();
    while (!(await Promise.race([isWritten, delay(pollMs, false)]))) {
      if (Math.min(performance.now() - start, patience.overMs) > lastWaitMs) return false;
    }
    return true;
  }

  #untilDrained(): Behind {
    const sink = this.#sink as Partial<Writable>;
    if (typeof sink.once !== 'function' || sink.destroyed === true) return undefined;
    return new Promise((resolve) => {
      const events = ['drain', 'close', 'error'];
      const go = () => {
        for (const event of events) sink.removeListener?.(event, go);
        this.#behind = undefined;
        resolve();
      };
      for (const event of events) sink.once?.(event, go);
    });
  }
}
