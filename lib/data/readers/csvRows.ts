import { Buffer } from 'node:buffer';
import { TextDecoder } from 'node:util';

import type { AiforgeError } from '../../errors.js';
import type { CsvRecords } from './csvRecords.js';
import type { FilePlace } from './filePlace.js';
import type { RowSource } from './filesTable.js';
import { badCell, badRow } from './table.js';
import type { BadCell, TableBuilder } from './tableBuilder.js';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text that bytes in latin1 are in UTF-8; undefined where they are not UTF-8. */
export function textOf(bytes: string): string | undefined {
  if (!/[\u0080-\u00ff]/.test(bytes)) return bytes;
  try {
    return utf8.decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return undefined;
  }
}

/** The bytes of a text in UTF-8, in latin1. */
export const bytesOfText = (text: string): string => Buffer.from(text).toString('latin1');

/** A column that is read of a file. */
interface CsvColumn {
  name: string;
  /** Which of the fields it is. */
  index: number;
  isText: boolean;
}

/** The rows of a file, as columns take them. */
export class CsvRows implements RowSource {
  readonly #cells: string[];

  constructor(
    readonly records: CsvRecords,
    readonly width: number,
    readonly columns: readonly CsvColumn[],
    readonly isMissing: (text: string) => boolean,
    readonly leaveOut: (error: AiforgeError) => void,
  ) {
    this.#cells = columns.map(() => '');
  }

  get place(): FilePlace {
    return this.records.place;
  }

  async fill(builder: TableBuilder, rows: number): Promise<boolean> {
    while (builder.rows < rows) {
      const record = this.records.take();
      if (record !== undefined) this.#add(builder, record.fields, record.problem);
      else if (!(await this.records.more())) return false;
    }
    return true;
  }

  close(): void {
    this.records.close();
  }

  #add(builder: TableBuilder, fields: readonly string[], problem: string | undefined): void {
    if (problem !== undefined) this.leaveOut(badRow(this.records.where, problem));
    else if (fields.length !== this.width) {
      this.leaveOut(badRow(this.records.where, `found ${fields.length} fields, expected ${this.width}`));
    } else {
      const bad = this.#decode(fields) ?? builder.addTexts(this.#cells, this.isMissing);
      if (bad === undefined) return;
      const value = textOf(bad.value as string) ?? bad.value;
      this.leaveOut(badCell(this.records.where, { ...bad, value }));
    }
  }

  /** Takes the columns' texts; gives one that is no text. */
  #decode(fields: readonly string[]): BadCell | undefined {
    for (let i = 0; i < this.columns.length; ++i) {
      const { name, index, isText } = this.columns[i]!;
      const bytes = fields[index]!;
      const text = isText ? textOf(bytes) : bytes;
      if (text === undefined) return { column: name, value: bytes, expected: 'text in UTF-8' };
      this.#cells[i] = text;
    }
    return undefined;
  }
}
