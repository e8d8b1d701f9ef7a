import { scope } from '../../tensor/index.js';
import { defaultCollate } from '../collate.js';
import { beneathSubsets, samplesAt, samplesNow, type SampleContext, type Samples } from '../dataset.js';
import { arrived, isOnItsWay } from '../found.js';
import { rowsOf } from '../tensorDataset.js';
import { sampleDraws, type PassSeed } from './sampleDraws.js';

/** The samples of one batch. */
export interface BatchTask {
  readonly indices: readonly number[];
  /** The pass's. */
  readonly seed: PassSeed;
  /** How many samples of the pass come before. */
  readonly place: number;
}

/** Who asks, for an error. */
export const who = 'DataLoader, from its sampler';

/** Makes batches of a dataset's samples. */
export class BatchMaker<Item, Batch> {
  readonly #isPlain: boolean;

  constructor(
    readonly dataset: Samples<Item>,
    readonly collate: (samples: Awaited<Item>[]) => Batch,
  ) {
    this.#isPlain = collate === (defaultCollate as unknown);
  }

  /** Throws INVALID_ARGUMENT for samples that are promises. */
  make(task: BatchTask): Batch {
    return scope(() => {
      const place = beneathSubsets(this.dataset, task.indices, who);
      return this.#rows(place) ?? this.collate(samplesNow(...place, contexts(task)) as Awaited<Item>[]);
    });
  }

  /** The samples of the batch may be on their way, all at the same time. */
  async makeLater(task: BatchTask): Promise<Awaited<Batch>> {
    const place = beneathSubsets(this.dataset, task.indices, who);
    const rows = this.#rows(place);
    if (rows !== null) return rows as Awaited<Batch>;
    return this.collate(await arrived(samplesAt(...place, contexts(task)))) as Awaited<Batch>;
  }

  /** At once where the samples are there, else as a promise. */
  makeSoon(task: BatchTask): Batch | Promise<Awaited<Batch>> {
    const place = beneathSubsets(this.dataset, task.indices, who);
    const rows = this.#rows(place);
    if (rows !== null) return rows;
    const found = samplesAt(...place, contexts(task));
    if (!isOnItsWay(found)) return this.collate(found as Awaited<Item>[]);
    return arrived(found).then((samples) => this.collate(samples) as Awaited<Batch>);
  }

  #rows(place: ReturnType<typeof beneathSubsets<Item>>): Batch | null {
    return this.#isPlain ? (rowsOf(...place) as Batch | null) : null;
  }
}

/** What each sample of a batch draws from. */
export const contexts = ({ indices, seed, place }: BatchTask): SampleContext[] =>
  indices.map((index, i) => sampleDraws(seed, index, place + i));
