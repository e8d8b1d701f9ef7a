import { AiforgeError } from '../../errors.js';
import { size } from '../../kinds.js';
import { isPlainObject } from '../../realms.js';
import { show } from '../../show.js';
import { nothing, signature } from '../../signature.js';
import { openTakes, type Position, type SampleReader } from '../stream.js';
import { filesKind } from './filesTable.js';
import { checkConvertible, fitColumns, type GivenColumn } from './columnBatch.js';
import type { ColumnType } from './columnTypes.js';
import { groupsOf } from './parquet/groupsOf.js';
import { ParquetFile, type Cursor } from './parquet/parquetFile.js';
import type { ParquetColumn } from './parquet/parquetColumns.js';
import type { TimeUnit } from './wholeNumbers.js';
import { sampleSteps, type Step } from './sampleSteps.js';
import { BATCH_ROWS, tableOptions, TableReader, type TableColumns, type TableOptions } from './table.js';
import { layoutOf, type ColumnLayout } from './tableLayout.js';
import { rememberArguments } from '../workers/remembered.js';

export type ParquetReaderOptions = TableOptions;

const parquetReaderTakes = signature<ParquetReaderOptions>({ files: filesKind }, tableOptions);

/** The rows of an item where all are read: those of a row group, or many. */
const wholeGroups = 2 ** 20;

/** Before the next row: the number of its file, of the row group there, and of the row in that. */
interface RowPosition {
  readonly file: number;
  readonly group: number;
  readonly row: number;
}

const isRowPosition = (value: unknown): value is RowPosition =>
  isPlainObject(value) && [value.file, value.group, value.row].every((each) => size.accepts(each));

/** Some Parquet files, or one row group of one. */
class ParquetTable extends TableReader {
  readonly files: readonly string[];
  readonly #options: ParquetReaderOptions;
  readonly #group: number | undefined;

  constructor(files: readonly string[], options: ParquetReaderOptions, group?: number) {
    super('ParquetReader', options);
    this.files = files;
    this.#options = options;
    this.#group = group;
  }

  /** The files; of one file its row groups. */
  override parts(): readonly TableReader[] {
    nothing.check('parts', arguments);
    const part = (file: string, group?: number): ParquetTable => {
      const table = new ParquetTable([file], this.#options, group);
      this.countTogether(table);
      return table;
    };
    if (this.files.length > 1) return this.files.map((file) => part(file));
    if (this.#group !== undefined) return [];
    const file = this.files[0]!;
    const groups = groupsOf(file);
    return groups < 2 ? [] : Array.from({ length: groups }, (_, group) => part(file, group));
  }

  /** All rows as one. Throws FILE_INVALID for a bad row. */
  override async read(): Promise<TableColumns> {
    nothing.check('read', arguments);
    if (this.#options.batchRows === wholeGroups) return super.read();
    // In larger pieces, of which there are fewer to put together.
    const whole = new ParquetTable(this.files, { ...this.#options, batchRows: wholeGroups }, this.#group);
    this.countTogether(whole);
    return whole.read();
  }

  async columns(): Promise<Record<string, ColumnType>> {
    nothing.check('columns', arguments);
    const layout = await this.#first(({ columns }, path) => this.#layout(columns, path));
    return Object.fromEntries(layout.map(({ name, type }) => [name, type]));
  }

  /** What the whole numbers of columns of dates and times count: `'days'`, `'ms'`, `'us'` or `'ns'`, since 1970 or midnight. */
  async units(): Promise<Record<string, TimeUnit>> {
    nothing.check('units', arguments);
    const columns = await this.#first((file) => [...file.columns.values()]);
    return Object.fromEntries(
      columns.flatMap((column) =>
        typeof column === 'object' && column.unit !== undefined ? [[column.name, column.unit]] : [],
      ),
    );
  }

  open(position: Position = { file: 0, group: 0, row: 0 }): SampleReader<TableColumns> {
    openTakes.check('open', arguments);
    if (isRowPosition(position)) return sampleSteps(this.#batches(position), position as unknown as Position);
    const expected = '{ file, group, row } as position() gives it';
    throw new AiforgeError('INVALID_ARGUMENT', `ParquetReader: a position is ${expected}, got ${show(position)}.`);
  }

  async #first<T>(look: (file: ParquetFile, path: string) => T): Promise<T> {
    const file = await ParquetFile.open(this.files[0]!);
    try {
      return look(file, file.path);
    } finally {
      await file.close();
    }
  }

  /** The columns that are read. Throws for one that cannot be. */
  #layout(columns: ParquetFile['columns'], path: string): ColumnLayout[] {
    const where = `ParquetReader: '${path}'`;
    const types = [...columns].map(
      ([name, column]) => [name, typeof column === 'string' ? 'unknown' : column.type] as const,
    );
    const layout = layoutOf(this.#options, new Map(types), where);
    for (const column of layout) checkConvertible(where, column, readable(columns, column.name, where).type);
    return layout;
  }

  async *#batches(from: RowPosition): AsyncGenerator<Step<TableColumns>, void, undefined> {
    let layout: ColumnLayout[] | undefined;
    for (let index = from.file; index < this.files.length; ++index) {
      // The first file says what the columns are.
      layout ??= await this.#first(({ columns }, path) => this.#layout(columns, path));
      const file = await ParquetFile.open(this.files[index]!);
      try {
        const groups = this.#group === undefined ? file.groups.map((_, group) => group) : [this.#group];
        const start = index === from.file ? from : { group: 0, row: 0 };
        for (const group of groups.filter((each) => each >= start.group)) {
          const batches = this.#groupBatches(file, layout, group, group === start.group ? start.row : 0);
          for await (const [columns, row] of batches) yield [columns, { file: index, group, row }];
        }
      } finally {
        await file.close();
      }
    }
  }

  /** The rows of a row group from one on, and of each batch the row after it. */
  async *#groupBatches(
    file: ParquetFile,
    layout: readonly ColumnLayout[],
    group: number,
    first: number,
  ): AsyncGenerator<readonly [TableColumns, number], void, undefined> {
    const rows = file.groups[group];
    if (rows === undefined || rows <= first) return;
    const where = `ParquetReader: '${file.path}'`;
    const columns = layout.map((column) => {
      const found = readable(file.columns, column.name, where);
      checkConvertible(where, column, found.type);
      return found;
    });
    const readers: ColumnRows[] = [];
    for (const column of columns) readers.push(await ColumnRows.open(file, group, column));
    const { batchRows = BATCH_ROWS } = this.#options;
    for (let row = 0; row < first;) {
      const some = Math.min(batchRows, first - row);
      for (const reader of readers) reader.pass(some);
      row += some;
    }
    for (let row = first; row < rows;) {
      const some = Math.min(batchRows, rows - row);
      const begin = row;
      const place = (i: number): string => `${where}, row group ${group}, row ${begin + i}`;
      const given = readers.map((reader) => reader.read(some));
      const table = fitColumns(layout, given, place, (error) => this.leaveOut(error));
      row += some;
      yield [table, row];
    }
  }
}

/** A column of a file that there is and that can be read. */
function readable(columns: ParquetFile['columns'], name: string, where: string): ParquetColumn {
  const column = columns.get(name);
  if (typeof column === 'object') return column;
  if (column === undefined)
    throw new AiforgeError('FILE_INVALID', `${where} has no column '${name}', which the first file has.`);
  throw new AiforgeError('INVALID_ARGUMENT', `${where}: column '${name}' ${column}; or leave it out of \`columns\`.`);
}

/** The rows of a column in a row group, one after another. */
class ColumnRows {
  private constructor(
    readonly file: ParquetFile,
    readonly group: number,
    readonly column: ParquetColumn,
    readonly cursor: Cursor,
  ) {}

  static async open(file: ParquetFile, group: number, column: ParquetColumn): Promise<ColumnRows> {
    try {
      return new ColumnRows(file, group, column, await file.cursor(group, column));
    } catch (cause) {
      if (cause instanceof AiforgeError) throw cause;
      throw file.invalid(group, column, (cause as Error).message, cause);
    }
  }

  read(count: number): GivenColumn {
    return this.#told(() => {
      const { texts, bytes, nulls } = this.cursor.read(count);
      return { values: texts ?? this.column.toTensor(bytes!), nulls };
    });
  }

  /** Leaves out rows. */
  pass(count: number): void {
    this.#told(() => this.cursor.read(count));
  }

  #told<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      if (cause instanceof AiforgeError) throw cause;
      throw this.file.invalid(this.group, this.column, (cause as Error).message, cause);
    }
  }
}

/**
 * Parquet files as a table, some rows at a time: of whole row groups only the columns asked for are read from the file. Whole numbers
 * of 64 bits are exact; dates and times are whole numbers, whose `units()` it tells. Nested columns, decimals and binary
 * values are refused by name. Its parts are its files, those of one file its row groups. Needs the package hyparquet, for pages of LZ4,
 * and of zstd before Node 22.15, hyparquet-compressors as well.
 *
 * @throws AiforgeError FILE_INVALID for a damaged file or a missing value in a column without `missing`, FILE_NOT_FOUND,
 * MISSING_DEPENDENCY, INVALID_ARGUMENT for columns that there are not or that are not read.
 * @example
 * import { data } from 'aiforge';
 * import { parquetWriteFile } from 'hyparquet-writer';
 * const columnData = [
 *   { name: 'price', data: [1.5, 2.5], type: 'DOUBLE' },
 *   { name: 'city', data: ['Ulm', 'Bonn'], type: 'STRING' },
 * ] as const;
 * parquetWriteFile({ filename: '/tmp/prices.parquet', columnData: [...columnData] });
 * const { price, city } = await new data.ParquetReader('/tmp/prices.parquet').read();
 * price.tolist(); // [1.5, 2.5]
 * city; // ['Ulm', 'Bonn']
 */
export class ParquetReader extends ParquetTable {
  constructor(files: string | readonly string[], options: ParquetReaderOptions = {}) {
    parquetReaderTakes.check(new.target.name, arguments);
    super(typeof files === 'string' ? [files] : [...files], options);
    if (new.target === ParquetReader) rememberArguments(this, 'ParquetReader', arguments);
  }
}
