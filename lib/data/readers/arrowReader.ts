import { firstRepeated } from '../../repeated.js';
import { AiforgeError } from '../../errors.js';
import { size } from '../../kinds.js';
import { isPlainObject } from '../../realms.js';
import { show } from '../../show.js';
import { nothing, signature } from '../../signature.js';
import { openTakes, type Position, type SampleReader } from '../stream.js';
import { arrowColumn, type ArrowColumn, type ArrowData, type ArrowType } from './arrow/arrowColumns.js';
import { arrowLibrary, type Arrow } from './arrow/arrowLibrary.js';
import { arrowMessages, invalidArrow } from './arrow/arrowMessages.js';
import { checkConvertible, fitColumns, type GivenColumn } from './columnBatch.js';
import type { ColumnType } from './columnTypes.js';
import { filesKind } from './filesTable.js';
import { openLocalFile, type LocalFile } from './localFile.js';
import { sampleSteps, type Step } from './sampleSteps.js';
import { BATCH_ROWS, tableOptions, TableReader, type TableColumns, type TableOptions } from './table.js';
import { layoutOf, type ColumnLayout } from './tableLayout.js';
import type { TimeUnit } from './wholeNumbers.js';
import { rememberArguments } from '../workers/remembered.js';

export type ArrowReaderOptions = TableOptions;

const arrowReaderTakes = signature<ArrowReaderOptions>({ files: filesKind }, tableOptions);

/** Before the next row: the number of its file, of the record batch there, and of the row in that. */
interface RowPosition {
  readonly file: number;
  readonly batch: number;
  readonly row: number;
}

const isRowPosition = (value: unknown): value is RowPosition =>
  isPlainObject(value) && [value.file, value.batch, value.row].every((each) => size.accepts(each));

/** A record batch of apache-arrow. */
interface Batch {
  readonly numRows: number;
  readonly schema: { readonly fields: readonly { readonly name: string; readonly type: ArrowType }[] };
  readonly data: { readonly children: readonly ArrowData[] };
}

type Columns = ReadonlyMap<string, { column: ArrowColumn | string; index: number }>;

/** Some Arrow files. */
class ArrowTable extends TableReader {
  readonly files: readonly string[];
  readonly #options: ArrowReaderOptions;

  constructor(files: readonly string[], options: ArrowReaderOptions) {
    super('ArrowReader', options);
    this.files = files;
    this.#options = options;
  }

  /** The files. */
  override parts(): readonly TableReader[] {
    nothing.check('parts', arguments);
    if (this.files.length < 2) return [];
    return this.files.map((file) => {
      const part = new ArrowTable([file], this.#options);
      this.countTogether(part);
      return part;
    });
  }

  async columns(): Promise<Record<string, ColumnType>> {
    nothing.check('columns', arguments);
    const layout = this.#layout(await this.#firstColumns());
    return Object.fromEntries(layout.map(({ name, type }) => [name, type]));
  }

  /** What the whole numbers of columns of dates and times count: `'days'`, `'s'`, `'ms'`, `'us'` or `'ns'`, since 1970 or midnight. */
  async units(): Promise<Record<string, TimeUnit>> {
    nothing.check('units', arguments);
    const units: Record<string, TimeUnit> = {};
    for (const [name, { column }] of await this.#firstColumns()) {
      if (typeof column === 'object' && column.unit !== undefined) units[name] = column.unit;
    }
    return units;
  }

  open(position: Position = { file: 0, batch: 0, row: 0 }): SampleReader<TableColumns> {
    openTakes.check('open', arguments);
    if (isRowPosition(position)) return sampleSteps(this.#batches(position), position as unknown as Position);
    const expected = '{ file, batch, row } as position() gives it';
    throw new AiforgeError('INVALID_ARGUMENT', `ArrowReader: a position is ${expected}, got ${show(position)}.`);
  }

  async #firstColumns(): Promise<Columns> {
    const arrow = await arrowLibrary();
    const file = await openLocalFile('ArrowReader', this.files[0]!);
    try {
      // A file without batches has an empty one here.
      for await (const batch of recordBatches(arrow, file, Infinity)) return columnsOf(batch, file.path);
      throw invalidArrow(file.path, ' has no schema');
    } finally {
      await file.close();
    }
  }

  #layout(columns: Columns): ColumnLayout[] {
    const where = `ArrowReader: '${this.files[0]!}'`;
    const types = [...columns].map(
      ([name, { column }]) => [name, typeof column === 'string' ? 'unknown' : column.type] as const,
    );
    const layout = layoutOf(this.#options, new Map(types), where);
    for (const column of layout) checkConvertible(where, column, readable(columns, column.name, where).column.type);
    return layout;
  }

  async *#batches(from: RowPosition): AsyncGenerator<Step<TableColumns>, void, undefined> {
    const arrow = await arrowLibrary();
    let layout: ColumnLayout[] | undefined;
    for (let index = from.file; index < this.files.length; ++index) {
      layout ??= this.#layout(await this.#firstColumns());
      const file = await openLocalFile('ArrowReader', this.files[index]!);
      try {
        let [number, row] = index === from.file ? [from.batch, from.row] : [0, 0];
        for await (const batch of recordBatches(arrow, file, number)) {
          for (const [columns, next] of this.#pieces(file.path, layout, batch, number, row)) {
            yield [columns, { file: index, batch: number, row: next }];
          }
          number += 1;
          row = 0;
        }
      } finally {
        await file.close();
      }
    }
  }

  /** The rows of a record batch from one on, and of each piece the row after it. */
  *#pieces(
    path: string,
    layout: readonly ColumnLayout[],
    batch: Batch,
    number: number,
    first: number,
  ): Generator<readonly [TableColumns, number]> {
    const where = `ArrowReader: '${path}'`;
    const columns = columnsOf(batch, path);
    const chosen = layout.map((column) => {
      const found = readable(columns, column.name, where);
      checkConvertible(where, column, found.column.type);
      return { ...found, name: column.name, data: batch.data.children[found.index] };
    });
    const { batchRows = BATCH_ROWS } = this.#options;
    for (let row = first; row < batch.numRows;) {
      const [begin, some] = [row, Math.min(batchRows, batch.numRows - row)];
      const given = chosen.map(({ name, column, data }): GivenColumn => {
        try {
          if (data === undefined || data.length < batch.numRows)
            throw new RangeError('it has fewer rows than its batch');
          return column.read(data, begin, some);
        } catch (cause) {
          if (cause instanceof AiforgeError) throw cause;
          throw invalidArrow(path, `, record batch ${number}, column '${name}': ${(cause as Error).message}`, cause);
        }
      });
      const place = (i: number): string => `${where}, record batch ${number}, row ${begin + i}`;
      const table = fitColumns(layout, given, place, (error) => this.leaveOut(error));
      row += some;
      yield [table, row];
    }
  }
}

async function* recordBatches(arrow: Arrow, file: LocalFile, first: number): AsyncGenerator<Batch, void, undefined> {
  try {
    const reader = await arrow.RecordBatchReader.from(arrowMessages(arrow, file, first));
    for await (const batch of reader) yield batch as Batch;
  } catch (cause) {
    if (cause instanceof AiforgeError) throw cause;
    throw invalidArrow(file.path, `: it is damaged: ${(cause as Error).message}`, cause);
  }
}

function columnsOf({ schema: { fields } }: Batch, path: string): Columns {
  const twice = firstRepeated(fields.map(({ name }) => name));
  if (twice !== undefined) throw invalidArrow(path, ` has two columns '${twice}'`);
  return new Map(fields.map(({ name, type }, index) => [name, { column: arrowColumn(type), index }]));
}

/** A column of a file that there is and that can be read. */
function readable(columns: Columns, name: string, where: string): { column: ArrowColumn; index: number } {
  const { column, index } = columns.get(name) ?? { column: undefined, index: 0 };
  if (typeof column === 'object') return { column, index };
  if (column === undefined)
    throw new AiforgeError('FILE_INVALID', `${where} has no column '${name}', which the first file has.`);
  throw new AiforgeError('INVALID_ARGUMENT', `${where}: column '${name}' ${column}; leave it out of \`columns\`.`);
}

/**
 * Files of Apache Arrow as a table, some rows at a time: IPC files (Feather version 2) and streams. Tensors stand on the memory that a
 * batch was read into where their dtype is the file's, without a copy. Whole numbers of 64 bits are exact; dates and times are whole
 * numbers, whose `units()` it tells; dictionaries of texts become texts. Other columns are refused by name. Its parts are its files.
 * Needs the package apache-arrow; for files that are compressed its release 21 or newer, and for zstd Node 22.15.
 *
 * @throws AiforgeError FILE_INVALID for a damaged file or a missing value in a column without `missing`, FILE_NOT_FOUND,
 * MISSING_DEPENDENCY, INVALID_ARGUMENT for columns that there are not or that are not read.
 * @example
 * import { data } from 'aiforge';
 * import { tableFromArrays, tableToIPC } from 'apache-arrow';
 * import { writeFileSync } from 'node:fs';
 * const prices = tableFromArrays({ price: Float64Array.of(1.5, 2.5), city: ['Ulm', 'Bonn'] });
 * writeFileSync('/tmp/prices.arrow', tableToIPC(prices, 'file'));
 * const { price, city } = await new data.ArrowReader('/tmp/prices.arrow').read();
 * price.tolist(); // [1.5, 2.5]
 * city; // ['Ulm', 'Bonn']
 */
export class ArrowReader extends ArrowTable {
  constructor(files: string | readonly string[], options: ArrowReaderOptions = {}) {
    arrowReaderTakes.check(new.target.name, arguments);
    super(typeof files === 'string' ? [files] : [...files], options);
    if (new.target === ArrowReader) rememberArguments(this, 'ArrowReader', arguments);
  }
}
