import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { requireFolders } from '../../atomicFile.js';
import { AiforgeError } from '../../errors.js';
import { boolean, count, kind, listOf, string } from '../../kinds.js';
import { isOptions, nothing, signature } from '../../signature.js';
import { keep, saveSafetensors, scope, type Tensor } from '../../tensor/index.js';
import { sha256OfFile } from '../../tensor/files/sha256.js';
import { bytesIn, checkFields, checkForms, columnTensors, formsOf, valuesOf, type ShardSample } from './fields.js';
import { indexFile, indexText, readIndex, shardName, writeIndex, type FieldForm, type ShardEntry, type ShardIndex } from './shardIndex.js'; // prettier-ignore

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
 * there whole or not at all, and the index names those that are whole. A folder has one writer at a time: of two, the one that began
 * later goes on.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a folder with shards, and for samples that differ in their fields, dtypes or shapes;
 * FILE_NOT_WRITABLE, also where another writer has begun in the folder; FILE_INVALID for a damaged index. A sample whose `add` throws
 * was not added.
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
  /** By which this writer knows the index as its own. */
  readonly #id = randomUUID();
  #written = '';

  constructor(folder: string, options: ShardWriterOptions = {}) {
    writerTakes.check(new.target.name, arguments);
    const { shardBytes = 2 ** 28, shardSamples = Infinity, ragged = [], resume = false } = options;
    this.folder = folder;
    this.#options = { shardBytes, shardSamples, ragged };
    requireFolders(folder);
    const index = readIndex(folder);
    if (index !== null && (index.complete || index.shards.length > 0) && !resume)
      throw refusal(`${folder} has shards already; give resume to go on, or another folder`);
    if (index?.complete) throw refusal(`${folder} is complete, so nothing can be added to it`);
    this.#fields = index === null || index.shards.length === 0 ? null : index.fields;
    if (this.#fields !== null) checkRagged(this.#fields, ragged);
    this.#shards = [...(index?.shards ?? [])];
    this.#safeSamples = this.#shards.reduce((sum, { samples }) => sum + samples, 0);
    this.#writeIndex(false);
    removeUnfinished(folder);
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
    const values = this.#checked(sample);
    const bytes = [...values.values()].reduce((sum, value) => sum + bytesIn(value), 0);
    this.#rows.push(values);
    this.#bytes += bytes;
    if (this.#bytes < this.#options.shardBytes && this.#rows.length < this.#options.shardSamples) return;
    try {
      this.flush();
    } catch (error) {
      // Who tries again, once the disk has room, gives the sample again.
      if (this.#rows.pop() !== undefined) this.#bytes -= bytes;
      throw error;
    }
  }

  #checked(sample: ShardSample): Map<string, Tensor | string> {
    return scope(() => {
      const values = valuesOf(sample, this.#fields);
      const fields = this.#fields ?? this.#formsOf(values);
      checkForms(values, fields);
      this.#fields = fields;
      for (const value of values.values()) if (typeof value !== 'string') keep(value);
      return values;
    });
  }

  #formsOf(values: ReadonlyMap<string, Tensor | string>): Record<string, FieldForm> {
    const forms = formsOf(values, this.#options.ragged);
    checkFields(forms, this.#options.ragged);
    return forms;
  }

  /** Writes the samples that wait, as a shard. */
  flush(): void {
    nothing.check('flush', arguments);
    if (this.#rows.length === 0) return;
    this.#requireOwn();
    const name = shardName(this.#shards.length);
    const file = path.join(this.folder, name);
    const samples = this.#rows.length;
    scope(() => saveSafetensors(file, Object.fromEntries(this.#columns()), { samples: String(samples) }));
    const entry = { file: name, samples, bytes: statSync(file).size, sha256: sha256OfFile(file, 'shard') };
    this.#requireOwn();
    this.#writeIndex(false, [...this.#shards, entry]);
    this.#shards.push(entry);
    for (const row of this.#rows) for (const value of row.values()) if (typeof value !== 'string') value.dispose();
    this.#rows = [];
    this.#bytes = 0;
    this.#safeSamples += samples;
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
    this.#requireOwn();
    this.#writeIndex(true);
    this.#isClosed = true;
  }

  /** Throws FILE_NOT_WRITABLE where the index is not as this writer left it. */
  #requireOwn(): void {
    const file = indexFile(this.folder);
    if (existsSync(file) && readFileSync(file, 'utf8') === this.#written) return;
    throw new AiforgeError('FILE_NOT_WRITABLE', `ShardWriter: ${file} is not as this writer left it: another one has begun in the folder, or the file was changed or removed. Give each writer a folder of its own; the ${this.samples - this.safeSamples} samples that wait are not written.`); // prettier-ignore
  }

  #writeIndex(complete: boolean, shards: readonly ShardEntry[] = this.#shards): void {
    const fields = this.#fields ?? {};
    const writer = complete ? {} : { writer: this.#id };
    const index: ShardIndex = { format: 'aiforge-shards', version: 1, complete, ...writer, fields, shards };
    writeIndex(this.folder, index);
    this.#written = indexText(index);
  }
}

/** What a writer that was killed had begun. */
function removeUnfinished(folder: string): void {
  const unfinished = /^\.(\d{6,}\.safetensors|index\.json)\.[0-9a-f-]{36}\.tmp$/;
  for (const name of readdirSync(folder)) if (unfinished.test(name)) rmSync(path.join(folder, name), { force: true });
}

function checkRagged(fields: Readonly<Record<string, FieldForm>>, ragged: readonly string[]): void {
  const other = ragged.find((name) => fields[name]?.form !== 'ragged');
  if (other !== undefined)
    throw refusal(`ragged names '${other}', which is no ragged field of the shards that are there`);
}

const refusal = (problem: string): AiforgeError => new AiforgeError('INVALID_ARGUMENT', `ShardWriter: ${problem}.`);
