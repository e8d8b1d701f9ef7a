import { kind, isListOf, string } from '../../kinds.js';
import { nothing } from '../../signature.js';
import { openTakes, type Position, type SampleReader } from '../stream.js';
import type { ColumnType } from './columnTypes.js';
import { positionIn, positionOf, type FilePlace, type FilesPosition } from './filePlace.js';
import { TableBuilder } from './tableBuilder.js';
import { layoutOf, type ColumnLayout } from './tableLayout.js';
import { BATCH_ROWS, TableReader, type TableColumns, type TableOptions } from './table.js';

export const filesKind = kind<string | readonly string[]>(
  'the path of a file, or an array of one or more paths',
  (value) => string.accepts(value) || (isListOf(value, string) && value.length > 0),
);

/** Rows of a file, read on from a place. */
export interface RowSource {
  /** Where the rows begin that were not added yet. */
  readonly place: FilePlace;
  /** Adds rows until the builder has so many; false at the end of the file. */
  fill(builder: TableBuilder, rows: number): Promise<boolean>;
  close(): void;
}

/** The columns that there are, and what each was found to be. */
export type FoundColumns = ReadonlyMap<string, ColumnType | 'unknown'>;

/** A table in one file or more, of which each has rows of the same columns. */
export abstract class FilesTable extends TableReader {
  /** The files that have its rows, in their order. */
  readonly files: readonly string[];
  readonly #batchRows: number;
  readonly #options: TableOptions;
  #layout: Promise<readonly ColumnLayout[]> | undefined;
  /** The table that this is a part of: its columns are those of the part, too. */
  #whole: FilesTable | undefined;

  protected constructor(name: string, files: string | readonly string[], options: TableOptions) {
    super(name, options);
    this.files = typeof files === 'string' ? [files] : [...files];
    this.#options = options;
    this.#batchRows = options.batchRows ?? BATCH_ROWS;
  }

  /** The columns of the first file. */
  protected abstract find(): Promise<FoundColumns>;
  /** Opens the rows of a file, from its beginning or from a place. */
  protected abstract rowsOf(
    file: string,
    place: FilePlace | undefined,
    layout: readonly ColumnLayout[],
  ): Promise<RowSource>;
  /** The same table of one of its files. */
  protected abstract part(file: string): FilesTable;

  /** A table for each file, where there are several. */
  override parts(): readonly TableReader[] {
    nothing.check('parts', arguments);
    if (this.files.length === 1) return [];
    return this.files.map((file) => {
      const part = this.part(file);
      part.#whole = this.#whole ?? this;
      this.countTogether(part);
      return part;
    });
  }

  async columns(): Promise<Record<string, ColumnType>> {
    nothing.check('columns', arguments);
    return Object.fromEntries((await this.#columnLayout()).map(({ name, type }) => [name, type]));
  }

  open(position?: Position): SampleReader<TableColumns> {
    openTakes.check('open', arguments);
    const open = async (file: string, place: FilePlace | undefined): Promise<RowSource> =>
      this.rowsOf(file, place, await this.#columnLayout());
    return new FilesReader(
      this.files,
      open,
      () => this.#columnLayout(),
      this.#batchRows,
      positionIn(this.files, position),
    );
  }

  /** The file by which the columns were found. */
  protected get firstFile(): string {
    return (this.#whole ?? this).files[0]!;
  }

  async #columnLayout(): Promise<readonly ColumnLayout[]> {
    if (this.#whole !== undefined) return this.#whole.#columnLayout();
    this.#layout ??= this.find().then((columns) => layoutOf(this.#options, columns, this.firstFile));
    try {
      return await this.#layout;
    } catch (error) {
      // A file that is not there may be there later.
      this.#layout = undefined;
      throw error;
    }
  }
}

class FilesReader implements SampleReader<TableColumns> {
  #at: FilesPosition;
  #rows: RowSource | undefined;
  #isOver = false;
  #builder: TableBuilder | undefined;

  constructor(
    readonly files: readonly string[],
    readonly openFile: (file: string, place: FilePlace | undefined) => Promise<RowSource>,
    readonly layout: () => Promise<readonly ColumnLayout[]>,
    readonly batchRows: number,
    begin: FilesPosition,
  ) {
    this.#at = begin;
  }

  async next(): Promise<IteratorResult<TableColumns, undefined>> {
    try {
      while (!this.#isOver && this.#at.file < this.files.length) {
        const batch = await this.#nextOfFile();
        if (batch !== undefined) return { done: false, value: batch };
      }
    } catch (error) {
      // It was closed while it read.
      if (this.#isOver) return { done: true, value: undefined };
      this.#close();
      throw error;
    }
    return { done: true, value: undefined };
  }

  /** The next rows of the file that is being read; undefined at its end. */
  async #nextOfFile(): Promise<TableColumns | undefined> {
    const { file, place } = this.#at;
    this.#builder ??= new TableBuilder(await this.layout());
    this.#rows ??= await this.openFile(this.files[file]!, place);
    // It may be closed while the file is opened.
    if (this.#isOver) this.#close();
    if (this.#rows === undefined) return undefined;
    const hasMore = await this.#rows.fill(this.#builder, this.batchRows);
    if (hasMore || this.#builder.rows > 0) this.#at = { file, place: { ...this.#rows.place } };
    if (this.#builder.rows > 0) return this.#builder.take();
    this.#rows.close();
    this.#rows = undefined;
    this.#at = { file: file + 1, place: undefined };
    return undefined;
  }

  position(): Position {
    return positionOf(this.#at);
  }

  return(): Promise<IteratorResult<TableColumns, undefined>> {
    this.#close();
    return Promise.resolve({ done: true, value: undefined });
  }

  #close(): void {
    this.#isOver = true;
    this.#rows?.close();
    this.#rows = undefined;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
