import { errorColumn, json, mostErrors, tooManyErrors, unknownColumn, type Format, type Row } from './format.js';

export class Csv implements Format {
  readonly endsAnywhere = true;
  #columns: readonly string[] | undefined;
  #refused: Row[] = [];

  constructor(private readonly hasErrors: boolean) {}

  write(rows: readonly Row[]): string {
    if (this.#columns !== undefined) return this.#lines(rows, this.#columns);
    const first = rows.find((row) => !(errorColumn in row));
    if (first !== undefined) return this.#begin(Object.keys(first), this.#refused.concat(rows));
    this.#refused = this.#refused.concat(rows);
    if (this.#refused.length > mostErrors) throw tooManyErrors(this.#refused, 'CSV');
    return '';
  }

  end(): string {
    const isBegun = this.#columns !== undefined || this.#refused.length === 0;
    return isBegun ? '' : this.#begin(Object.keys(this.#refused[0]!), this.#refused);
  }

  #begin(columns: readonly string[], rows: readonly Row[]): string {
    const all = this.hasErrors && !columns.includes(errorColumn) ? [...columns, errorColumn] : columns;
    const lines = this.#lines(rows, all);
    this.#columns = all;
    this.#refused = [];
    return `${all.map(cell).join(',')}\n${lines}`;
  }

  #lines(rows: readonly Row[], columns: readonly string[]): string {
    return rows
      .map((row) => {
        const unknown = Object.keys(row).find((name) => !columns.includes(name));
        if (unknown !== undefined) throw unknownColumn(unknown, columns, 'CSV');
        // An empty line is none to many readers.
        return `${columns.map((name) => cell(row[name])).join(',') || '""'}\n`;
      })
      .join('');
  }
}

/** As RFC 4180 has it; null and what is not there are empty. */
function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'string' ? value : textOf(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function textOf(value: unknown): string {
  const isNumeral = typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean';
  return isNumeral ? String(value) : json(value);
}
