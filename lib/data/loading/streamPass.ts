import { scope } from '../../tensor/index.js';
import { AiforgeError } from '../../errors.js';
import { isPromise, unheard } from '../../promised.js';
import type { OpenStream, Position } from '../stream.js';

export interface StreamOptions<Item, Batch> {
  batchSize: number;
  dropLast: boolean;
  collate: (samples: Awaited<Item>[]) => Batch;
}

/** One pass over a stream. */
export class StreamPass<Item, Batch> {
  readonly #reader: OpenStream<Item>;
  readonly #options: StreamOptions<Item, Batch>;

  constructor(stream: OpenStream<Item>, options: StreamOptions<Item, Batch>) {
    this.#reader = stream;
    this.#options = options;
  }

  /** Where the batches handed out so far end. */
  position(): Position {
    return this.#reader.position();
  }

  /** Who is at the next batch, for an error. */
  holder(): string {
    return this.#reader.holder?.() ?? 'the stream';
  }

  /** The next batch; undefined after the last one. Throws INVALID_ARGUMENT for a stream whose samples come later. */
  now(): { batch: Batch } | undefined {
    return scope(() => {
      const samples: Item[] = [];
      while (samples.length < this.#options.batchSize) {
        const read = this.#reader.next();
        if (isPromise(read)) throw isLater(read);
        if (read.done) break;
        if (isPromise(read.value)) throw isLater(read.value);
        samples.push(read.value);
      }
      return this.#isBatch(samples) ? { batch: this.#options.collate(samples as Awaited<Item>[]) } : undefined;
    });
  }

  /** The same, awaited. */
  async later(): Promise<{ batch: Awaited<Batch> } | undefined> {
    const samples: Item[] = [];
    while (samples.length < this.#options.batchSize) {
      const { done, value } = await this.#reader.next();
      if (done) break;
      samples.push(value);
    }
    if (!this.#isBatch(samples)) return undefined;
    return { batch: await this.#options.collate(await Promise.all(samples)) };
  }

  #isBatch({ length }: Item[]): boolean {
    return length > 0 && (length === this.#options.batchSize || !this.#options.dropLast);
  }

  /** Lets go of what is read; `error` is what ended the pass. */
  close(error?: unknown): unknown {
    return this.#reader.return(error);
  }
}

function isLater(promise: PromiseLike<unknown>): AiforgeError {
  unheard(promise);
  return new AiforgeError(
    'INVALID_ARGUMENT',
    'DataLoader: the samples of this stream come later, as promises; take the batches with `for await`, which awaits them.',
  );
}
