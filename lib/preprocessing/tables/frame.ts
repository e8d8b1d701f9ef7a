import { isPromise, notAwaited } from '../../promised.js';
import type { TableColumns, TableRow } from '../../data/index.js';
import { AiforgeError } from '../../errors.js';
import { didYouMean } from '../../nearest.js';
import { isPlainObject } from '../../realms.js';
import { show } from '../../show.js';
import { stack, Tensor, tensor } from '../../tensor/index.js';

export type { TableColumns, TableRow } from '../../data/index.js';

/**
 * What the preprocessors of tables take: columns, one row, or a tensor of numbers, [rows, columns] for many rows and [columns] for
 * one, whose columns are called `x0`, `x1` and so on.
 */
export type TableItem = TableColumns | TableRow | Tensor;

export type Column = Tensor | string[];
type Form = 'columns' | 'row' | 'matrix' | 'vector';

/** @param of What it is about, if that may be a promise: what it is rejected with is told then, and does not end the process. */
export function refusal(who: string, problem: string, of?: unknown): AiforgeError {
  const told = `${who}: ${problem}${/[.?]$/.test(problem) ? '' : '.'}`;
  return isPromise(of) ? notAwaited('INVALID_ARGUMENT', told, of) : new AiforgeError('INVALID_ARGUMENT', told);
}

/** Named columns of equal length, and the form in which they were given: what is made of them has the same. */
export class Frame {
  constructor(
    readonly names: readonly string[],
    readonly columns: readonly Column[],
    readonly rows: number,
    readonly form: Form,
  ) {}

  /** The columns of these names, in their order. Throws where one is not there, or, unless `others`, where there are more. */
  select(who: string, names: readonly string[], others: 'allowed' | 'refused'): Frame {
    const places = new Map(this.names.map((name, place) => [name, place]));
    const missing = names.find((name) => !places.has(name));
    if (missing !== undefined) {
      const got = `it got ${this.names.map((name) => `'${name}'`).join(', ')}`;
      throw refusal(who, `the column '${missing}' is missing: ${got}.${didYouMean(missing, this.names)}`);
    }
    if (others === 'refused' && this.names.length > names.length) {
      const known = new Set(names);
      const extra = this.names.find((name) => !known.has(name))!;
      throw refusal(
        who,
        `the column '${extra}' was not there in fit, which had ${names.map((name) => `'${name}'`).join(', ')}`,
      );
    }
    return this.with(names, names.map((name) => this.columns[places.get(name)!]!)); // prettier-ignore
  }

  /** Other columns of the same rows, in the same form. */
  with(names: readonly string[], columns: readonly Column[]): Frame {
    return new Frame(names, columns, this.rows, this.form);
  }

  /** All columns as one float64 tensor [rows, columns]. Throws for one of strings. */
  numbers(who: string): Tensor {
    const text = this.columns.findIndex(Array.isArray);
    if (text >= 0) {
      const got = this.rows > 0 ? `, such as ${show((this.columns[text] as string[])[0])}` : '';
      throw refusal(who, `the column '${this.names[text]!}' is of strings${got}; it takes numbers: encode it before`);
    }
    return stack(this.columns.map((column) => (column as Tensor).to('float64')), 1); // prettier-ignore
  }

  /** What it stands for, in the form in which it was given. */
  item(who: string): TableItem {
    if (this.form === 'columns') return Object.fromEntries(this.names.map((name, i) => [name, this.columns[i]!]));
    if (this.form === 'row') return Object.fromEntries(this.names.map((name, i) => [name, valueAt(this.columns[i]!)]));
    const text = this.columns.findIndex(Array.isArray);
    if (text >= 0) throw refusal(who, `its column '${this.names[text]!}' is of strings, which no tensor holds`);
    const matrix = stack(sameKind(this.columns as Tensor[]), 1);
    return this.form === 'matrix' ? matrix : matrix.squeeze(0);
  }
}

function sameKind(columns: Tensor[]): Tensor[] {
  const isSame = columns.every(({ dtype }) => dtype === columns[0]!.dtype);
  return isSame ? columns : columns.map((column) => column.to('float64'));
}

const valueAt = (column: Column): string | number | boolean =>
  Array.isArray(column) ? column[0]! : column.item<number | boolean>();

const MATRIX_EXPECTED = 'a tensor of numbers, [rows, columns] or, for one row, [columns]';

function checkNumbers(who: string, what: string, values: Tensor): void {
  if (values.dtype.startsWith('complex')) throw refusal(who, `${what} must be of real numbers, got ${show(values)}`);
  if (values.device === 'cpu' && values.layout === 'strided') return;
  throw refusal(who, `${what} must be a dense one on the CPU, got ${show(values)}`);
}

function frameOfTensor(who: string, item: Tensor): Frame {
  if (item.dim() !== 1 && item.dim() !== 2) throw refusal(who, `expected ${MATRIX_EXPECTED}, got ${show(item)}`);
  checkNumbers(who, 'the tensor', item);
  const isRow = item.dim() === 1;
  const matrix = isRow ? item.unsqueeze(0) : item;
  if (matrix.size(1) === 0) throw refusal(who, `expected ${MATRIX_EXPECTED}, got ${show(item)} without a column`);
  const columns = matrix.unbind(1);
  return new Frame(columns.map((_, i) => `x${i}`), columns, matrix.size(0), isRow ? 'vector' : 'matrix'); // prettier-ignore
}

const isColumn = (value: unknown): value is Column => Array.isArray(value) || Tensor.isTensor(value);

function checkColumn(who: string, name: string, column: Column): number {
  if (!Array.isArray(column)) {
    checkNumbers(who, `the column '${name}'`, column);
    if (column.dim() !== 1) throw refusal(who, `the column '${name}' must be a tensor [rows], got ${show(column)}`);
    return column.size(0);
  }
  const wrong = column.findIndex((value) => typeof value !== 'string');
  if (wrong >= 0) {
    const found = `row ${wrong} is ${show(column[wrong])}`;
    throw refusal(who, `the column '${name}' is an array, which holds strings, but ${found}: give numbers as a tensor`);
  }
  return column.length;
}

function frameOfColumns(who: string, names: string[], columns: Column[]): Frame {
  const rows = columns.map((column, i) => checkColumn(who, names[i]!, column));
  const other = rows.findIndex((count) => count !== rows[0]);
  if (other >= 0) {
    const lengths = `'${names[0]!}' has ${rows[0]!} and '${names[other]!}' has ${rows[other]!}`;
    throw refusal(who, `columns must have as many rows each, but ${lengths}`);
  }
  return new Frame(names, columns, rows[0]!, 'columns');
}

function columnOfValues(who: string, name: string, values: readonly unknown[]): Column {
  const kind = typeof values[0] === 'string' ? 'string' : 'number';
  for (const value of values) {
    const isText = typeof value === 'string';
    const isNumber = typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint';
    if (!(isText || isNumber)) {
      throw refusal(
        who,
        `the column '${name}' must be a number, a boolean or a string in each row, got ${show(value)}`,
        value,
      );
    }
    if (isText !== (kind === 'string')) {
      throw refusal(who, `the column '${name}' has strings and numbers: ${show(values[0])} and ${show(value)}`);
    }
  }
  if (kind === 'string') return values as string[];
  if (values.every((value) => typeof value === 'bigint')) return tensor([...values], { dtype: 'int64' });
  return tensor(values.map(Number), { dtype: 'float64' });
}

/** Rows as columns. Throws for rows that have not the same columns. */
export function frameOfRows(who: string, rows: readonly TableRow[], form: 'row' | 'columns'): Frame {
  const names = Object.keys(rows[0]!);
  if (names.length === 0) throw refusal(who, 'a row has no columns');
  const columns = names.map((name) => {
    const values = rows.map((row) => (Object.hasOwn(row, name) ? row[name] : undefined));
    return columnOfValues(who, name, values);
  });
  const wider = rows.find((row) => Object.keys(row).length !== names.length);
  if (wider !== undefined) {
    throw refusal(
      who,
      `rows must have the same columns: one has ${names.join(', ')}, another ${Object.keys(wider).join(', ')}`,
    );
  }
  return new Frame(names, columns, rows.length, form);
}

/** Whether an item is one row, or the numbers of one. */
export const isRow = (item: unknown): item is TableRow => isPlainObject(item) && !Object.values(item).some(isColumn);

/** A table, a row or a matrix as columns. */
export function frameOf(who: string, item: unknown): Frame {
  if (Tensor.isTensor(item)) return frameOfTensor(who, item);
  if (!isPlainObject(item)) {
    throw refusal(who, `expected columns ({ name: tensor or strings }), a row ({ name: value }) or ${MATRIX_EXPECTED}, got ${show(item)}`, item); // prettier-ignore
  }
  const names = Object.keys(item);
  if (names.length === 0) throw refusal(who, 'expected columns or a row, got an object without any');
  const values = names.map((name) => item[name]);
  if (!values.some(isColumn)) return frameOfRows(who, [item as TableRow], 'row');
  const scalar = values.findIndex((value) => !isColumn(value));
  if (scalar >= 0) {
    throw refusal(who, `the column '${names[scalar]!}' must be a tensor or an array of strings as the others are, got ${show(values[scalar])}`); // prettier-ignore
  }
  return frameOfColumns(who, names, values as Column[]);
}
