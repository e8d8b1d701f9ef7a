import { setImmediate } from 'node:timers/promises';
import { beneathSubsets, sampleAt, type Samples } from '../dataset.js';
import { contexts, who, type BatchMaker, type BatchTask } from './batchMaker.js';

/** Makes batches in this thread until workers have started. */
export class FirstBatches<Item, Batch> {
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly dataset: Samples<Item>,
    private readonly maker: BatchMaker<Item, Batch>,
    /** Whether the workers have started, or nobody waits any more. */
    private readonly isOver: () => boolean,
  ) {}

  /** A batch, one after the other; undefined where the workers are to make it. */
  make(task: BatchTask): Promise<{ batch: Awaited<Batch> } | undefined> {
    const made = this.#last.then(() => this.#make(task));
    this.#last = made;
    return made;
  }

  async #make(task: BatchTask): Promise<{ batch: Awaited<Batch> } | undefined> {
    try {
      const [samples, indices, asker] = beneathSubsets(this.dataset, task.indices, who);
      if (this.isOver()) return undefined;
      if ('get' in samples && samples.getBatch !== undefined) return { batch: await this.maker.makeLater(task) };
      const found: Awaited<Item>[] = [];
      for (const [i, context] of contexts(task).entries()) {
        if (this.isOver()) return undefined;
        found.push(await sampleAt(samples, indices[i]!, asker, context));
        // No more of the event loop than a sample takes.
        await setImmediate();
      }
      return { batch: await this.maker.collate(found) };
    } catch {
      // The workers come to the same, and tell where.
      return undefined;
    }
  }
}
