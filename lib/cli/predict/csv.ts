import { AiforgeError } from '../../errors.js';
import { errorColumn, json, type Format, type Row } from './format.js';

/** Rows that wait for the first that says what the columns are. */
const mostWaiting = 10_000;

export class Csv implements Format {
  #columns: readonly string[] | undefined;
  #waiting: Row[] = [];

  constructor(private readonly hasErrors: boolean) {}

  write(rows: readonly Row[]): string {
    if (this.#columns !== undefined) return this.#lines(rows, this.#columns);
    const first = rows.find((row) => !(errorColumn in row));
    this.#waiting.push(...rows);
    if (first !== undefined) return this.#begin(Object.keys(first));
    if (this.#waiting.length <= mostWaiting) return '';
    throw new AiforgeError(
      'PLUGIN_INVALID',
      `None of the first ${this.#waiting.length} items has a prediction, so the columns of the CSV file are not known. The first error: ${String(this.#waiting[0]![errorColumn])}`,
    );
  }

  end(): string {
    return this.#columns === undefined && this.#waiting.length > 0 ? this.#begin(Object.keys(this.#waiting[0]!)) : '';
  }

  #begin(columns: readonly string[]): string {
    const all = this.hasErrors && !columns.includes(errorColumn) ? [...columns, errorColumn] : columns;
    this.#columns = all;
    const text = `${all.map(cell).join(',')}\n${this.#lines(this.#waiting, all)}`;
    this.#waiting = [];
    return text;
  }

  #lines(rows: readonly Row[], columns: readonly string[]): string {
    return rows
      .map((row) => {
        const unknown = Object.keys(row).find((name) => !columns.includes(name));
        if (unknown === undefined) return `${columns.map((name) => cell(row[name])).join(',')}\n`;
        throw new AiforgeError(
          'PLUGIN_INVALID',
          `predictStep gave '${unknown}' for some items and not for those before, and a CSV file has one set of columns (${columns.join(', ')}): write .jsonl.`,
        );
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
