import { columnBuilder, type ColumnBuilder } from './columnBuilder.js';
import { expectedValue, type ColumnLayout } from './tableLayout.js';
import type { TableColumns } from './table.js';

/** A value that a column cannot hold. */
export interface BadCell {
  column: string;
  value: unknown;
  expected: string;
}

/** Rows that go into columns, value by value. */
export class TableBuilder {
  readonly #columns: readonly { layout: ColumnLayout; builder: ColumnBuilder }[];
  /** How many rows it has. */
  rows = 0;

  constructor(layout: readonly ColumnLayout[]) {
    this.#columns = layout.map((column) => ({ layout: column, builder: columnBuilder(column.type) }));
  }

  /** Adds a row of a value a column, null or undefined where it is missing. Adds nothing where one is bad, and gives that. */
  add(values: ArrayLike<unknown>): BadCell | undefined {
    for (let i = 0; i < this.#columns.length; ++i) {
      const { layout, builder } = this.#columns[i]!;
      const value = values[i];
      const expected =
        value === null || value === undefined ? this.#addMissing(i) : (layout.check?.(value) ?? builder.add(value));
      if (expected !== undefined) return this.#withdraw(layout.name, value, expected);
    }
    this.rows++;
    return undefined;
  }

  /** The same for texts. `isMissing` tells texts that stand for no value, except in columns of texts. */
  addTexts(texts: ArrayLike<string>, isMissing: (text: string) => boolean): BadCell | undefined {
    for (let i = 0; i < this.#columns.length; ++i) {
      const { layout, builder } = this.#columns[i]!;
      const text = texts[i]!;
      const expected =
        layout.type !== 'string' && isMissing(text) ? this.#addMissing(i) : this.#addText(layout, builder, text);
      if (expected !== undefined) return this.#withdraw(layout.name, text, expected);
    }
    this.rows++;
    return undefined;
  }

  /** All rows so far; it has none afterwards. */
  take(): TableColumns {
    this.rows = 0;
    return Object.fromEntries(this.#columns.map(({ layout, builder }) => [layout.name, builder.take()]));
  }

  #addText({ check }: ColumnLayout, builder: ColumnBuilder, text: string): string | undefined {
    const expected = builder.addText(text);
    return expected ?? (check === undefined ? undefined : check(builder.last()));
  }

  #addMissing(index: number): string | undefined {
    const { layout, builder } = this.#columns[index]!;
    return layout.missing === undefined ? expectedValue(layout) : builder.add(layout.missing);
  }

  #withdraw(column: string, value: unknown, expected: string): BadCell {
    for (const { builder } of this.#columns) builder.truncate(this.rows);
    return { column, value, expected };
  }
}
