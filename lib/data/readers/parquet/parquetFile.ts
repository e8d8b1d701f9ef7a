import { firstRepeated } from '../../../repeated.js';
import type * as hyparquet from 'hyparquet' with { 'resolution-mode': 'import' };
import { AiforgeError } from '../../../errors.js';
import { optionalLibrary } from '../../optionalLibrary.js';
import { openLocalFile, type LocalFile } from '../localFile.js';
import { ChunkCursor, type RawRows } from './chunkCursor.js';
import { decompressorOf } from './codecs.js';
import { decodedRows } from './decodedRows.js';
import { parquetColumn, type ParquetColumn, type SchemaNode } from './parquetColumns.js';

const uses = ['parquetMetadataAsync', 'parquetSchema', 'parquetRead', 'snappyUncompress'];

const loadHyparquet = (): Promise<typeof hyparquet> => optionalLibrary('ParquetReader', 'hyparquet', uses);

export type Hyparquet = typeof hyparquet;
export type Metadata = Awaited<ReturnType<Hyparquet['parquetMetadataAsync']>>;

/** What gives the rows of a column. */
export interface Cursor {
  read(count: number): RawRows;
}

/** The encodings that ChunkCursor knows. Values of others hyparquet decodes, a row group of a column as a whole. */
const quick: ReadonlySet<string> = new Set(['PLAIN', 'RLE', 'PLAIN_DICTIONARY', 'RLE_DICTIONARY']);

/** The error for a damaged file. */
export const invalidParquet = (path: string, problem: string, cause?: unknown): AiforgeError =>
  new AiforgeError('FILE_INVALID', `ParquetReader: '${path}'${problem}.`, { cause });

/** Of a damaged file a name may be missing; of two columns of one name, nothing tells which is meant. */
function checkNames(path: string, names: readonly unknown[]): void {
  if (!names.every((name) => typeof name === 'string')) throw invalidParquet(path, ': a column has no name');
  const twice = firstRepeated(names);
  if (twice !== undefined) throw invalidParquet(path, ` has two columns '${twice}'`);
}

type RowGroup = Metadata['row_groups'][number];

const chunksOf = new WeakMap<RowGroup, ReadonlyMap<string, RowGroup['columns'][number]>>();

/** Where the columns of a row group lie, but for nested ones. */
function chunksByColumn(group: RowGroup): ReadonlyMap<string, RowGroup['columns'][number]> {
  let chunks = chunksOf.get(group);
  if (chunks === undefined) {
    const found = new Map<string, RowGroup['columns'][number]>();
    for (const chunk of group.columns) {
      const { path_in_schema: path = [] } = chunk.meta_data ?? {};
      if (path.length === 1 && !found.has(path[0]!)) found.set(path[0]!, chunk);
    }
    chunksOf.set(group, (chunks = found));
  }
  return chunks;
}

/** A Parquet file that is open. */
export class ParquetFile {
  /** The columns, or why they cannot be read, by name. */
  readonly columns: ReadonlyMap<string, ParquetColumn | string>;
  readonly #library: Hyparquet;
  readonly #file: LocalFile;
  readonly #metadata: Metadata;

  private constructor(library: Hyparquet, file: LocalFile, metadata: Metadata) {
    this.#library = library;
    this.#file = file;
    this.#metadata = metadata;
    const { children } = library.parquetSchema(metadata);
    const nodes = children as readonly SchemaNode[];
    checkNames(
      file.path,
      nodes.map(({ element }) => element.name),
    );
    this.columns = new Map(nodes.map((node) => [node.element.name, parquetColumn(node)]));
  }

  static async open(path: string): Promise<ParquetFile> {
    const library = await loadHyparquet();
    const file = await openLocalFile('ParquetReader', path);
    try {
      await checkMagic(file);
      const metadata = await library.parquetMetadataAsync(bufferOf(file), { geoparquet: false });
      return new ParquetFile(library, file, metadata);
    } catch (cause) {
      await file.close();
      if (cause instanceof AiforgeError) throw cause;
      throw invalidParquet(path, `: its metadata is damaged: ${(cause as Error).message}`, cause);
    }
  }

  get path(): string {
    return this.#file.path;
  }

  /** How many rows each row group has. */
  get groups(): readonly number[] {
    return this.#metadata.row_groups.map(({ num_rows: rows }) => Number(rows));
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /** The rows of a column in a row group. */
  async cursor(group: number, column: ParquetColumn): Promise<Cursor> {
    const chunk = chunksByColumn(this.#metadata.row_groups[group]!).get(column.name);
    const where = `ParquetReader: '${this.path}', row group ${group}, column '${column.name}'`;
    const meta = chunk?.meta_data;
    if (meta === undefined) throw this.invalid(group, column, 'it is not there, or encrypted');
    if (chunk?.file_path !== undefined) throw this.invalid(group, column, 'it lies in another file');
    const decompress = await decompressorOf(meta.codec, this.#library.snappyUncompress, where);
    const [first, dictionary] = [Number(meta.data_page_offset), Number(meta.dictionary_page_offset ?? 0)];
    const start = dictionary > 0 && dictionary < first ? dictionary : first;
    const size = Number(meta.total_compressed_size);
    if (!(start >= 4 && size >= 0 && start + size <= this.#file.size)) {
      throw this.invalid(
        group,
        column,
        `its pages lie at byte ${start} to ${start + size} of a file of ${this.#file.size}`,
      );
    }
    if (meta.encodings.every((encoding) => quick.has(encoding))) {
      return new ChunkCursor(await this.#file.read(start, size), column.physical, decompress);
    }
    return decodedRows(this.#library, bufferOf(this.#file), this.#metadata, group, column, {
      [meta.codec]: decompress,
    });
  }

  /** The error for what is wrong with a column of a row group. */
  invalid(group: number, column: ParquetColumn, problem: string, cause?: unknown): AiforgeError {
    return invalidParquet(this.path, `, row group ${group}, column '${column.name}': ${problem}`, cause);
  }
}

async function checkMagic(file: LocalFile): Promise<void> {
  if (file.size < 12) throw invalidParquet(file.path, ` has ${file.size} bytes, fewer than a Parquet file`);
  const [head, foot] = [await file.read(0, 4), await file.read(file.size - 8, 8)];
  const [first, last] = [head.toString('latin1'), foot.toString('latin1', 4)];
  if (last === 'PARE') throw invalidParquet(file.path, ' is encrypted, which is not read');
  if (first !== 'PAR1')
    throw invalidParquet(file.path, ` begins with ${JSON.stringify(first)}, expected 'PAR1': it is no Parquet file`);
  if (last !== 'PAR1')
    throw invalidParquet(file.path, ` ends with ${JSON.stringify(last)}, expected 'PAR1': it is truncated`);
  const length = foot.readUInt32LE(0);
  if (length > file.size - 12)
    throw invalidParquet(file.path, ` says to have ${length} bytes of metadata, and has ${file.size} in all`);
}

/** A file as hyparquet reads it. */
function bufferOf(file: LocalFile): { byteLength: number; slice(start: number, end?: number): Promise<ArrayBuffer> } {
  const slice = async (start: number, end = file.size): Promise<ArrayBuffer> =>
    (await file.read(start, end - start)).buffer;
  return { byteLength: file.size, slice };
}
