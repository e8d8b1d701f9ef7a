import { Buffer } from 'node:buffer';
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { AiforgeError } from '../../errors.js';
import { count, size, string } from '../../kinds.js';
import { signature } from '../../signature.js';
import { keep, scope, type Tensor } from '../../tensor/index.js';
import { mapSafetensors } from '../../tensor/files/safetensors.js';
import { checkIndex, getTakes, type Dataset } from '../dataset.js';
import { rememberArguments } from '../workers/remembered.js';
import { indexFile, invalid, readIndex, type FieldForm, type ShardEntry, type ShardIndex } from './shardIndex.js';

export interface ShardedDatasetOptions {
  /** Reads only the shards of this rank among `worldSize`: every `worldSize`-th one from the `rank`-th on. Default: 0. */
  rank?: number;
  /** Default: 1. */
  worldSize?: number;
}

const datasetTakes = signature<ShardedDatasetOptions>({ folder: string }, { rank: size, worldSize: count });

/** What `ShardedDataset` gives: tensors, and the texts of fields of strings. */
export type ShardedSample = Record<string, Tensor | string>;

/**
 * The samples of a folder that a `ShardWriter` wrote, larger than memory if need be: shards are mapped into memory when they are first
 * asked for, and the system reads and lets go of their pages. Any number of processes may read a folder at the same time.
 *
 * @throws AiforgeError FILE_NOT_FOUND for a folder without shards; FILE_INVALID for a damaged index, and for a shard that has another
 * size than the index says (`verifyShards` also looks at the contents); INVALID_ARGUMENT for a folder that is not complete.
 * @example
 * import { data, ones } from 'aiforge';
 * import { mkdtempSync } from 'node:fs';
 * const folder = mkdtempSync('/tmp/aiforge-shards-');
 * const writer = new data.ShardWriter(folder);
 * for (let label = 0; label < 4; ++label) writer.add({ image: ones([2, 2]), label });
 * writer.close();
 * const dataset = new data.ShardedDataset(folder);
 * for (const { image, label } of new data.DataLoader(dataset, { batchSize: 2 })) console.log(image.shape, label.tolist());
 */
export class ShardedDataset implements Dataset<ShardedSample> {
  readonly folder: string;
  readonly length: number;
  readonly fields: Readonly<Record<string, FieldForm>>;
  readonly #shards: readonly ShardEntry[];
  /** Where the samples of each shard end. */
  readonly #ends: readonly number[];
  readonly #open = new Map<number, Record<string, Tensor>>();

  constructor(folder: string, options: ShardedDatasetOptions = {}) {
    datasetTakes.check(new.target.name, arguments);
    const { rank = 0, worldSize = 1 } = options;
    if (rank >= worldSize) throw refusal(`rank ${rank} is outside 0 … ${worldSize - 1}`);
    const { shards, fields } = completeIndex(folder);
    if (shards.length > 0 && shards.length < worldSize) {
      throw refusal(`${folder} has ${shards.length} shards, fewer than the ${worldSize} ranks; write smaller ones`);
    }
    this.folder = folder;
    this.fields = fields;
    this.#shards = shards.filter((_, number) => number % worldSize === rank);
    let sum = 0;
    this.#ends = this.#shards.map(({ samples }) => (sum += samples));
    this.length = sum;
    if (new.target === ShardedDataset) rememberArguments(this, 'ShardedDataset', arguments);
  }

  get(index: number): ShardedSample {
    if (arguments.length > 1) getTakes.check('get', arguments);
    checkIndex('ShardedDataset', index, this.length);
    const shard = this.#shardOf(index);
    const row = index - (this.#ends[shard - 1] ?? 0);
    const tensors = this.#opened(shard);
    const entries = Object.entries(this.fields).map(
      ([name, form]) => [name, valueAt(tensors, name, form, row)] as const,
    );
    return Object.fromEntries(entries);
  }

  #shardOf(index: number): number {
    let [low, high] = [0, this.#ends.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#ends[middle]! > index) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #opened(shard: number): Record<string, Tensor> {
    const opened = this.#open.get(shard);
    if (opened !== undefined) return opened;
    const entry = this.#shards[shard]!;
    const file = path.join(this.folder, entry.file);
    const tensors = scope(() => {
      const mapped = mapShard(file, entry, this.fields);
      // They stay beyond the batch that asked first.
      Object.values(mapped).forEach(keep);
      return mapped;
    });
    this.#open.set(shard, tensors);
    return tensors;
  }
}

const refusal = (problem: string): AiforgeError => new AiforgeError('INVALID_ARGUMENT', `ShardedDataset: ${problem}.`);

function completeIndex(folder: string): ShardIndex {
  const index = readIndex(folder);
  if (index === null) {
    throw new AiforgeError('FILE_NOT_FOUND', `There are no shards in ${folder}: ${indexFile(folder)} is missing. Write them by ShardWriter, or check the path.`); // prettier-ignore
  }
  if (!index.complete) throw refusal(`the shards in ${folder} are not complete; let their writer go on, with resume`);
  return index;
}

/** The tensors of a shard. Throws FILE_NOT_FOUND, and FILE_INVALID where they are not what the index says. */
export function mapShard(
  file: string,
  { samples, bytes }: ShardEntry,
  fields: Readonly<Record<string, FieldForm>>,
): Record<string, Tensor> {
  if (!existsSync(file)) throw new AiforgeError('FILE_NOT_FOUND', `There is no shard ${file}, which the index names.`);
  const found = statSync(file).size;
  if (found !== bytes) throw invalid(file, `it has ${found} bytes, and the index says ${bytes}: it was cut or changed`);
  const { tensors } = mapSafetensors(file);
  for (const [name, form] of Object.entries(fields)) checkColumn(file, tensors, name, form, samples);
  return tensors;
}

function checkColumn(
  file: string,
  tensors: Readonly<Record<string, Tensor>>,
  name: string,
  form: FieldForm,
  samples: number,
): void {
  const require = (key: string, dtype: string, shape: readonly (number | null)[]): void => {
    const tensor = tensors[key];
    const isRight = tensor?.dtype === dtype && hasShape(tensor, shape);
    if (!isRight) throw invalid(file, `its tensor '${key}' is not what the index says of the field '${name}'`);
  };
  if (form.form === 'fixed') {
    require(name, form.dtype, [samples, ...form.shape]);
    return;
  }
  require(`${name}.offsets`, 'int64', [samples + 1]);
  if (form.form === 'text') require(`${name}.values`, 'uint8', [null]);
  else require(`${name}.values`, form.dtype, [null, ...form.shape]);
}

const hasShape = ({ shape }: Tensor, expected: readonly (number | null)[]): boolean =>
  shape.length === expected.length && shape.every((each, i) => expected[i] === null || expected[i] === each);

function valueAt(
  tensors: Readonly<Record<string, Tensor>>,
  name: string,
  form: FieldForm,
  row: number,
): Tensor | string {
  if (form.form === 'fixed') return tensors[name]!.select(0, row);
  const offsets = tensors[`${name}.offsets`]!;
  const values = tensors[`${name}.values`]!;
  const [from, to] = [offsets.at(row).item<number>(), offsets.at(row + 1).item<number>()];
  if (from < 0 || to < from || to > values.size(0)) {
    throw new AiforgeError('FILE_INVALID', `ShardedDataset: the offsets of '${name}' are damaged: ${from} to ${to} of ${values.size(0)}.`); // prettier-ignore
  }
  const own = values.narrow(0, from, to - from);
  return form.form === 'text' ? Buffer.from(own.toTypedArray() as Uint8Array).toString('utf8') : own;
}
