import { show } from '../../show.js';
import { stack, Tensor } from '../../tensor/index.js';
import { frameOf, frameOfRows, isRow, refusal, type Frame, type TableRow } from './frame.js';

/** Rows that come one by one are looked at so many at a time. */
const ROWS_AT_ONCE = 4096;

/** Gathers rows that come one by one into batches; batches pass as they are. */
class Gathering {
  #rows: (TableRow | Tensor)[] = [];

  constructor(private readonly who: string) {}

  /** The batches that are whole with this item. */
  add(item: unknown): Frame[] {
    const isOne = isRow(item) || (Tensor.isTensor(item) && item.dim() === 1);
    if (!isOne) return [...this.rest(), frameOf(this.who, item)];
    const before = this.#rows.length > 0 && Tensor.isTensor(this.#rows[0]) !== Tensor.isTensor(item) ? this.rest() : [];
    this.#rows.push(item);
    return this.#rows.length < ROWS_AT_ONCE ? before : [...before, ...this.rest()];
  }

  rest(): Frame[] {
    const rows = this.#rows;
    this.#rows = [];
    if (rows.length === 0) return [];
    if (!Tensor.isTensor(rows[0])) return [frameOfRows(this.who, rows as TableRow[], 'columns')];
    const other = (rows as Tensor[]).find((row) => row.size(0) !== (rows[0] as Tensor).size(0));
    if (other !== undefined)
      throw refusal(this.who, `rows must be of one length, got ${show(rows[0])} and ${show(other)}`);
    return [frameOf(this.who, stack(rows as Tensor[]))];
  }
}

/** Tables and rows as batches of columns. */
export function* framesOf(who: string, items: Iterable<unknown>): Generator<Frame, void, undefined> {
  const gathering = new Gathering(who);
  for (const item of items) yield* gathering.add(item);
  yield* gathering.rest();
}

/** The same of items that are waited for. */
export async function* framesLater(who: string, items: AsyncIterable<unknown>): AsyncGenerator<Frame, void, undefined> {
  const gathering = new Gathering(who);
  for await (const item of items) yield* gathering.add(item);
  yield* gathering.rest();
}

/** Whether items can be gone through only once: an iterator, which a generator is too, gives itself. */
export function isReadOnce(items: Iterable<unknown> | AsyncIterable<unknown>): boolean {
  return 'next' in items && typeof items.next === 'function';
}
