import { setImmediate } from 'node:timers/promises';
import { AiforgeError } from '../../errors.js';
import { show } from '../../show.js';
import { nothing, isOptions } from '../../signature.js';
import { Tensor } from '../../tensor/index.js';
import { openTakes, StreamDataset, type Position, type SampleReader } from '../stream.js';
import type { TableColumns, TableReader } from './table.js';

/** A row of a table by the names of its columns; whole numbers beyond 2^53 are bigints. */
export type TableRow = Record<string, number | bigint | string | boolean>;

/** The rows of a table, an object each, which is made when it is asked for. */
class ColumnRows {
  readonly #lists: readonly (readonly [name: string, values: readonly TableRow[string][]])[];
  readonly length: number;
  readonly width: number;

  constructor(columns: TableColumns) {
    this.#lists = Object.entries(columns).map(
      ([name, column]) =>
        [name, Tensor.isTensor(column) ? column.tolist<(number | bigint | boolean)[]>() : column] as const,
    );
    this.length = this.#lists[0]?.[1].length ?? 0;
    this.width = this.#lists.length;
  }

  at(row: number): TableRow {
    return Object.fromEntries(this.#lists.map(([name, values]) => [name, values[row]!]));
  }
}

/** Where the batch of the next row begins, and how many of its rows were given. */
interface RowPosition {
  batch: Position;
  row: number;
}

function rowPosition(position: Position | undefined): { batch?: Position; row: number } {
  if (position === undefined) return { row: 0 };
  const { batch, row } = (isOptions(position) ? position : {}) as Partial<RowPosition>;
  if (batch !== undefined && Number.isSafeInteger(row) && row! >= 0) return { batch, row: row! };
  throw new AiforgeError('INVALID_ARGUMENT', `open: ${show(position)} is no position in the rows of a table.`);
}

/** So many values are given until the event loop has a turn. */
const MOST_VALUES = 8192;

/** A table row by row. */
export class RowStream extends StreamDataset<TableRow> {
  readonly #table: TableReader;

  constructor(table: TableReader) {
    super();
    this.#table = table;
  }

  override parts(): readonly StreamDataset<TableRow>[] {
    nothing.check('parts', arguments);
    return this.#table.parts().map((part) => part.rows());
  }

  open(position?: Position): SampleReader<TableRow> {
    openTakes.check('open', arguments);
    const { batch, row } = rowPosition(position);
    return new RowReader(this.#table.open(batch), row);
  }
}

class RowReader implements SampleReader<TableRow> {
  readonly #batches: SampleReader<TableColumns>;
  #begin: Position;
  #rows = new ColumnRows({});
  #row = 0;
  /** How many values were given since the event loop had a turn. */
  #values = 0;
  /** How many rows from the beginning of the batch on are passed over, also where the batches had another size. */
  #toPass: number;
  #isOver = false;

  constructor(batches: SampleReader<TableColumns>, toPass: number) {
    this.#batches = batches;
    this.#begin = batches.position();
    this.#toPass = toPass;
  }

  async next(): Promise<IteratorResult<TableRow, undefined>> {
    while (!this.#isOver && this.#row === this.#rows.length) {
      const begin = this.#batches.position();
      const { done, value } = await this.#batches.next();
      if (done) return { done: true, value: undefined };
      [this.#begin, this.#rows] = [begin, new ColumnRows(value)];
      this.#row = Math.min(this.#toPass, this.#rows.length);
      this.#toPass -= this.#row;
      for (const column of Object.values(value)) if (Tensor.isTensor(column)) column.dispose();
    }
    if (this.#isOver) return { done: true, value: undefined };
    const value = this.#rows.at(this.#row++);
    await this.#takeTurn();
    return { done: false, value };
  }

  /** Rows that are there at once would leave the event loop no turn. */
  async #takeTurn(): Promise<void> {
    this.#values += this.#rows.width;
    if (this.#values < MOST_VALUES) return;
    this.#values = 0;
    await setImmediate();
  }

  position(): Position {
    return { batch: this.#begin, row: this.#row + this.#toPass };
  }

  async return(): Promise<IteratorResult<TableRow, undefined>> {
    this.#isOver = true;
    await this.#batches.return();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
