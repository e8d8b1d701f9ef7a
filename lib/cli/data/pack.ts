import { ShardWriter, type ShardWriterOptions } from '../../data/shards/shardWriter.js';
import { AiforgeError } from '../../errors.js';
import { samplesOf } from './sources.js';

export interface PackOptions {
  shardSamples?: string;
  shardMib?: string;
  images?: string;
  resume?: boolean;
}

/** How often progress is told, in milliseconds. */
const interval = 2000;

/** `aiforge data pack`: writes sources as shards; gives the exit status. */
export async function pack(folder: string, sources: readonly string[], options: PackOptions): Promise<number> {
  const samples = samplesOf(sources, sizeOf(options.images));
  const writer = new ShardWriter(folder, writerOptions(options));
  const before = writer.safeSamples;
  let [seen, told] = [0, Date.now()];
  for await (const sample of samples) {
    if (seen++ < before) continue;
    writer.add(sample);
    if (Date.now() - told < interval) continue;
    told = Date.now();
    process.stderr.write(`${writer.samples} samples\n`);
  }
  if (seen < before) {
    throw new AiforgeError('INVALID_ARGUMENT', `aiforge data pack: the sources have ${seen} samples, fewer than the ${before} in the whole shards of ${folder}; give those that the shards were begun with.`); // prettier-ignore
  }
  writer.close();
  process.stdout.write(`${writer.samples} samples are in ${folder}: new data.ShardedDataset('${folder}')\n`);
  return 0;
}

function writerOptions({ shardSamples, shardMib, resume = false }: PackOptions): ShardWriterOptions {
  return {
    ...(shardSamples === undefined ? {} : { shardSamples: countOf('--shard-samples', shardSamples) }),
    ...(shardMib === undefined ? {} : { shardBytes: countOf('--shard-mib', shardMib) * 2 ** 20 }),
    resume,
  };
}

function countOf(option: string, text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : 0;
  if (value > 0 && Number.isSafeInteger(value)) return value;
  throw new AiforgeError('INVALID_ARGUMENT', `${option}: got '${text}', expected a whole number above 0.`);
}

function sizeOf(text: string | undefined): [number, number] | undefined {
  if (text === undefined) return undefined;
  const [, height, width = height] = /^(\d+)(?:x(\d+))?$/.exec(text) ?? [];
  if (height === undefined) throw new AiforgeError('INVALID_ARGUMENT', `--images: got '${text}', expected a size such as 224 or 224x320.`); // prettier-ignore
  return [countOf('--images', height), countOf('--images', width!)];
}
