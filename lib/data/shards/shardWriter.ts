import { statSync } from 'node:fs';
import path from 'node:path';
import { makeFolders } from '../../atomicFile.js';
import { AiforgeError } from '../../errors.js';
import { boolean, count, kind, listOf, string } from '../../kinds.js';
import { isOptions, nothing, signature } from '../../signature.js';
import { saveSafetensors, scope, type Tensor } from '../../tensor/index.js';
import { sha256OfFile } from '../../tensor/files/sha256.js';
import { bytesIn, checkForms, columnTensors, formsOf, valuesOf, type ShardSample } from './fields.js';
import { readIndex, shardName, writeIndex, type FieldForm, type ShardEntry, type ShardIndex } from './shardIndex.js';

export interface ShardWriterOptions {
  /** Bytes after which a new shard begins. Default: 256 MiB. */
  shardBytes?: number;
  /** Samples after which a new shard begins. Default: any number. */
  shardSamples?: number;
  /** Fields whose first size differs from sample to sample, such as tokens. Default: none. */
  ragged?: readonly string[];
  /** Goes on where a writer stopped before, after its last whole shard; else a folder with shards is refused. Default: false. */
  resume?: boolean;
}

const writerTakes = signature<ShardWriterOptions>(
  { folder: string },
  { shardBytes: count, shardSamples: count, ragged: listOf(string), resume: boolean },
);
const addTakes = signature({
  sample: kind<ShardSample>(
    'an object with a field or more',
    (value) => isOptions(value) && Object.keys(value).length > 0,
  ),
});

/**
 * Writes samples to a folder of shards, which `ShardedDataset` reads: safetensors files and an index with their checksums. A shard is
 * there whole or not at all, and the index names those that are whole.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a folder with shards, and for samples that differ in their fields, dtypes or shapes;
 * FILE_NOT_WRITABLE; FILE_INVALID for a damaged index.
 * @example
 * import { data, ones } from 'aiforge';
 * import { mkdtempSync } from 'node:fs';
 * const folder = mkdtempSync('/tmp/aiforge-shards-');
 * const writer = new data.ShardWriter(folder, { ragged: ['tokens'] });
 * writer.add({ image: ones([3, 2, 2]), tokens: [5, 6, 7], name: 'first' });
 * writer.add({ image: ones([3, 2, 2]), tokens: [8], name: 'second' });
 * writer.close();
 * new data.ShardedDataset(folder).get(1).tokens.tolist(); // [8]
 */
export class ShardWriter {
  readonly folder: string;
  readonly #options: Required<Omit<ShardWriterOptions, 'resume'>>;
  #fields: Readonly<Record<string, FieldForm>> | null = null;
  readonly #shards: ShardEntry[];
  #rows: Map<string, Tensor | string>[] = [];
  #bytes = 0;
  #safeSamples: number;
  #isClosed = false;

  constructor(folder: string, options: ShardWriterOptions = {}) {
    writerTakes.check(new.target.name, arguments);
    const { shardBytes = 2 ** 28, shardSamples = Infinity, ragged = [], resume = false } = options;
    this.folder = folder;
    this.#options = { shardBytes, shardSamples, ragged };
    makeFolders(folder);
    const index = readIndex(folder);
    if (index !== null && (index.complete || index.shards.length > 0) && !resume)
      throw refusal(`${folder} has shards already; give resume to go on, or another folder`);
    if (index?.complete) throw refusal(`${folder} is complete, so nothing can be added to it`);
    this.#fields = index === null || index.shards.length === 0 ? null : index.fields;
    this.#shards = [...(index?.shards ?? [])];
    this.#safeSamples = this.#shards.reduce((sum, { samples }) => sum + samples, 0);
    this.#writeIndex(false);
  }

  /** How many samples are in whole shards: where to go on after an interruption. */
  get safeSamples(): number {
    return this.#safeSamples;
  }

  /** How many samples there are with those that wait for their shard. */
  get samples(): number {
    return this.safeSamples + this.#rows.length;
  }

  /** Adds a sample: an object of tensors, numbers, booleans, lists of numbers and strings, with the same fields each time. */
  add(sample: ShardSample): void {
    addTakes.check('add', arguments);
    if (this.#isClosed) throw refusal('the writer is closed');
    const values = valuesOf(sample, this.#fields);
    this.#fields ??= formsOf(values, this.#options.ragged);
    checkForms(values, this.#fields);
    for (const value of values.values()) this.#bytes += bytesIn(value);
    this.#rows.push(values);
    if (this.#bytes >= this.#options.shardBytes || this.#rows.length >= this.#options.shardSamples) this.flush();
  }

  /** Writes the samples that wait, as a shard. */
  flush(): void {
    nothing.check('flush', arguments);
    if (this.#rows.length === 0) return;
    const name = shardName(this.#shards.length);
    const file = path.join(this.folder, name);
    const samples = this.#rows.length;
    scope(() => saveSafetensors(file, Object.fromEntries(this.#columns()), { samples: String(samples) }));
    for (const row of this.#rows) for (const value of row.values()) if (typeof value !== 'string') value.dispose();
    this.#rows = [];
    this.#bytes = 0;
    this.#shards.push({ file: name, samples, bytes: statSync(file).size, sha256: sha256OfFile(file, 'shard') });
    this.#safeSamples += samples;
    this.#writeIndex(false);
  }

  #columns(): [string, Tensor][] {
    return Object.entries(this.#fields!).flatMap(([name, form]) =>
      columnTensors(
        name,
        form,
        this.#rows.map((row) => row.get(name)!),
      ),
    );
  }

  /** Writes what waits, and says in the index that it is complete. */
  close(): void {
    nothing.check('close', arguments);
    if (this.#isClosed) return;
    this.flush();
    this.#writeIndex(true);
    this.#isClosed = true;
  }

  #writeIndex(complete: boolean): void {
    const index: ShardIndex = {
      format: 'aiforge-shards',
      version: 1,
      complete,
      fields: this.#fields ?? {},
      shards: this.#shards,
    };
    writeIndex(this.folder, index);
  }
}

const refusal = (problem: string): AiforgeError => new AiforgeError('INVALID_ARGUMENT', `ShardWriter: ${problem}.`);
