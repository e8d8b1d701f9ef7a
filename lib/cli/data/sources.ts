import { statSync } from 'node:fs';
import path from 'node:path';
import {
  ArrowReader,
  CsvReader,
  ImageFolder,
  JsonLinesReader,
  ParquetReader,
  TableDataset,
  TextFolder,
  TextReader,
  type TableReader,
} from '../../data/index.js';
import { AiforgeError } from '../../errors.js';
import type { ShardSample } from '../../data/shards/fields.js';

type Samples = AsyncIterable<ShardSample>;

const tables: readonly (readonly [ending: RegExp, read: (files: string[]) => TableReader])[] = [
  [/\.[ct]sv(\.gz)?$/i, (files) => new CsvReader(files)],
  [/\.jsonl(\.gz)?$/i, (files) => new JsonLinesReader(files)],
  [/\.parquet$/i, (files) => new ParquetReader(files)],
  [/\.(arrow|feather|ipc)$/i, (files) => new ArrowReader(files)],
];

const refusal = (problem: string): AiforgeError =>
  new AiforgeError('INVALID_ARGUMENT', `aiforge data pack: ${problem}.`);

/** The samples of files of one kind, or of a folder with classes. Throws INVALID_ARGUMENT for sources that nothing reads. */
export function samplesOf(sources: readonly string[], imageSize: readonly [number, number] | undefined): Samples {
  const folder = sources.find((source) => statSync(source, { throwIfNoEntry: false })?.isDirectory());
  if (folder !== undefined) {
    if (sources.length > 1) throw refusal(`${folder} is a folder, which stands alone`);
    return imageSize === undefined ? texts(folder) : images(folder, imageSize);
  }
  if (imageSize !== undefined) throw refusal(`--images is for a folder of images, and ${sources[0]} is a file`);
  const found = [...tables, [/\.txt(\.gz)?$/i, null] as const].find(([ending]) => sources.every((file) => ending.test(file))); // prettier-ignore
  if (found === undefined) {
    throw refusal(`there is no reader for ${sources.map((file) => path.basename(file)).join(', ')} together; expected files that all end in .csv, .tsv, .jsonl, .parquet, .arrow or .txt, or one folder`); // prettier-ignore
  }
  const [, read] = found;
  return read === null ? lines(sources) : rows(read([...sources]));
}

// As tensors of the columns' dtypes: a number alone does not say its own.
async function* rows(table: TableReader): Samples {
  for await (const columns of table) {
    const batch = new TableDataset(columns);
    for (let i = 0; i < batch.length; ++i) yield batch.get(i);
  }
}

async function* lines(files: readonly string[]): Samples {
  for await (const text of new TextReader(files)) yield { text };
}

async function* images(folder: string, resize: readonly [number, number]): Samples {
  const dataset = new ImageFolder(folder, { resize });
  for (let i = 0; i < dataset.length; ++i) {
    const [image, label] = await dataset.get(i);
    yield { image, label };
  }
}

async function* texts(folder: string): Samples {
  const dataset = new TextFolder(folder);
  for (let i = 0; i < dataset.length; ++i) {
    const [text, label] = await Promise.resolve(dataset.get(i));
    yield { text, label };
  }
}
