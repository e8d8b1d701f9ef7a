import type { Dataset, SampleContext } from '../data/index.js';
import type { Logger } from '../log.js';

/** What a dataset is told when it loads its data. */
export interface LoadContext {
  /** This process among `worldSize`; 0 in a single process. */
  rank: number;
  worldSize: number;
  /** Waits until every rank has come here. Rank 0 prepares files before it, the others read them after it. */
  barrier: () => Promise<void>;
  /** Aborted when the run is asked to stop: what takes long may give up early. */
  signal: AbortSignal;
  /** `datasetArgs` of the experiment. */
  args: Record<string, unknown>;
  logger: Logger;
}

/** Indices of the samples to train on, to validate on and to test on. */
export interface Splits {
  train: readonly number[];
  val: readonly number[];
  test: readonly number[];
}

/**
 * What a plugin's `dataset.ts` extends, as `class Dataset`. Items are raw: the framework applies the preprocessor to them. One whose
 * items come later, such as from a database, extends `BaseDataset<Promise<Item>>`.
 *
 * @example
 * import { BaseDataset } from 'aiforge';
 * export class Dataset extends BaseDataset<number> {
 *   get length() { return 3; }
 *   get(index: number) { return index; }
 *   loadData() {}
 * }
 */
export abstract class BaseDataset<Item = unknown> implements Dataset<Item> {
  abstract get length(): number;

  /** The raw item at `index`, or a promise of it. It must not change from call to call. */
  abstract get(index: number, context?: SampleContext): Item;

  /** The raw items at some indices, in their order, where that is quicker than one by one: batches are then made of these. */
  getBatch?(indices: readonly number[], contexts?: readonly SampleContext[]): Item[] | Promise<Awaited<Item>[]>;

  /** Makes the items ready, from `dataPath`. */
  abstract loadData(dataPath: string, context: LoadContext): void | Promise<void>;

  /** The dataset's own division. Default: a random one by the fractions and the seed of the training configuration. */
  splits?(): Splits;

  /** Names of the classes, one for each that the model tells apart, for reports. */
  // Declared: a field would hide a getter of the class that extends this one.
  declare classNames?: readonly string[];
}
