import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { requireFolders } from '../atomicFile.js';
import { AiforgeError } from '../errors.js';
import { anything, listOf, string } from '../kinds.js';
import { plainJson } from '../plainJson.js';
import { isPromise } from '../promised.js';
import { load, save } from '../serialization/index.js';
import { signature } from '../signature.js';
import { keep } from '../tensor/index.js';
import { tensorsIn } from '../tensor/memory/scope.js';
import {
  checkIndex,
  getTakes,
  sampleAt,
  samplesKind,
  type Dataset,
  type SampleContext,
  type Samples,
} from './dataset.js';

export interface CacheOptions {
  /** Keeps samples in files there, as `save` writes them, for this and later processes. Default: in memory. */
  folder?: string;
  /** What the samples depend on, plain JSON: with another key they are made anew. Needed with `folder`. */
  key?: unknown;
  /** Files that the samples are made of: they count with their sizes and times to the key. Default: none. */
  files?: readonly string[];
}

const cacheTakes = signature<CacheOptions>(
  { dataset: samplesKind },
  { folder: string, key: anything, files: listOf(string) },
);

const refusal = (problem: string): AiforgeError => new AiforgeError('INVALID_ARGUMENT', `cache: ${problem}.`);

/**
 * A dataset that asks another one for each sample once. Put it beneath what is random: a sample that was drawn would stay as it is.
 * Each worker of a DataLoader has a memory of its own; files are shared. As `cache` of `tf.data`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a folder without a key; FILE_NOT_FOUND for files that are not there; from `get`
 * FILE_NOT_WRITABLE for a folder that cannot be written. A file that is damaged is made anew.
 * @example
 * import { data } from 'aiforge';
 * let asked = 0;
 * const cached = data.cache({ length: 2, get: (index) => index + ++asked });
 * [cached.get(0), cached.get(0)]; // [1, 1]
 */
export function cache<Item>(dataset: Samples<Item>, options: CacheOptions = {}): CachedDataset<Item> {
  cacheTakes.check('cache', arguments);
  return new CachedDataset(dataset, options);
}

/** What `cache` gives. */
export class CachedDataset<Item> implements Dataset<Item> {
  readonly #kept = new Map<number, Item>();
  readonly #folder: string | null;

  constructor(
    readonly dataset: Samples<Item>,
    readonly options: CacheOptions,
  ) {
    const { folder, key, files = [] } = options;
    if (folder !== undefined && key === undefined && files.length === 0) {
      throw refusal('a folder needs a key, or files, so that samples of other options are not taken for these');
    }
    this.#folder = folder === undefined ? null : path.join(folder, digestOf({ key, files: files.map(stampOf), length: dataset.length })); // prettier-ignore
  }

  get length(): number {
    return this.dataset.length;
  }

  get(index: number, context?: SampleContext): Item {
    if (arguments.length > 1) getTakes.check('get', arguments);
    checkIndex('cache', index, this.length);
    if (this.#folder !== null) return this.#fromFile(this.#folder, index, context);
    if (!this.#kept.has(index)) this.#kept.set(index, this.#held(this.#asked(index, context), index));
    return this.#kept.get(index)!;
  }

  #asked(index: number, context: SampleContext | undefined): Item {
    return sampleAt(this.dataset, index, 'cache: its dataset', context);
  }

  /** A batch's scope must not end what stays. One that fails is asked for again. */
  #held(sample: Item, index: number): Item {
    const kept = <Sample>(made: Sample): Sample => {
      tensorsIn(made).forEach(keep);
      return made;
    };
    if (!isPromise(sample)) return kept(sample);
    const coming = Promise.resolve(sample).then(kept);
    coming.catch(() => this.#kept.delete(index));
    return coming as Item;
  }

  #fromFile(folder: string, index: number, context: SampleContext | undefined): Item {
    const file = path.join(folder, `${index}.pt`);
    const found = readWhole(file);
    if (found !== undefined) return found.sample as Item;
    const sample = this.#asked(index, context);
    const write = <Sample>(made: Sample): Sample => {
      requireFolders(folder);
      save({ sample: made }, file);
      return made;
    };
    return isPromise(sample) ? (Promise.resolve(sample).then(write) as Item) : write(sample);
  }
}

/** Undefined for a file that is not there, or is damaged. */
function readWhole(file: string): { sample: unknown } | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const read = load<{ sample: unknown }>(file);
    return 'sample' in read ? read : undefined;
  } catch (error) {
    if (error instanceof AiforgeError && ['FILE_INVALID', 'FILE_NOT_FOUND'].includes(error.code)) return undefined;
    throw error;
  }
}

function stampOf(file: string): unknown {
  try {
    const { size, mtimeMs } = statSync(file);
    return [path.resolve(file), size, mtimeMs];
  } catch (cause) {
    throw new AiforgeError('FILE_NOT_FOUND', `cache: there is no file ${file}, which the samples are made of.`, {
      cause,
    });
  }
}

/** Throws INVALID_ARGUMENT for a key that JSON makes something else of: nothing would tell it from other keys. */
function digestOf(key: { key: unknown; files: readonly unknown[]; length: number }): string {
  const json = plainJson('cache: its key', key, 'INVALID_ARGUMENT');
  return createHash('sha256').update(json).digest('hex').slice(0, 32);
}
